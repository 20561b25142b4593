"""With `SYNC=preview` the timer logs once an hour what the next runs would do, and starts no run."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from local.systems import Systems
from shared.app import App
from shared.operations import log_preview as module
from shared.operations.log_preview import PREVIEW_AGAIN, log_preview
from shared.sync.runs import run_push, run_sweep
from tests.unit.operations.conftest import LoggedEvents

NONE = {
    "creates": 0,
    "adopts": 0,
    "to_partner_center": 0,
    "to_salesforce": 0,
    "held": 0,
    "needs_approval": 0,
    "left": 0,
}


@pytest.fixture
def previewing(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """The app in preview, with a deal of each side."""
    monkeypatch.setenv("SYNC", "preview")
    systems.seller_creates("New")
    systems.partner_center.microsoft_sends()
    app = App()
    yield app
    app.close()


def test_the_counts_of_both_runs_are_logged_once_an_hour(previewing: App, logged: LoggedEvents) -> None:
    for _ in range(3):
        run_push(previewing.context)
        run_sweep(previewing.context)
        log_preview(previewing)
    assert logged("previewed") == [{"run": "push", **NONE, "creates": 1}, {"run": "sweep", **NONE, "creates": 1}]
    assert {one["reason"] for one in logged("run_skipped")} == {"preview"}
    assert previewing.previewed_at is not None
    previewing.previewed_at -= PREVIEW_AGAIN + timedelta(seconds=1)
    log_preview(previewing)
    assert len(logged("previewed")) == 4


def test_it_looks_at_a_part_of_very_many(
    systems: Systems, previewing: App, monkeypatch: pytest.MonkeyPatch, logged: LoggedEvents
) -> None:
    systems.seller_creates("Second")
    monkeypatch.setattr(module, "MOST_OPPORTUNITIES", 1)
    monkeypatch.setattr(module, "MOST_REFERRALS", 0)
    log_preview(previewing)
    assert [(one["creates"], one["left"]) for one in logged("previewed")] == [(1, 1), (0, 1)]


def test_a_failure_is_logged_and_the_next_preview_is_an_hour_later(
    systems: Systems, previewing: App, logged: LoggedEvents
) -> None:
    assert previewing.context is not None
    systems.partner_center.faults.append(Fault(FaultKind.ANSWER, times=1000, status=503, body="{}"))
    log_preview(previewing)
    log_preview(previewing)
    ((failed),) = logged("run_failed")
    assert (failed["run"], failed["error"], logged("previewed")) == ("preview", "Unavailable", [])


@pytest.mark.usefixtures("systems")
@pytest.mark.parametrize("mode", ["on", "off"])
def test_in_other_modes_nothing_is_previewed(monkeypatch: pytest.MonkeyPatch, logged: LoggedEvents, mode: str) -> None:
    monkeypatch.setenv("SYNC", mode)
    with closing(App()) as app:
        log_preview(app)
    assert logged("previewed") == []
