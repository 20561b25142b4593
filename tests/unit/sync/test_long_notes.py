"""Notes that are longer in Partner Center than Salesforce's field: the rest is not shown, and that is said once."""

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

SAYS = "Notes is full (32,000 characters)"
LONG = "A long story. " * 3000


def test_a_colleague_who_writes_more_than_fits_has_it_told_once(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_notes=LONG)
    harness.event(referral)
    harness.run_rounds()
    assert harness.opportunity(deal)["Description"] == LONG[:32000].rstrip()
    assert harness.count_in_audit(deal, SAYS) == 1
    harness.seller_edits(deal, Amount=12345)
    harness.run_rounds()
    harness.colleague_edits(referral, details_dealValue=23456)
    harness.event(referral)
    harness.run_rounds()
    assert harness.count_in_audit(deal, SAYS) == 1
    assert harness.partner_center.referral(referral)["details"]["notes"] == LONG
    assert_quiet(harness)


def test_a_deal_that_arrives_with_more_than_fits_has_it_told_once(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/notes": LONG})
    harness.event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.colleague_edits(referral, details_dealValue=23456)
    harness.event(referral)
    harness.run_rounds()
    assert harness.count_in_audit(deal, SAYS) == 1
    assert_quiet(harness)


def test_notes_that_fit_are_not_spoken_of(harness: Harness) -> None:
    deal = harness.shared(Description=LONG[:31000].rstrip())
    harness.seller_edits(deal, Amount=12345)
    harness.run_rounds()
    assert harness.count_in_audit(deal, SAYS) == 0
