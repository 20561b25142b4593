"""A tick means that both sides agree. Whatever differs for good is named in the audit, under another mark."""

from collections.abc import Callable, Mapping

import pytest

from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet

SYNCED, DIFFERENCES, WAITING, FAILED = "Synced", "Synced with differences", "Waiting", "Failed"


def status(harness: Harness, deal: str) -> str:
    return str(harness.opportunity(deal)["Sync_Status__c"])


# --- a value of Partner Center that cannot be read


@pytest.mark.parametrize(
    ("unreadable", "sellers_edit", "sent", "reason"),
    [
        ({"/details/currency": "XXQ"}, {"Amount": 7}, "dealValue", "The currency XXQ is not an ISO 4217 code."),
        (
            {"/status": "Active", "/substatus": "Engaged"}, {"StageName": "Closed Won"}, "status",
            "The status Active/Engaged of Partner Center has no matching stage.",
        ),
    ],
    ids=["currency", "status"],
)  # fmt: skip
def test_a_value_of_partner_center_that_cannot_be_read_is_left_alone_and_told_once(
    harness: Harness, unreadable: Mapping[str, object], sellers_edit: Mapping[str, object], sent: str, reason: str
) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.partner_center.raw_patch(referral, unreadable)
    harness.run_rounds()
    before = harness.opportunity(deal)
    assert status(harness, deal) == DIFFERENCES
    assert harness.count_in_audit(deal, f"cannot be read, so it is left alone on both sides. {reason}") == 1

    harness.seller_edits(deal, **sellers_edit)
    harness.run_rounds()
    raw = harness.referral_of(deal)
    assert {**raw, **raw["details"]}[sent] == {"dealValue": 10000, "status": "Active"}[sent], "nothing was sent over it"
    assert harness.count_in_audit(deal, "was not sent, because its value in Partner Center cannot be read.") == 1
    assert status(harness, deal) == DIFFERENCES
    harness.seller_edits(deal, **{name: before[name] for name in sellers_edit})
    harness.run_rounds()
    assert_quiet(harness)


def test_other_values_travel_beside_one_that_cannot_be_read(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.partner_center.raw_patch(harness.referral_of(deal)["id"], {"/details/currency": "XXQ"})
    harness.sweep()
    harness.seller_edits(deal, CloseDate="2027-02-01")
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["closingDateTime"].startswith("2027-02-01")


def test_a_value_that_can_be_read_again_is_synced_with_a_tick(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.partner_center.raw_patch(referral, {"/details/currency": "XXQ"})
    harness.run_rounds()
    harness.partner_center.raw_patch(referral, {"/details/currency": "USD"})
    harness.colleague_edits(referral, details_dealValue=900)
    harness.run_rounds()
    assert (harness.opportunity(deal)["Amount"], status(harness, deal)) == (900, SYNCED)


# --- values that travel only when the deal is created


def seller_changes_customer(harness: Harness, deal: str) -> None:
    harness.seller_edits(deal, AccountId=harness.account_id("Fabrikam"))


CHANGES: Mapping[Callable[[Harness, str], None], tuple[str, Mapping[str, object]]] = {
    seller_changes_customer: ('Account Name "Fabrikam (US)"', {}),
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_later_edit_of_a_value_that_travels_only_at_creation_is_told_and_has_no_tick(
    harness: Harness, change: Callable[[Harness, str], None]
) -> None:
    deal = harness.shared_deal()
    change(harness, deal)
    harness.run_rounds()
    sentence, back = CHANGES[change]
    assert harness.count_in_audit(deal, f"{sentence} was not carried over: it travels only at creation.") == 1
    assert status(harness, deal) == DIFFERENCES
    assert_quiet(harness)
    harness.seller_edits(deal, **(back or {"AccountId": harness.account_id()}))
    harness.run_rounds()
    assert status(harness, deal) == SYNCED


def test_a_linked_opportunity_with_another_name_has_no_tick(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    other = harness.seller_creates(Name="Another name", Sync_with_Partner_Center__c=False)
    harness.seller_edits(deal, Referral_Identifier__c=None, Sync_with_Partner_Center__c=False)
    entry, pointer = harness.store.link(deal), harness.store.pointer(referral)
    assert entry
    assert pointer
    harness.store.delete_link(entry)
    harness.store.delete_pointer(referral, pointer)
    harness.seller_edits(other, Referral_Identifier__c=referral, Sync_with_Partner_Center__c=True)
    harness.run_rounds()
    assert harness.count_in_audit(other, 'Opportunity Name "Another name" was not sent') == 1
    assert status(harness, other) == DIFFERENCES


def test_solutions_that_do_not_fit_have_no_tick_for_good(harness: Harness) -> None:
    tags = [{"id": f"SOL-{number:06d}", "type": "Name"} for number in range(50)]
    _, deal = arrived_deal(harness, details={"requirements": {"solutions": tags}})
    harness.run_rounds()
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    assert (harness.count_in_audit(deal, "of 50 solutions"), status(harness, deal)) == (1, DIFFERENCES)


def test_a_text_that_is_cut_has_no_tick(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="n" * 33_000)
    harness.run_rounds()
    assert status(harness, deal) == DIFFERENCES


# --- a deal that is final


@pytest.mark.parametrize("edit", [{"Amount": 7}, {"StageName": "Negotiation/Review"}], ids=["edit", "reopened"])
def test_an_edit_after_the_end_is_told_and_has_no_tick(harness: Harness, edit: Mapping[str, object]) -> None:
    deal = harness.shared_deal(StageName="Closed Won")
    harness.advance_time(HOUR)
    harness.run_rounds()
    assert status(harness, deal) == SYNCED
    harness.seller_edits(deal, **edit)
    harness.run_rounds()
    assert harness.count_in_audit(deal, "was not sent: the deal is closed in Partner Center") == 1
    assert status(harness, deal) == DIFFERENCES


# --- a deal for which something is awaited


def test_an_unanswered_deal_waits(harness: Harness) -> None:
    assert status(harness, arrived_deal(harness)[1]) == WAITING


def test_a_close_waits_for_its_two_minutes(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    assert status(harness, deal) == WAITING
    harness.run_rounds()
    assert status(harness, deal) == SYNCED
