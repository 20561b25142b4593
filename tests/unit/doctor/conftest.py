"""The emulators of both sides, started once; every test begins with a first day and a few deals on record."""

from collections.abc import Iterator

import pytest
import stamina

from local.systems import Systems
from shared.doctor.finding import Result, Verdict
from shared.doctor.installation import Installation
from shared.doctor.run_checks import PREREQUISITES, Prerequisite, run_checks


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def systems(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Systems:
    monkeypatch.setenv("EVENTS_REGISTER", "false")
    systems.seller_creates("Known deal")
    systems.partner_center.populate(2)
    return systems


class Clinic:
    """Runs the examination and gives the verdict of one check."""

    def examined(self, *names: str) -> dict[str, Verdict]:
        """The verdicts of these checks and of all that they rest on; of every check if none is named."""
        patient = Installation()
        try:
            return {check.name: check.verdict for check in run_checks(patient, items=_wanted(names))}
        finally:
            patient.close()

    def failure(self, name: str) -> Verdict:
        """The verdict of a check that must have failed, with a remedy."""
        verdict = self.examined(name)[name]
        assert (verdict.result, bool(verdict.remedy)) == (Result.FAILED, True), verdict
        return verdict


def _wanted(names: tuple[str, ...]) -> list[Prerequisite]:
    wanted = set(names or (item.name for item in PREREQUISITES))
    for item in reversed(PREREQUISITES):
        wanted |= set(item.needs) if item.name in wanted else set()
    return [item for item in PREREQUISITES if item.name in wanted]


@pytest.fixture
def clinic(systems: Systems) -> Clinic:  # noqa: ARG001 - there must be something to examine
    return Clinic()
