"""Partner Center's notes may be longer than Salesforce's field. Salesforce gets what fits, and this is reported once.

Source: docs/protocol.md#the-narrower-side-judges-equality.
"""

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

WARNING = "Description is full (32,000 characters)"
LONG_NOTES = "A long story. " * 3000


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
    assert harness.count_in_audit(deal, WARNING) == 1
    assert harness.partner_center.referral(referral)["details"]["notes"] == LONG_NOTES
    assert_quiet(harness)


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


def test_notes_that_fit_are_not_reported(harness: Harness) -> None:
    deal = harness.shared_deal(Description=LONG_NOTES[:31000].rstrip())
    harness.seller_edits(deal, Amount=12345)
    harness.run_rounds()
    assert harness.count_in_audit(deal, WARNING) == 0
