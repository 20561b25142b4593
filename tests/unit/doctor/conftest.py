"""Both sides as emulators, started once. Every test begins with a few deals."""

from collections.abc import Iterator

import pytest

from local.systems import Systems
from shared.doctor.finding import Result, Verdict
from shared.doctor.installation import Installation
from shared.doctor.run_checks import PREREQUISITES, Prerequisite, run_checks
from tests.no_waits import no_waits


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with no_waits():
        yield


@pytest.fixture
def systems(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Systems:
    monkeypatch.setenv("EVENTS_REGISTER", "false")
    systems.seller_creates("Known deal")
    systems.partner_center.populate(2)
    return systems


class Doctor:
    """Runs checks of the doctor and returns their verdicts."""

    def run(self, *names: str) -> dict[str, Verdict]:
        """Run the named checks and those that they need, or all checks if none is named."""
        installation = Installation()
        try:
            return run_checks(installation, prerequisites=_with_needed_checks(names))
        finally:
            installation.close()

    def failed_verdict(self, name: str) -> Verdict:
        """Return the verdict of a check. The check must fail and have a remedy."""
        verdict = self.run(name)[name]
        assert (verdict.result, bool(verdict.remedy)) == (Result.FAILED, True), verdict
        return verdict


def _with_needed_checks(names: tuple[str, ...]) -> list[Prerequisite]:
    included = set(names or (item.name for item in PREREQUISITES))
    for item in reversed(PREREQUISITES):
        included |= set(item.needs) if item.name in included else set()
    return [item for item in PREREQUISITES if item.name in included]


@pytest.fixture
def doctor(systems: Systems) -> Doctor:  # noqa: ARG001 - the checks need the emulated systems
    return Doctor()
