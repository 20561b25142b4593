"""A stage that nobody has chosen yields to Partner Center's status (docs/protocol.md#answers-that-nobody-gave)."""

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet


def test_an_answer_in_partner_center_replaces_a_stage_of_automation_although_its_write_must_wait(
    harness: Harness,
) -> None:
    referral, deal = arrived_deal(harness)
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Closed Won"}, user=harness.salesforce.automated)
    harness.run_rounds()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.seller_edits(deal, Name="Renamed")  # a record that was just saved is not written
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["status"] == "Active"
    assert harness.opportunity(deal)["StageName"] == "Qualification"
    assert_quiet(harness)


def test_a_person_chooses_the_stage_that_was_replaced(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Closed Won"}, user=harness.salesforce.automated)
    harness.run_rounds()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.pull_event(referral)
    assert harness.opportunity(deal)["StageName"] == "Qualification"
    harness.seller_edits(deal, StageName="Closed Won")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["substatus"] == "Won"
    assert_quiet(harness)
