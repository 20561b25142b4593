"""The part that pytest calls: instead of running the collected tests once, it runs them against the mutants."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings

# A failed property is enough; nobody reads its smallest example.
settings.register_profile(
    "mutants",
    deadline=None,
    suppress_health_check=list(HealthCheck),
    max_examples=25,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)


class InsteadOfTheRun:
    """A plugin that hands the collected tests to a function and lets pytest report nothing."""

    def __init__(self, use: Callable[[list[pytest.Item]], None]) -> None:
        self._use = use

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        self._use(session.items)
        return True
