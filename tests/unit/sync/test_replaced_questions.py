"""A stage that nobody has chosen yields to Partner Center's status (docs/protocol.md#answers-that-nobody-gave)."""

from emulators.salesforce.data.hooks import Flow
from tests.unit.sync.harness import AFTER_LEASE, MINUTE, Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet, microsoft_sends_deal, opportunity_of


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


def test_a_stage_that_automation_sets_again_after_it_was_replaced_is_asked_about(harness: Harness) -> None:
    """The run stops after it has replaced the stage, so it has asked nobody, and still knows the stage."""
    at_insert = {"CreatedById": harness.sign_in.user}
    harness.salesforce.org.hooks.flows.append(Flow("Opportunity", {"StageName": "Qualification"}, "insert", at_insert))
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Closed Won"}, user=harness.salesforce.automated)
    crashed = harness.new_instance()
    crashed.process.interrupt_at("salesforce.update_unmodified", crashed.process.crash, after=True)
    assert crashed.crashes_during(lambda instance: instance.push(MINUTE))
    assert harness.opportunity(deal)["StageName"] == "On Hold"
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Closed Won"}, user=harness.salesforce.automated)
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["status"] == "New"
    assert harness.count_in_audit(deal, "Stage Closed Won may be set by automation") == 1
    assert_quiet(harness)


def test_a_stage_of_automation_opens_no_field_that_waits_for_the_answer(harness: Harness) -> None:
    """Partner Center takes no new name: the one there would replace the seller's if the deal were accepted."""
    harness.seller_edits(harness.shared_deal(), Name="Fixed")
    harness.push()
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, name="Renamed there")
    harness.seller_edits(deal, Name="Renamed here")
    harness.salesforce.edit("Opportunity", deal, {"StageName": "Qualification"}, user=harness.salesforce.automated)
    harness.run_rounds()
    assert harness.opportunity(deal)["Name"] == "Renamed here"
    assert harness.count_in_audit(deal, 'Name "Renamed here" was not sent: the deal is not accepted yet') == 1
    assert_quiet(harness)
