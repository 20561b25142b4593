"""What the doctor says in each kind of org: the check that fails, and no check that stops."""

from collections.abc import Iterator, Mapping

import pytest

from local.systems import Systems
from shared.doctor.finding import REPORT_BUG, Result
from tests.unit.doctor.conftest import Doctor
from tests.unit.sync.real_orgs import SWITCHES

pytestmark = pytest.mark.slow

FAILS: Mapping[str, set[str]] = {
    "hidden column": {"mapped fields"},
    "hidden column of a parent": {"mapped fields"},
    "read-only column": {"mapped fields"},
    "private": {"write access"},
    "public read only": {"write access"},
    "rule for deals": {"write access", "arrival"},
    "rule for accounts": {"arrival"},
    "required field": {"new records", "write access", "arrival"},
    "record types": {"record types", "arrival"},
    "no stage for new deals": {"stages"},
}
"""The checks that fail, by the kind of org. In the others, deals travel as they are."""


@pytest.fixture
def org(systems: Systems) -> Iterator[Systems]:
    yield systems
    systems.salesforce.reset_state()


@pytest.mark.parametrize("kind", SWITCHES)
def test_each_kind_of_org_fails_its_own_check_with_a_remedy(doctor: Doctor, org: Systems, kind: str) -> None:
    SWITCHES[kind](org.salesforce)
    org.salesforce.org.clear_undo_log()
    failed = {name: verdict for name, verdict in doctor.run().items() if verdict.result is Result.FAILED}
    assert failed.keys() == FAILS.get(kind, set())
    assert all(verdict.remedy not in {"", REPORT_BUG} for verdict in failed.values())
