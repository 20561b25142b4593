"""What Microsoft sends, and what became of it in Salesforce."""

from typing import Any

from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.sync.harness import HOUR, LEASE, Harness, Instance

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


class Flow(ValidationRule):
    """A before-save flow: it sets a field whenever the field is written, and lets the save pass."""

    def refuses(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        if sobject == self.sobject and self.field in written:
            record[self.field] = self.value
        return False


def flow(harness: Harness, **values: object) -> None:
    """Automation of the org that answers each write of a field of the opportunity with a value of its own."""
    flows = [Flow("Opportunity", field, "", value=value) for field, value in values.items()]
    harness.salesforce.org.hooks.rules.extend(flows)


class Witness(ValidationRule):
    """Sees which fields each save writes, and lets it pass."""

    def refuses(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        if sobject == self.sobject and record["Id"]:
            self.value.append(set(written))
        return False


def watch_saves(harness: Harness) -> list[set[str]]:
    """The fields that each later save of an opportunity writes; the list grows."""
    seen: list[set[str]] = []
    harness.salesforce.org.hooks.rules.append(Witness("Opportunity", "", "", value=seen))
    return seen


def microsoft_sends_deal(harness: Harness, **fields: object) -> str:
    """A new deal from Microsoft, of which nobody told us yet. Returns the referral's id."""
    details = {**DETAILS, **fields.pop("details", {})}  # type: ignore[dict-item]  # a test names a mapping here
    customer = {**CUSTOMER, **fields.pop("customerProfile", {})}  # type: ignore[dict-item]  # as above
    whole = {"name": "Robots for the harbour", "customerProfile": customer, "details": details, **fields}
    return harness.partner_center.microsoft_sends(**whole)


def arrived_deal(harness: Harness, **fields: object) -> tuple[str, str]:
    """A deal that has become an opportunity, and is quiet: the ids of referral and opportunity."""
    referral = microsoft_sends_deal(harness, **fields)
    harness.event(referral)
    harness.quiet()
    return referral, opportunity_of(harness, referral)["Id"]


def accepted_deal(harness: Harness, **fields: object) -> tuple[str, str]:
    """As `arrived`, and a colleague has accepted it."""
    referral = microsoft_sends_deal(harness, **fields)
    harness.event(referral)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.event(referral)
    harness.quiet()
    harness.sweep()
    harness.calls()
    return referral, opportunity_of(harness, referral)["Id"]


def opportunities_of(harness: Harness, referral_id: str) -> list[dict[str, Any]]:
    """The opportunities that carry a referral's id."""
    rows = harness.salesforce.records("Opportunity")
    return [dict(row) for row in rows if row["Referral_Identifier__c"] == referral_id]


def opportunity_of(harness: Harness, referral_id: str) -> dict[str, Any]:
    """The one opportunity of a referral. Fails where there are none or several."""
    (found,) = opportunities_of(harness, referral_id)
    return found


def recover_after_lease(harness: Harness, survivor: Instance | None = None) -> Instance:
    """Another instance works after the lease: three rounds, as design.md section 4 rule 3 grants."""
    survivor = survivor or harness.instance()
    for _ in range(3):
        harness.later(LEASE)
        survivor.push(HOUR)
        survivor.sweep()
    survivor.push()
    return survivor


def assert_quiet(harness: Harness, worker: Instance | None = None) -> None:
    """One more round writes nothing, and no instance's run has failed."""
    worker = worker or harness.instance()
    before = harness.all_versions()
    worker.push(HOUR)
    worker.sweep()
    assert harness.all_versions() == before
    assert not worker.log.of("run_failed")
