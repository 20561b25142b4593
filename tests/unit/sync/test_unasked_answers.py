"""A stage that no person has chosen is no answer to Microsoft (docs/protocol.md#answers-that-nobody-gave)."""

from collections.abc import Callable
from copy import replace
from dataclasses import dataclass

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.salesforce.data.hooks import Flow
from shared.domain.deal import Side
from shared.domain.question import is_question
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import (
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)

ASKED = "Stage {} may be set by automation. It was not sent"


def add_flow(harness: Harness, stage: str, **keys: object) -> None:
    """From now on, a flow of the org sets this stage in each save of an opportunity."""
    harness.salesforce.org.hooks.flows.append(Flow("Opportunity", {"StageName": stage}, **keys))  # type: ignore[arg-type]  # a test names the other fields of a flow


def status_of(harness: Harness, referral: str) -> tuple[str, str]:
    found = harness.partner_center.referral(referral)
    return found["status"], found["substatus"]


def automation_sets(harness: Harness, deal: str, **values: object) -> None:
    """A scheduled flow or a platform event changes the opportunity."""
    harness.salesforce.edit("Opportunity", deal, values, user=harness.salesforce.automated)


def touch_by_our_write(harness: Harness, deal: str, stage: str) -> None:
    """Our next write of the opportunity starts a flow that sets another stage."""
    add_flow(harness, stage, on="update", when={"LastModifiedById": harness.sign_in.user}, times=1)
    harness.colleague_edits(harness.stored_link(deal).referral_id or "", details_notes="A word from the portal.")
    harness.run_rounds(1)
    assert harness.opportunity(deal)["StageName"] == stage


@dataclass(frozen=True, slots=True)
class Automation:
    """Something that sets the stage of a deal without a person."""

    sets: Callable[[Harness, str, str], object]


AUTOMATIONS = {
    "a scheduled flow": Automation(lambda harness, deal, stage: automation_sets(harness, deal, StageName=stage)),
    "a flow at our write": Automation(touch_by_our_write),
}


@pytest.fixture(params=AUTOMATIONS)
def automation(request: pytest.FixtureRequest) -> Automation:
    return AUTOMATIONS[request.param]


# --- at the insert


@pytest.mark.parametrize("stage", ["Qualification", "Closed Won", "Closed Lost"])
def test_a_stage_that_a_flow_sets_at_the_insert_is_not_sent(harness: Harness, stage: str) -> None:
    add_flow(harness, stage, on="insert")
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.run_rounds(4)
    deal = opportunity_of(harness, referral)["Id"]
    assert status_of(harness, referral) == ("New", "Pending")
    assert (harness.opportunity(deal)["StageName"], harness.opportunity(deal)["Sync_Status__c"]) == (
        "On Hold",
        "Waiting",
    )
    assert_quiet(harness)


def test_the_seller_still_answers_a_deal_whose_stage_a_flow_set_at_the_insert(harness: Harness) -> None:
    add_flow(harness, "Qualification", on="insert")
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Prospecting")
    harness.run_rounds()
    assert status_of(harness, referral) == ("Active", "Accepted")
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_a_flow_that_allows_no_on_hold_stage_is_told_and_sends_nothing(harness: Harness) -> None:
    add_flow(harness, "Qualification", when={"StageName": "On Hold"})
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.run_rounds(4)
    deal = opportunity_of(harness, referral)["Id"]
    assert status_of(harness, referral) == ("New", "Pending")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(deal, 'Salesforce kept "Active/Accepted"') == 1
    assert harness.count_in_audit(deal, 'A Stage that means another status than "Active/Accepted" is sent') == 1
    assert harness.count_in_audit(deal, "please accept or decline the deal in Partner Center") == 1
    assert_quiet(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


@pytest.mark.parametrize("stage", ["Qualification", "Closed Lost"])
@pytest.mark.parametrize("is_lost", [True, False], ids=["the reply is lost", "the process stops"])
def test_a_stage_at_an_insert_that_nothing_was_read_back_of_is_a_question(
    harness: Harness, stage: str, *, is_lost: bool
) -> None:
    add_flow(harness, stage, on="insert")
    referral = microsoft_sends_deal(harness)
    if is_lost:
        harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
        harness.pull_event(referral)
    else:
        stopped = harness.new_instance()
        stopped.process.interrupt_at("salesforce.create", stopped.process.crash, after=True)
        assert stopped.crashes_during(lambda one: one.pull_event(referral))
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, CloseDate="2027-05-05")
    recover_after_lease(harness)
    assert status_of(harness, referral) == ("New", "Pending")
    record = harness.opportunity(deal)
    assert (record["StageName"], record["Sync_Status__c"]) == (stage, "Failed")
    assert harness.count_in_audit(deal, ASKED.format(stage)) == 1
    assert_quiet(harness)
    harness.seller_edits(deal, StageName="Prospecting")
    harness.run_rounds()
    assert status_of(harness, referral) == ("Active", "Accepted")
    assert harness.partner_center.referral(referral)["details"]["closingDateTime"][:10] == "2027-05-05"
    assert_quiet(harness)


def test_a_seller_who_answers_after_the_recovery_is_not_asked(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph"))
    harness.pull_event(referral)
    recover_after_lease(harness)
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    assert status_of(harness, referral) == ("Active", "Accepted")
    assert harness.count_in_audit(deal, "by automation") == 0
    assert_quiet(harness)


# --- later


def test_a_stage_that_automation_sets_later_is_a_question(harness: Harness, automation: Automation) -> None:
    referral, deal = arrived_deal(harness)
    automation.sets(harness, deal, "Qualification")
    harness.run_rounds(4)
    assert status_of(harness, referral) == ("New", "Pending")
    record = harness.opportunity(deal)
    assert (record["StageName"], record["Sync_Status__c"]) == ("Qualification", "Failed")
    assert harness.count_in_audit(deal, ASKED.format("Qualification")) == 1
    assert harness.count_in_audit(deal, "Any other Stage that you choose is sent as the answer.") == 1
    assert_quiet(harness)


def test_a_close_by_automation_is_a_question_too(harness: Harness, automation: Automation) -> None:
    deal = harness.shared_deal()
    automation.sets(harness, deal, "Closed Lost")
    harness.run_rounds(4)
    assert harness.referral_of(deal)["status"] == "Active"
    assert harness.count_in_audit(deal, ASKED.format("Closed Lost")) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert_quiet(harness)


def test_other_edits_travel_while_a_close_is_a_question(harness: Harness) -> None:
    deal = harness.shared_deal()
    automation_sets(harness, deal, StageName="Closed Lost")
    harness.run_rounds()
    harness.seller_edits(deal, Amount=12000)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="From the portal")
    harness.run_rounds()
    details = harness.referral_of(deal)["details"]
    assert (details["dealValue"], harness.opportunity(deal)["Description"]) == (12000, "From the portal")
    assert harness.referral_of(deal)["status"] == "Active"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(deal, ASKED.format("Closed Lost")) == 1
    assert_quiet(harness)


def test_a_person_answers_with_another_stage(harness: Harness, automation: Automation) -> None:
    referral, deal = arrived_deal(harness)
    automation.sets(harness, deal, "Qualification")
    harness.run_rounds()
    harness.seller_edits(deal, StageName="Prospecting")
    harness.run_rounds()
    assert status_of(harness, referral) == ("Active", "Accepted")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_a_person_answers_with_the_same_stage_after_another_one(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    automation_sets(harness, deal, StageName="Qualification")
    harness.run_rounds()
    harness.seller_edits(deal, StageName="On Hold")
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    assert status_of(harness, referral) == ("Active", "Accepted")
    assert_quiet(harness)


def test_an_edit_of_another_field_is_no_answer(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    automation_sets(harness, deal, StageName="Qualification")
    harness.run_rounds()
    harness.seller_edits(deal, Description="I only read the customer's mail.")
    harness.run_rounds()
    assert status_of(harness, referral) == ("New", "Pending")
    assert harness.count_in_audit(deal, ASKED.format("Qualification")) == 1
    assert_quiet(harness)


def test_an_answer_in_partner_center_settles_the_question(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    automation_sets(harness, deal, StageName="Qualification")
    harness.run_rounds()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_another_answer_in_partner_center_wins_over_the_question(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    automation_sets(harness, deal, StageName="Closed Won")
    harness.run_rounds()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    assert status_of(harness, referral) == ("Active", "Accepted")
    assert harness.opportunity(deal)["StageName"] == "Qualification"
    assert harness.differences(deal) == []
    assert_quiet(harness)


@pytest.mark.parametrize("is_known", [True, False], ids=["asked before", "found with the expiry"])
def test_an_expiry_discards_no_value_that_nobody_has_chosen(harness: Harness, *, is_known: bool) -> None:
    referral, deal = arrived_deal(harness)
    automation_sets(harness, deal, StageName="Qualification")
    if is_known:
        harness.run_rounds()
    harness.partner_center.raw_patch(referral, {"/status": "Closed", "/substatus": "Expired"})
    harness.run_rounds()
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.count_in_audit(deal, "both sides") == 0
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired") == 1
    assert_quiet(harness)


# --- a person's answer stays one


def test_a_sellers_answer_that_an_expiry_discards_stays_theirs_although_we_have_written_since(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.partner_center.raw_patch(referral, {"/status": "Closed", "/substatus": "Expired"})
    harness.refuse_writes_of("StageName")
    harness.run_rounds(1)
    assert harness.opportunity(deal)["LastModifiedById"] == harness.sign_in.user
    assert harness.count_in_audit(deal, 'Stage "Closed/Expired" was not carried over: Salesforce refused it') == 1
    assert harness.count_in_audit(deal, "Discarded: Active/Accepted") == 0, "the seller's stage still stands"
    link = harness.stored_link(deal)
    assert not is_question(link, harness.read_both_sides(deal)[0], harness.sign_in.user)


def test_a_close_that_waits_since_an_earlier_build_stays_the_sellers_answer(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    assert harness.opportunity(deal)["LastModifiedById"] == harness.sign_in.user
    entry = harness.store.link(deal)
    assert entry is not None
    assert entry.value.waiting
    assert entry.value.reported
    harness.store.replace_link(entry, replace(entry.value, reported=()))  # an earlier build kept no key of an answer
    harness.run_rounds()
    assert harness.referral_of(deal)["substatus"] == "Won"
    assert harness.count_in_audit(deal, "by automation") == 0
    assert_quiet(harness)


def test_a_close_that_waits_stays_the_sellers_answer_although_we_have_written_since(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    assert harness.opportunity(deal)["LastModifiedById"] == harness.sign_in.user
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=503))
    harness.run_rounds(8)
    assert harness.referral_of(deal)["substatus"] == "Won"
    assert harness.count_in_audit(deal, "by automation") == 0
    assert_quiet(harness)


def test_an_answer_that_partner_center_fails_to_take_stays_the_sellers(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification", Amount=31000)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="PATCH", times=2))
    harness.run_rounds(5)
    assert status_of(harness, referral) == ("Active", "Accepted")
    assert harness.count_in_audit(deal, "by automation") == 0
    assert_quiet(harness)


def test_the_stage_of_a_deal_that_automation_ticks_is_sent_with_it(harness: Harness) -> None:
    deal = harness.seller_creates(StageName="Closed Won", Sync_with_Partner_Center__c=False)
    automation_sets(harness, deal, Sync_with_Partner_Center__c=True)
    harness.run_rounds(5)
    assert harness.referral_of(deal)["substatus"] == "Won"
    assert_quiet(harness)


def test_a_stage_of_the_same_meaning_is_no_question(harness: Harness, automation: Automation) -> None:
    deal = harness.shared_deal()
    automation.sets(harness, deal, "Proposal/Price Quote")
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_asking_who_saved_costs_no_call(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.push()
    calls = harness.new_calls()
    assert (calls["salesforce.query"], calls["partner_center.patch"]) == (2, 1)
