"""Deals for a push: what sellers and colleagues do to them, and the checks of how they must end."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.domain.deal import Side
from tests.unit.sync.harness import MINUTE, Harness, Instance

TICK = "Sync_with_Partner_Center__c"


@dataclass(frozen=True)
class PushScenario:
    """`arrange` returns the id of the deal's opportunity; `meanwhile` happens between the crash and the recovery."""

    arrange: Callable[[Harness], str]
    check: Callable[[Harness, str], object]
    run: Callable[[Instance], object] = Instance.push
    meanwhile: Callable[[Harness, str], object] = field(default=lambda _harness, _deal: None)


def assert_reported_once(harness: Harness, deal: str, *sentences: str) -> None:
    """The audit has each sentence exactly once, whichever process crashed at whatever call."""
    for sentence in sentences:
        assert harness.count_in_audit(deal, sentence) == 1, harness.audit_texts(deal)


def assert_linked(harness: Harness, deal: str) -> None:
    referral, record = harness.referral_of(deal), harness.opportunity(deal)
    assert record["Referral_Identifier__c"] == referral["id"]
    assert record["Referral_Link__c"].endswith(referral["id"])
    assert record["Sync_Status__c"] == "Synced"
    pointer = harness.store.pointer(referral["id"])
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    lines = harness.count_in_audit(deal, "referral was created") + harness.count_in_audit(
        deal, "linked to the referral"
    )
    assert lines == 1, harness.audit_texts(deal)
    assert_agreed(harness, deal)


def assert_agreed(harness: Harness, deal: str) -> None:
    assert harness.differences(deal) == []
    assert harness.stored_link(deal).intent is None
    assert harness.retry_entries(Side.SALESFORCE) == []
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


# --- create


def edit_both_sides(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Amount=31000)
    for referral in harness.our_referrals():
        harness.colleague_edits(referral["id"], details_notes="A colleague was here.")


def assert_linked_with_edits(harness: Harness, deal: str) -> None:
    assert_linked(harness, deal)
    assert harness.referral_of(deal)["details"]["dealValue"] == 31000
    notes = harness.opportunity(deal)["Description"]
    assert "A colleague was here." in notes or notes == "First call went well."
    assert harness.count_in_audit(deal, "was changed on both sides") == 0


def deal_to_adopt(harness: Harness) -> str:
    harness.partner_center.switches.extra_paths = ("/name",)
    details = {"notes": "From the portal", "dealValue": 10000, "currency": "USD"}
    details["closingDateTime"] = "2026-12-31T00:00:00Z"
    referral = harness.partner_center.portal_creates({"name": "ERP renewal", "details": details})
    return harness.seller_creates(Referral_Identifier__c=referral, Description="From Salesforce")


def assert_adopted(harness: Harness, deal: str) -> None:
    assert len(harness.our_referrals()) == 1
    assert harness.stored_link(deal).referral_id == harness.our_referrals()[0]["id"]
    assert_reported_once(harness, deal, "was linked to")
    notes = harness.opportunity(deal)["Description"]
    assert notes.count("From the portal") == notes.count("From Salesforce") == 1
    assert_agreed(harness, deal)


# --- update


def edited_deal(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=27000, CloseDate="2027-04-01")
    return deal


def assert_updated(harness: Harness, deal: str) -> None:
    details = harness.referral_of(deal)["details"]
    assert (details["dealValue"], details["closingDateTime"]) == (27000, "2027-04-01T00:00:00Z")
    assert_reported_once(harness, deal, "10000.00 USD → 27000.00 USD", "2026-12-31 → 2027-04-01")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_agreed(harness, deal)


def seller_edits_again(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, Amount=28000)


def assert_updated_again(harness: Harness, deal: str) -> None:
    assert harness.referral_of(deal)["details"]["dealValue"] == harness.opportunity(deal)["Amount"] == 28000
    assert harness.count_in_audit(deal, "was changed on both sides") == 0
    assert_agreed(harness, deal)


def conflicting_deal(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=27000, CloseDate="2027-04-01")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=29000, details_notes="The whole fleet.")
    return deal


def assert_nothing_lost(harness: Harness, deal: str) -> None:
    record, details = harness.opportunity(deal), harness.referral_of(deal)["details"]
    assert (record["Amount"], details["dealValue"], record["CloseDate"]) == (27000, 27000, "2027-04-01")
    assert record["Description"] == "The whole fleet."
    assert "29000.00 USD" in "\n".join(harness.audit_texts(deal))
    assert_agreed(harness, deal)


def deal_with_refused_amount(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=-5, CloseDate="2027-04-01")
    return deal


def assert_parked(harness: Harness, deal: str) -> None:
    details = harness.referral_of(deal)["details"]
    assert (details["dealValue"], details["closingDateTime"]) == (10000, "2027-04-01T00:00:00Z")
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["Sync_Status__c"]) == (
        -5,
        "Failed",
    )
    assert_reported_once(harness, deal, "2026-12-31 → 2027-04-01", "above 0")
    assert harness.stored_link(deal).intent is None


def won_deal(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    return deal


def push_until_close_is_due(instance: Instance) -> None:
    instance.push()
    instance.push(after=150.0)


def assert_closed(harness: Harness, deal: str) -> None:
    assert (harness.referral_of(deal)["status"], harness.referral_of(deal)["substatus"]) == ("Closed", "Won")
    assert (harness.opportunity(deal)["StageName"], harness.opportunity(deal)["Sync_Status__c"]) == (
        "Closed Won",
        "Synced",
    )
    assert_reported_once(harness, deal, "To Partner Center: Stage")
    assert_agreed(harness, deal)


def take_back_win(harness: Harness, deal: str) -> None:
    if harness.referral_of(deal)["status"] == "Active":
        harness.seller_edits(deal, StageName="Qualification")


def assert_closed_or_open(harness: Harness, deal: str) -> None:
    assert harness.opportunity(deal)["StageName"] == ("Qualification" if is_still_open(harness, deal) else "Closed Won")
    assert_agreed(harness, deal)


def is_still_open(harness: Harness, deal: str) -> bool:
    return bool(harness.referral_of(deal)["status"] == "Active")


# --- held


def incomplete_deal(harness: Harness) -> str:
    return harness.seller_creates(AccountId=harness.account_id("Tailspin Toys", None), Amount=None)


def assert_held(harness: Harness, deal: str) -> None:
    assert harness.our_referrals() == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert_reported_once(harness, deal, "no Billing Country", "Amount or its currency")
    assert harness.stored_link(deal).intent is None


def completed_deal(harness: Harness) -> str:
    deal = harness.seller_creates(Amount=None)
    harness.push_until_quiet()
    harness.seller_edits(deal, Amount=31000)
    return deal


def refused_deal(harness: Harness) -> str:
    return harness.seller_creates(Amount=-5)


def assert_refused_once(harness: Harness, deal: str) -> None:
    assert harness.our_referrals() == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert_reported_once(harness, deal, "above 0")


PUSH_SCENARIOS = {
    "a create": PushScenario(Harness.seller_creates, assert_linked),
    "a create and edits": PushScenario(Harness.seller_creates, assert_linked_with_edits, meanwhile=edit_both_sides),
    "an adoption": PushScenario(deal_to_adopt, assert_adopted),
    "a refused create": PushScenario(refused_deal, assert_refused_once),
    "an update": PushScenario(edited_deal, assert_updated),
    "an update and another": PushScenario(edited_deal, assert_updated_again, meanwhile=seller_edits_again),
    "an update in conflict": PushScenario(conflicting_deal, assert_nothing_lost),
    "an update with a refused value": PushScenario(deal_with_refused_amount, assert_parked),
    "a win": PushScenario(won_deal, assert_closed, push_until_close_is_due),
    "a win taken back": PushScenario(won_deal, assert_closed_or_open, push_until_close_is_due, take_back_win),
    "a held deal": PushScenario(incomplete_deal, assert_held),
    "a completed deal": PushScenario(completed_deal, assert_linked),
}


def unticked_during_a_run(harness: Harness, **edits: object) -> str:
    """A deal with an edit of each side, whose tick is removed while the push writes to Salesforce, with other edits."""
    deal = harness.shared_deal()
    harness.advance_time(2 * MINUTE)
    harness.seller_edits(deal, Amount=777)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-03-03T00:00:00Z")
    harness.advance_time(2 * MINUTE)
    harness.forget_calls()

    def untick() -> None:
        harness.advance_time(5.0)
        harness.seller_edits(deal, **{**edits, TICK: False})

    harness.first.process.interrupt_at("salesforce.update_unmodified", untick)
    harness.push()
    return deal
