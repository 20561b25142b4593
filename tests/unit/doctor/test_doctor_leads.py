"""The doctor says that leads would wait in the inbox, or not arrive at all."""

import pytest

from local.systems import USERNAME, Systems
from shared.doctor.finding import Result
from tests.unit.doctor.conftest import Doctor
from tests.unit.emulators.salesforce.control_calls import control

IDENTIFIER = "Referral_Identifier__c"


def test_leads_that_are_off_pass(doctor: Doctor) -> None:
    assert doctor.run("leads")["leads"].found == "leads do not arrive: LEADS is off"


def test_leads_as_opportunities_need_nothing_more(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADS", "opportunity")
    assert doctor.run("leads")["leads"].found == "leads arrive as opportunities, and are not sent"


def test_outside_production_no_lead_arrives(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADS", "lead")
    monkeypatch.setenv("ENVIRONMENT", "staging")
    assert "none arrives outside production" in doctor.failed_verdict("leads").found


def test_the_object_must_have_the_column(doctor: Doctor, systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADS", "lead")
    fields = systems.salesforce.org.model.get("Lead").fields
    column = fields.pop(IDENTIFIER.lower())
    try:
        verdict = doctor.failed_verdict("leads")
        assert f"{IDENTIFIER} does not exist on Lead" in verdict.found
        assert "Cosell_Leads_Integration" in verdict.remedy
    finally:
        fields[IDENTIFIER.lower()] = column


def test_the_permission_set_of_the_package_is_enough(
    doctor: Doctor, systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADS", "lead")
    names = ["Cosell_Integration"]
    control(systems.salesforce, "permission_sets", username=USERNAME, names=names)
    assert "may not see the object Lead" in doctor.failed_verdict("leads").found
    names.append("Cosell_Leads_Integration")
    control(systems.salesforce, "permission_sets", username=USERNAME, names=names)
    assert doctor.run("leads")["leads"].result is Result.OK
