"""The doctor says that new deals would be held or refused for want of a consent."""

import pytest

from local.systems import Systems
from tests.unit.doctor.conftest import Doctor

COLUMN = "Customer_Consents__c"


def test_the_consents_of_the_settings_pass(doctor: Doctor) -> None:
    assert doctor.run("consents")["consents"].found == "the settings declare the customer's consent"


def test_a_consent_that_partner_center_demands_must_be_declared(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTNER_CENTER_CONSENT_TO_SHARE_WITH_OTHERS", "false")
    assert "refuses every new referral" in doctor.failed_verdict("consents").found


def test_the_checkbox_must_exist_where_it_decides(
    doctor: Doctor, systems: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTOMER_CONSENT", "checkbox")
    assert doctor.run("consents")["consents"].found == f"{COLUMN} decides for each new deal"
    fields = systems.salesforce.org.model.get("Opportunity").fields
    column = fields.pop(COLUMN.lower())
    try:
        assert COLUMN in doctor.failed_verdict("consents").found
    finally:
        fields[COLUMN.lower()] = column
