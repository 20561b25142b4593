"""Deals that Microsoft sends, and the checks of what they become in Salesforce."""

from typing import Any

from emulators.partner_center.referral_shape import MICROSOFT
from emulators.salesforce.data.hooks import ValidationRule
from shared.sync.runs import pull_event
from tests.unit.sync.harness import AFTER_LEASE, HOUR, Harness, Instance

CUSTOMER = {
    "name": "Fabrikam Robotics",
    "address": {
        "addressLine1": "9 Harbour Road",
        "city": "Aarhus",
        "state": "",
        "postalCode": "8000",
        "country": "DK",
    },
    "team": [
        {"firstName": "Ada", "lastName": "Lind", "email": "ada.lind@fabrikam.example", "phoneNumber": "+4512345678"}
    ],
}
DETAILS = {
    "notes": "Wants a pilot before summer.",
    "dealValue": 25000,
    "currency": "EUR",
    "closingDateTime": "2027-03-15T00:00:00Z",
    "requirements": {"solutions": [{"id": "SOL-1", "type": "Name"}, {"id": "SOL-2", "type": "Name"}]},
}


class OverwritingFlow(ValidationRule):
    """A before-save flow of Salesforce: it overwrites a field whenever the field is written. The save succeeds."""

    def forbids_save(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        if sobject == self.sobject and self.field in written:
            record[self.field] = self.value
        return False


def add_flow(harness: Harness, **values: object) -> None:
    """From now on, automation of the org replaces each value that is written to one of these fields."""
    flows = [OverwritingFlow("Opportunity", field, "", value=value) for field, value in values.items()]
    harness.salesforce.org.hooks.rules.extend(flows)


class SaveRecorder(ValidationRule):
    """Records which fields each save writes. The save succeeds."""

    def forbids_save(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        if sobject == self.sobject and record["Id"]:
            self.value.append(set(written))
        return False


def watch_saves(harness: Harness) -> list[set[str]]:
    """Returns a list. Each later save of an opportunity appends the names of the fields that it writes."""
    saves: list[set[str]] = []
    harness.salesforce.org.hooks.rules.append(SaveRecorder("Opportunity", "", "", value=saves))
    return saves


def microsoft_sends_deal(harness: Harness, **fields: object) -> str:
    """Microsoft sends a new deal; no event reports it yet. Returns the referral's id."""
    details = {**DETAILS, **fields.pop("details", {})}  # type: ignore[dict-item]  # a test passes a mapping here
    customer = {**CUSTOMER, **fields.pop("customerProfile", {})}  # type: ignore[dict-item]  # as above
    referral = {"name": "Robots for the harbour", "customerProfile": customer, "details": details, **fields}
    return harness.partner_center.microsoft_sends(**referral)


def arrived_deal(harness: Harness, **fields: object) -> tuple[str, str]:
    """A deal from Microsoft that has become an opportunity, with nothing left to do. Returns both ids: the referral's
    and the opportunity's."""
    referral = microsoft_sends_deal(harness, **fields)
    harness.pull_event(referral)
    hear_microsoft(harness)
    harness.push_until_quiet()
    return referral, opportunity_of(harness, referral)["Id"]


def accepted_deal(harness: Harness, **fields: object) -> tuple[str, str]:
    """The same as `arrived_deal`, and a colleague has accepted the deal in the portal."""
    referral = microsoft_sends_deal(harness, **fields)
    harness.pull_event(referral)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.pull_event(referral)
    harness.push_until_quiet()
    harness.sweep()
    harness.forget_calls()
    return referral, opportunity_of(harness, referral)["Id"]


def opportunities_of(harness: Harness, referral_id: str) -> list[dict[str, Any]]:
    """The opportunities that carry a referral's id."""
    records = harness.salesforce.records("Opportunity")
    return [dict(record) for record in records if record["Referral_Identifier__c"] == referral_id]


def opportunity_of(harness: Harness, referral_id: str) -> dict[str, Any]:
    """The one opportunity of a referral. Raises ValueError if the referral has none or several."""
    (opportunity,) = opportunities_of(harness, referral_id)
    return opportunity


def recover_after_lease(harness: Harness, survivor: Instance | None = None) -> Instance:
    """After the lease, another instance runs three rounds (docs/protocol.md#rule-3-convergence-and-quiescence)."""
    survivor = survivor or harness.new_instance()
    for _ in range(3):
        harness.advance_time(AFTER_LEASE)
        survivor.push(HOUR)
        survivor.sweep()
    survivor.push()
    return survivor


def hear_microsoft(harness: Harness, worker: Instance | None = None) -> None:
    """Hear Microsoft's own records of deals that it sent. No event reports them at the arrival: a sweep finds them."""
    ctx = (worker or harness.first).ctx
    for record in harness.partner_center.referrals(MICROSOFT):
        is_sender = record["inviteContext"]["invitedBy"]["organizationId"] == MICROSOFT
        if is_sender and not harness.store.deals_of_party(record["id"]):
            pull_event(ctx, record["id"], is_related=True)


def assert_quiet(harness: Harness, worker: Instance | None = None) -> None:
    """Once Microsoft was heard, one more round writes nothing, and no run of the worker has failed."""
    worker = worker or harness.new_instance()
    hear_microsoft(harness, worker)
    before = harness.all_versions()
    worker.push(HOUR)
    worker.sweep()
    assert harness.all_versions() == before
    assert not worker.log.fields_of("run_failed")
