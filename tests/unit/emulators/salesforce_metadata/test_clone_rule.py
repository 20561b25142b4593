"""A clone keeps its tick and loses its referral id, so it would become a second referral (docs/protocol.md#clones)."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.base.server import Request
from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.errors import ApiError
from tests.unit.emulators.salesforce_metadata.deploy_client import DEAL

TICK = "Sync_with_Partner_Center__c"
SYNCED = {
    **DEAL, TICK: True, "Referral_Identifier__c": "R-1", "Sync_Status__c": "Synced", "Audit__c": "synced",
    "How_can_Microsoft_help__c": "General or Other", "Referral_Link__c": "https://partner.microsoft.com/x",
}  # fmt: skip


@pytest.fixture
def org() -> SalesforceEmulator:
    return SalesforceEmulator()


def send_control(org: SalesforceEmulator, name: str, body: str) -> Any:  # noqa: ANN401 - JSON
    return org.handle(Request("POST", f"/_control/{name}", body=body.encode())).json()


def test_a_clone_that_keeps_its_tick_is_refused(org: SalesforceEmulator) -> None:
    deal = org.insert("Opportunity", SYNCED)
    with pytest.raises(ApiError) as caught:
        org.clone("Opportunity", deal)
    assert caught.value.code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert caught.value.fields == [TICK]
    assert "Un-tick Sync with Partner Center and save" in caught.value.message
    assert len(org.records("Opportunity")) == 1


def test_a_clone_without_the_tick_is_saved_without_the_values_of_the_sync(org: SalesforceEmulator) -> None:
    deal = org.insert("Opportunity", SYNCED)
    copy = org.record("Opportunity", org.clone("Opportunity", deal, {TICK: False}))
    assert copy["How_can_Microsoft_help__c"] == "General or Other"
    for name in ("Referral_Identifier__c", "Referral_Link__c", "Audit__c", "Sync_Status__c"):
        assert copy[name] is None


def test_a_clone_may_be_ticked_after_it_was_saved(org: SalesforceEmulator) -> None:
    copy = org.clone("Opportunity", org.insert("Opportunity", SYNCED), {TICK: False})
    org.edit("Opportunity", copy, {TICK: True})
    assert org.record("Opportunity", copy)[TICK] is True


def test_the_rule_refuses_no_other_save(org: SalesforceEmulator) -> None:
    """It allows a new deal with a tick, an inbound deal by the integration user, edits, and un-ticking."""
    robot = org.register_connected_app("app", _public_key_pem(), "robot@partner.example")
    new_deal = org.insert("Opportunity", {**DEAL, TICK: True})
    inbound = org.insert("Opportunity", {**SYNCED, "Referral_Identifier__c": "R-2"}, user=robot)
    for deal in (new_deal, inbound):
        org.edit("Opportunity", deal, {"Amount": 5})
        org.edit("Opportunity", deal, {TICK: False})
        org.edit("Opportunity", deal, {TICK: True})


def test_a_clone_of_a_deal_without_a_tick_is_saved(org: SalesforceEmulator) -> None:
    assert org.clone("Opportunity", org.insert("Opportunity", DEAL))


def test_the_control_api_clones_a_record(org: SalesforceEmulator) -> None:
    deal = org.insert("Opportunity", DEAL)
    answer = send_control(org, "clone", f'{{"sobject": "Opportunity", "id": "{deal}", "values": {{"Name": "Copy"}}}}')
    assert org.record("Opportunity", answer["id"])["Name"] == "Copy"
    (error,) = send_control(org, "clone", f'{{"sobject": "Opportunity", "id": "{deal}", "values": {{"{TICK}": true}}}}')
    assert error["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def _public_key_pem() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
