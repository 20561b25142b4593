"""What sellers and colleagues do to a deal that a push is about, and what must have become of it in the end."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.domain.deal import Side
from tests.unit.sync.bench import Bench, Instance


@dataclass(frozen=True)
class Scenario:
    """`arrange` returns the opportunity that the run is about; `meanwhile` happens between crash and recovery."""

    arrange: Callable[[Bench], str]
    check: Callable[[Bench, str], object]
    run: Callable[[Instance], object] = Instance.push
    meanwhile: Callable[[Bench, str], object] = field(default=lambda _bench, _deal: None)


def told_once(bench: Bench, deal: str, *sentences: str) -> None:
    """Each sentence stands in the audit exactly once, whoever died when."""
    for words in sentences:
        assert bench.told(deal, words) == 1, bench.audit(deal)


def linked(bench: Bench, deal: str) -> None:
    referral, row = bench.referral_of(deal), bench.row(deal)
    assert row["Referral_Identifier__c"] == referral["id"]
    assert row["Referral_Link__c"].endswith(referral["id"])
    assert row["Sync_Status__c"] == "Synced"
    pointer = bench.store.pointer(referral["id"])
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    lines = bench.told(deal, "referral was created") + bench.told(deal, "linked to the referral")
    assert lines == 1, bench.audit(deal)
    agreed(bench, deal)


def agreed(bench: Bench, deal: str) -> None:
    assert bench.differences(deal) == []
    assert bench.link(deal).intent is None
    assert bench.due(Side.SALESFORCE) == []
    assert bench.due(Side.PARTNER_CENTER) == []


# --- create


def edits_on_both_sides(bench: Bench, deal: str) -> None:
    bench.seller_edits(deal, Amount=31000)
    for referral in bench.referrals():
        bench.colleague_edits(referral["id"], details_notes="A colleague was here.")


def linked_with_the_edits(bench: Bench, deal: str) -> None:
    linked(bench, deal)
    assert bench.referral_of(deal)["details"]["dealValue"] == 31000
    notes = bench.row(deal)["Description"]
    assert "A colleague was here." in notes or notes == "First call went well."
    assert bench.told(deal, "was changed on both sides") == 0


def adoptable(bench: Bench) -> str:
    details = {"notes": "From the portal", "dealValue": 10000, "currency": "USD"}
    details["closingDateTime"] = "2026-12-31T00:00:00Z"
    referral = bench.partner_center.portal_creates({"details": details})
    return bench.seller_creates(Referral_Identifier__c=referral, Description="From Salesforce")


def adopted(bench: Bench, deal: str) -> None:
    assert len(bench.referrals()) == 1
    assert bench.link(deal).referral_id == bench.referrals()[0]["id"]
    told_once(bench, deal, "was linked to")
    notes = bench.row(deal)["Description"]
    assert notes.count("From the portal") == notes.count("From Salesforce") == 1
    agreed(bench, deal)


# --- update


def edited(bench: Bench) -> str:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=27000, CloseDate="2027-04-01")
    return deal


def updated(bench: Bench, deal: str) -> None:
    details = bench.referral_of(deal)["details"]
    assert (details["dealValue"], details["closingDateTime"]) == (27000, "2027-04-01T00:00:00Z")
    told_once(bench, deal, "10000.00 USD → 27000.00 USD", "2026-12-31 → 2027-04-01")
    assert bench.row(deal)["Sync_Status__c"] == "Synced"
    agreed(bench, deal)


def seller_thinks_again(bench: Bench, deal: str) -> None:
    bench.seller_edits(deal, Amount=28000)


def updated_again(bench: Bench, deal: str) -> None:
    assert bench.referral_of(deal)["details"]["dealValue"] == bench.row(deal)["Amount"] == 28000
    assert bench.told(deal, "was changed on both sides") == 0
    agreed(bench, deal)


def in_conflict(bench: Bench) -> str:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=27000, CloseDate="2027-04-01")
    bench.colleague_edits(bench.referral_of(deal)["id"], details_dealValue=29000, details_notes="The whole fleet.")
    return deal


def nothing_is_lost(bench: Bench, deal: str) -> None:
    row, details = bench.row(deal), bench.referral_of(deal)["details"]
    assert (row["Amount"], details["dealValue"], row["CloseDate"]) == (27000, 27000, "2027-04-01")
    assert row["Description"] == "The whole fleet."
    assert "29000.00 USD" in "\n".join(bench.audit(deal))
    agreed(bench, deal)


def guilty(bench: Bench) -> str:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=-5, CloseDate="2027-04-01")
    return deal


def parked(bench: Bench, deal: str) -> None:
    details = bench.referral_of(deal)["details"]
    assert (details["dealValue"], details["closingDateTime"]) == (10000, "2027-04-01T00:00:00Z")
    assert (bench.row(deal)["Amount"], bench.row(deal)["Sync_Status__c"]) == (-5, "Failed")
    told_once(bench, deal, "2026-12-31 → 2027-04-01", "not negative")
    assert bench.link(deal).intent is None


def won(bench: Bench) -> str:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Won")
    return deal


def wait_and_close(instance: Instance) -> None:
    instance.push()
    instance.push(after=150.0)


def closed(bench: Bench, deal: str) -> None:
    assert (bench.referral_of(deal)["status"], bench.referral_of(deal)["substatus"]) == ("Closed", "Won")
    assert (bench.row(deal)["StageName"], bench.row(deal)["Sync_Status__c"]) == ("Closed Won", "Synced")
    told_once(bench, deal, "To Partner Center: Status")
    agreed(bench, deal)


def taken_back(bench: Bench, deal: str) -> None:
    if bench.referral_of(deal)["status"] == "Active":
        bench.seller_edits(deal, StageName="Qualification")


def closed_or_never(bench: Bench, deal: str) -> None:
    assert bench.row(deal)["StageName"] == ("Qualification" if still_open(bench, deal) else "Closed Won")
    agreed(bench, deal)


def still_open(bench: Bench, deal: str) -> bool:
    return bool(bench.referral_of(deal)["status"] == "Active")


# --- held


def incomplete(bench: Bench) -> str:
    return bench.seller_creates(AccountId=bench.account("Tailspin Toys", None), Amount=None)


def held(bench: Bench, deal: str) -> None:
    assert bench.referrals() == []
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    told_once(bench, deal, "no Billing Country", "Amount or its currency")
    assert bench.link(deal).intent is None


def mended(bench: Bench) -> str:
    deal = bench.seller_creates(Amount=None)
    bench.quiet()
    bench.seller_edits(deal, Amount=31000)
    return deal


def refused(bench: Bench) -> str:
    return bench.seller_creates(Amount=-5)


def refused_once(bench: Bench, deal: str) -> None:
    assert bench.referrals() == []
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    told_once(bench, deal, "not negative")


SCENARIOS = {
    "a create": Scenario(Bench.seller_creates, linked),
    "a create and edits": Scenario(Bench.seller_creates, linked_with_the_edits, meanwhile=edits_on_both_sides),
    "an adoption": Scenario(adoptable, adopted),
    "a refused create": Scenario(refused, refused_once),
    "an update": Scenario(edited, updated),
    "an update and another": Scenario(edited, updated_again, meanwhile=seller_thinks_again),
    "an update in conflict": Scenario(in_conflict, nothing_is_lost),
    "an update with a guilty path": Scenario(guilty, parked),
    "a win": Scenario(won, closed, wait_and_close),
    "a win taken back": Scenario(won, closed_or_never, wait_and_close, taken_back),
    "a held deal": Scenario(incomplete, held),
    "a mended deal": Scenario(mended, linked),
}
