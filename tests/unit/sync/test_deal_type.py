"""A seller makes a deal partner-led, and cannot make it private again (docs/protocol.md#the-type-of-a-deal)."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet

VISIBLE = "Visible_to_Microsoft__c"
WAITING = "This deal will be created in Partner Center at"


def is_visible(harness: Harness, deal: str) -> bool:
    return bool(harness.referral_of(deal)["consent"]["consentToShareReferralWithMicrosoftSellers"])


def is_ticked(harness: Harness, deal: str) -> bool:
    return bool(harness.opportunity(deal)[VISIBLE])


def share(harness: Harness, deal: str) -> None:
    """Let the seller tick the field, and the two minutes pass."""
    harness.seller_edits(deal, **{VISIBLE: True})
    harness.push()
    harness.push(2 * MINUTE)


def test_a_new_partner_led_deal_waits_two_minutes_and_is_created_once(harness: Harness) -> None:
    deal = harness.seller_creates(**{VISIBLE: True})
    harness.push()
    assert (harness.our_referrals(), harness.opportunity(deal)["Sync_Status__c"]) == ([], "Waiting")
    assert harness.count_in_audit(deal, WAITING) == 1
    assert harness.new_calls()["salesforce.write_back"] == 1
    harness.push(MINUTE)
    assert (harness.our_referrals(), harness.new_calls()["salesforce.write_back"]) == ([], 0)
    harness.push(MINUTE)
    referral = harness.referral_of(deal)
    assert (referral["type"], is_visible(harness, deal)) == ("Shared", True)
    assert referral["target"] == [{"type": "SolutionProfile", "id": "SOL-10001"}]
    calls = harness.new_calls()
    assert (calls["partner_center.create"], calls["salesforce.write_back"]) == (1, 1)
    harness.push()
    assert (harness.opportunity(deal)["Sync_Status__c"], harness.differences(deal)) == ("Synced", [])
    assert_quiet(harness)


def test_a_seller_who_unticks_within_the_two_minutes_sends_a_private_deal(harness: Harness) -> None:
    deal = harness.seller_creates(**{VISIBLE: True})
    harness.push()
    harness.seller_edits(deal, **{VISIBLE: False})
    harness.push()
    assert (len(harness.our_referrals()), is_visible(harness, deal)) == (1, False)


def test_a_deal_that_leaves_the_sync_before_it_is_shared_waits_anew_when_it_is_ticked_again(harness: Harness) -> None:
    deal = harness.seller_creates(**{VISIBLE: True})
    harness.push()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push(10 * MINUTE)
    harness.push(10 * MINUTE)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push()
    assert harness.our_referrals() == []
    harness.push(2 * MINUTE)
    assert is_visible(harness, deal)


def test_a_private_deal_becomes_partner_led_after_two_minutes(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, **{VISIBLE: True}, Amount=12_000)
    harness.push()
    assert (is_visible(harness, deal), harness.referral_of(deal)["details"]["dealValue"]) == (False, 12_000)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    harness.push(2 * MINUTE)
    assert (is_visible(harness, deal), harness.opportunity(deal)["Sync_Status__c"]) == (True, "Synced")
    assert harness.count_in_audit(deal, "Visible to Microsoft sellers Private → Visible") == 1
    assert_quiet(harness)


def test_a_tick_that_is_taken_back_within_two_minutes_sends_nothing(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, **{VISIBLE: True})
    harness.push()
    harness.seller_edits(deal, **{VISIBLE: False})
    harness.run_rounds()
    assert (is_visible(harness, deal), harness.opportunity(deal)["Sync_Status__c"]) == (False, "Synced")


def test_a_deal_that_microsoft_has_seen_stays_visible_and_the_audit_says_why_once(harness: Harness) -> None:
    deal = harness.shared_deal()
    share(harness, deal)
    harness.seller_edits(deal, **{VISIBLE: False})
    harness.run_rounds()
    assert (is_visible(harness, deal), is_ticked(harness, deal)) == (True, False)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert harness.count_in_audit(deal, "that cannot be undone") == 1
    harness.seller_edits(deal, **{VISIBLE: True})
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_deal_that_a_colleague_shares_is_ticked(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], consent_consentToShareReferralWithMicrosoftSellers=True)
    harness.run_rounds(1)
    assert (is_ticked(harness, deal), harness.opportunity(deal)["Sync_Status__c"]) == (True, "Synced")
    assert harness.count_in_audit(deal, "Kept") == 0


def test_a_seller_and_a_colleague_who_share_a_deal_together_agree(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, **{VISIBLE: True})
    harness.colleague_edits(harness.referral_of(deal)["id"], consent_consentToShareReferralWithMicrosoftSellers=True)
    harness.run_rounds(2)
    assert (is_ticked(harness, deal), harness.opportunity(deal)["Sync_Status__c"]) == (True, "Synced")
    assert harness.retry_entries(Side.SALESFORCE) == []


@pytest.mark.parametrize("stage", ["Closed Won", "Closed Lost"])
def test_a_closed_deal_is_not_shared_any_more(harness: Harness, stage: str) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName=stage)
    harness.push()
    harness.push(2 * MINUTE)
    harness.seller_edits(deal, **{VISIBLE: True})
    harness.run_rounds()
    assert (is_visible(harness, deal), is_ticked(harness, deal)) == (False, True)
    assert harness.count_in_audit(deal, 'Visible to Microsoft sellers "Visible" was not sent') == 1


def test_a_visible_deal_of_microsoft_arrives_ticked(harness: Harness) -> None:
    harness.partner_center.microsoft_sends()
    harness.sweep()
    (deal,) = [record["Id"] for record in harness.salesforce.records("Opportunity")]
    assert is_ticked(harness, deal)


def test_a_lost_reply_to_the_create_of_a_visible_deal_makes_no_second_one(harness: Harness) -> None:
    deal = harness.seller_creates(**{VISIBLE: True})
    harness.push()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push(2 * MINUTE)
    harness.run_rounds()
    assert (is_visible(harness, deal), harness.differences(deal)) == (True, [])
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
