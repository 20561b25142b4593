"""What Microsoft sends, and what became of it in Salesforce."""

from typing import Any

from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.sync.bench import HOUR, LEASE, Bench, Instance

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


def flow(bench: Bench, **values: object) -> None:
    """Automation of the org that answers each write of a field of the opportunity with a value of its own."""
    flows = [Flow("Opportunity", field, "", value=value) for field, value in values.items()]
    bench.salesforce.org.hooks.rules.extend(flows)


class Witness(ValidationRule):
    """Sees which fields each save writes, and lets it pass."""

    def refuses(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        if sobject == self.sobject and record["Id"]:
            self.value.append(set(written))
        return False


def saves(bench: Bench) -> list[set[str]]:
    """The fields that each later save of an opportunity writes; the list grows."""
    seen: list[set[str]] = []
    bench.salesforce.org.hooks.rules.append(Witness("Opportunity", "", "", value=seen))
    return seen


def sent(bench: Bench, **fields: object) -> str:
    """A new deal from Microsoft, of which nobody told us yet. Returns the referral's id."""
    details = {**DETAILS, **fields.pop("details", {})}  # type: ignore[dict-item]  # a test names a mapping here
    customer = {**CUSTOMER, **fields.pop("customerProfile", {})}  # type: ignore[dict-item]  # as above
    whole = {"name": "Robots for the harbour", "customerProfile": customer, "details": details, **fields}
    return bench.partner_center.microsoft_sends(**whole)


def arrived(bench: Bench, **fields: object) -> tuple[str, str]:
    """A deal that has become an opportunity, and is quiet: the ids of referral and opportunity."""
    referral = sent(bench, **fields)
    bench.event(referral)
    bench.quiet()
    return referral, opportunity_of(bench, referral)["Id"]


def accepted(bench: Bench, **fields: object) -> tuple[str, str]:
    """As `arrived`, and a colleague has accepted it."""
    referral = sent(bench, **fields)
    bench.event(referral)
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    bench.event(referral)
    bench.quiet()
    bench.sweep()
    bench.calls()
    return referral, opportunity_of(bench, referral)["Id"]


def opportunities_of(bench: Bench, referral_id: str) -> list[dict[str, Any]]:
    """The opportunities that carry a referral's id."""
    rows = bench.salesforce.records("Opportunity")
    return [dict(row) for row in rows if row["Referral_Identifier__c"] == referral_id]


def opportunity_of(bench: Bench, referral_id: str) -> dict[str, Any]:
    """The one opportunity of a referral. Fails where there are none or several."""
    (found,) = opportunities_of(bench, referral_id)
    return found


def recovers(bench: Bench, survivor: Instance | None = None) -> Instance:
    """Another instance works after the lease: three rounds, as design.md section 4 rule 3 grants."""
    survivor = survivor or bench.instance()
    for _ in range(3):
        bench.later(LEASE)
        survivor.push(HOUR)
        survivor.sweep()
    survivor.push()
    return survivor


def assert_quiet(bench: Bench, worker: Instance | None = None) -> None:
    """One more round writes nothing, and no instance's run has failed."""
    worker = worker or bench.instance()
    before = bench.stamps()
    worker.push(HOUR)
    worker.sweep()
    assert bench.stamps() == before
    assert not worker.log.of("run_failed")
