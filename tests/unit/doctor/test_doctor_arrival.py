"""The doctor rehearses the arrival of a deal, which tells what no description does, and leaves nothing behind."""

from collections.abc import Iterator

import pytest

from emulators.salesforce.emulator import SalesforceEmulator
from local.systems import Systems
from shared.doctor.finding import Result
from tests.unit.doctor.conftest import Doctor
from tests.unit.emulators.salesforce.control_calls import control

OBJECTS = ("Account", "Contact", "Opportunity", "OpportunityContactRole")


@pytest.fixture
def org(systems: Systems) -> Iterator[SalesforceEmulator]:
    yield systems.salesforce
    systems.salesforce.reset_state()


def rows(org: SalesforceEmulator) -> dict[str, list[dict[str, object]]]:
    return {name: [dict(each) for each in org.org.stored_records(name)] for name in OBJECTS}


def test_a_rehearsed_deal_passes_and_leaves_nothing(doctor: Doctor, org: SalesforceEmulator) -> None:
    before = rows(org)
    verdict = doctor.run("arrival")["arrival"]
    assert (verdict.result, verdict.found.startswith("proven")) == (Result.OK, True)
    assert rows(org) == before


@pytest.mark.parametrize(
    ("sobject", "field", "step"), [("Account", "Website", "account"), ("Opportunity", "NextStep", "opportunity")]
)
def test_a_validation_rule_that_no_deal_can_meet_is_told(
    doctor: Doctor, org: SalesforceEmulator, sobject: str, field: str, step: str
) -> None:
    control(org, "save_rule", sobject=sobject, formula=f"ISBLANK( {field} )", message="Say it", field=field)
    before = rows(org)
    verdict = doctor.failed_verdict("arrival")
    found = f"Salesforce would refuse the {step} of a deal that arrives: FIELD_CUSTOM_VALIDATION_EXCEPTION at {field}"
    assert verdict.found == found
    assert rows(org) == before


def test_a_refused_contact_stops_no_deal_and_is_told(doctor: Doctor, org: SalesforceEmulator) -> None:
    control(org, "save_rule", sobject="Contact", formula="ISBLANK( MobilePhone )", message="Say it")
    verdict = doctor.run("arrival")["arrival"]
    assert (verdict.result, "without its contact" in verdict.found) == (Result.OK, True)


def test_an_org_that_does_not_undo_is_told(
    doctor: Doctor, org: SalesforceEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.clients.salesforce.rehearsal.UNKNOWN_COLUMN", "Description")
    values = {"Name": "x", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    control(org, "flow", sobject="Opportunity", on="insert", values=values)
    assert "did not undo a rehearsed write" in doctor.failed_verdict("arrival").found


def test_an_org_with_one_currency_passes(
    doctor: Doctor, org: SalesforceEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(org, "multi_currency", False)
    org.reset_state()
    assert doctor.run("arrival")["arrival"].result is Result.OK
    monkeypatch.undo()
