"""Partner Center's text may be longer than Salesforce's field. Salesforce gets what fits, and this is reported once.

A text that just fits is whole. Source: docs/protocol.md#the-narrower-side-judges-equality.
"""

from copy import replace

import pytest

from shared.domain.link import Difference
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

WARNING = "Description holds the first 32,000 characters of a longer text in Partner Center."
REPLACED = "Description was longer than 32,000 characters in Partner Center. All of that text was replaced."
LONG_NOTES = "A long story. " * 3000
FULL = "n" * 32_000


def status(harness: Harness, deal: str) -> str:
    return str(harness.opportunity(deal)["Sync_Status__c"])


def test_notes_that_a_colleague_makes_too_long_are_cut_and_reported_once(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_notes=LONG_NOTES)
    harness.pull_event(referral)
    harness.run_rounds()
    assert harness.opportunity(deal)["Description"] == LONG_NOTES[:32000].rstrip()
    assert harness.count_in_audit(deal, WARNING) == 1
    harness.seller_edits(deal, Amount=12345)
    harness.run_rounds()
    harness.colleague_edits(referral, details_dealValue=23456)
    harness.pull_event(referral)
    harness.run_rounds()
    assert (harness.count_in_audit(deal, WARNING), status(harness, deal)) == (1, "Synced with differences")
    assert harness.partner_center.referral(referral)["details"]["notes"] == LONG_NOTES
    assert_quiet(harness)


def test_an_edit_of_another_field_beside_cut_notes_needs_no_read(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes=LONG_NOTES)
    harness.run_rounds()
    harness.forget_calls()
    harness.seller_edits(deal, Amount=12345)
    harness.push()
    assert harness.new_calls()["partner_center.get"] == 0
    assert status(harness, deal) == "Synced with differences"


def test_notes_that_are_too_long_on_arrival_are_reported_once(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/notes": LONG_NOTES})
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.colleague_edits(referral, details_dealValue=23456)
    harness.pull_event(referral)
    harness.run_rounds()
    assert harness.count_in_audit(deal, WARNING) == 1
    assert_quiet(harness)


@pytest.mark.parametrize("length", [31_000, 31_995, 32_000])
def test_a_seller_who_fills_the_field_to_its_last_character_is_not_warned(harness: Harness, length: int) -> None:
    deal = harness.shared_deal(Description=FULL[:length])
    harness.seller_edits(deal, Amount=12345)
    harness.run_rounds()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=23456)
    harness.run_rounds()
    assert (harness.count_in_audit(deal, "longer text"), status(harness, deal)) == (0, "Synced")
    assert_quiet(harness)


def test_a_sellers_edit_of_cut_notes_says_that_it_replaced_the_whole_text(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes=LONG_NOTES)
    harness.run_rounds()
    harness.seller_edits(deal, Description="A short story.")
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["notes"] == "A short story."
    assert (harness.count_in_audit(deal, REPLACED), status(harness, deal)) == (1, "Synced")
    assert_quiet(harness)


def test_notes_that_a_colleague_shortens_end_the_difference(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_notes=FULL + "more")
    harness.run_rounds()
    assert status(harness, deal) == "Synced with differences"
    harness.colleague_edits(referral, details_notes=FULL)
    harness.run_rounds()
    assert (harness.count_in_audit(deal, WARNING), status(harness, deal)) == (1, "Synced")
    assert_quiet(harness)


@pytest.mark.parametrize("is_cut", [True, False])
def test_a_record_of_an_earlier_build_is_looked_at_rightly(harness: Harness, *, is_cut: bool) -> None:
    """Builds up to 0.6.0 judged by the length alone, told it, and put it on record."""
    deal = harness.shared_deal(Description=FULL)
    if is_cut:
        harness.partner_center.raw_patch(harness.referral_of(deal)["id"], {"/details/notes": FULL + "more"})
        harness.run_rounds()
    told, entry = harness.count_in_audit(deal, WARNING), harness.store.link(deal)
    assert entry
    record = {"salesforce.notes": Difference("0123456789abcdef", "full_text", harness.now())}
    old = replace(entry.value, refused=record, agreed=False, reported=("full:notes",), mark=None)
    harness.store.replace_link(entry, old)
    harness.seller_edits(deal, Amount=12345)
    harness.run_rounds()
    assert harness.count_in_audit(deal, WARNING) == told == int(is_cut)
    assert status(harness, deal) == ("Synced with differences" if is_cut else "Synced")
    assert_quiet(harness)
