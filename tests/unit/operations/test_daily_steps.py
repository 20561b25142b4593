"""The daily run leaves steps to the next run of the timer before it becomes too long."""

from typing import cast

import pytest

from shared.app import App
from shared.foundation.errors import Unavailable
from shared.operations.daily_steps import SHORT_SECONDS, run_daily_steps

NO_APP = cast("App", None)


@pytest.mark.parametrize(("seconds", "done"), [(1.0, ["compare", "purge"]), (SHORT_SECONDS + 1, ["compare"])])
def test_a_step_that_took_long_is_the_last_of_its_run(seconds: float, done: list[str]) -> None:
    ran: list[str] = []
    now = [0.0]

    def compare(_: App) -> None:
        ran.append("compare")
        now[0] += seconds

    run_daily_steps(NO_APP, (compare, lambda _: ran.append("purge")), lambda: now[0])
    assert ran == done


def test_a_step_that_fails_does_not_stop_the_next() -> None:
    ran: list[str] = []

    def compare(_: App) -> None:
        raise Unavailable("Salesforce does not answer")

    with pytest.raises(Unavailable):
        run_daily_steps(NO_APP, (compare, lambda _: ran.append("purge")))
    assert ran == ["purge"]
