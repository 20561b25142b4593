"""The compare finds duplicates, and what neither an event nor a poll has told (docs/protocol.md#the-daily-compare)."""

import pytest

from shared.domain.compared import Finding, FindingKind
from shared.domain.deal import Side
from shared.domain.leads import Leads
from shared.domain.link_states import State
from tests.unit.sync.compared_deals import (
    change_link,
    compare_daily,
    found,
    hide_while,
    kinds,
    let_settle,
    linked_deals,
)
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.heard_deals import STATUS, accept, asked_deal, heard_deal
from tests.unit.sync.helped_deals import VISIBLE, microsofts_records
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunity_of
from tests.unit.sync.lead_deals import customer_asks
from tests.unit.sync.polled_deals import push_often


def second_referral(harness: Harness, deal: str) -> str:
    """Another referral of ours that names the opportunity of a deal, as after a create that was repeated."""
    body = {"name": "ERP renewal", "externalReferenceId": harness.scope.reference(deal)}
    return harness.partner_center.portal_creates(body)


def test_two_open_referrals_that_name_one_opportunity_are_found_until_one_is_closed(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    linked = harness.stored_link(deal).referral_id
    double = second_referral(harness, deal)
    let_settle(harness)
    assert found(harness) == [Finding(FindingKind.TWO_REFERRALS, deal, double, other=linked)]
    worker = harness.new_instance()
    compare_daily(worker)
    worker.push()
    assert harness.count_in_audit(deal, f"second open referral for this opportunity, {double}") == 1
    assert harness.stored_link(deal).referral_id == linked, "only a person knows which of them to keep"
    assert [one.kind for one in found(harness)] == [FindingKind.TWO_REFERRALS]
    harness.colleague_edits(double, status="Closed", substatus="Error", statusReason="Duplicate")
    assert found(harness) == []


def test_two_links_to_one_referral_are_found(harness: Harness) -> None:
    first, second = linked_deals(harness, 2)
    shared = harness.stored_link(first).referral_id
    change_link(harness, second, referral_id=shared)
    doubles = [one for one in found(harness) if one.kind is FindingKind.TWO_LINKS]
    assert doubles == [Finding(FindingKind.TWO_LINKS, first, shared, other=second)]


def test_an_opportunity_that_carries_the_id_of_anothers_referral_is_found(harness: Harness) -> None:
    first, second = linked_deals(harness, 2)
    shared = harness.stored_link(first).referral_id
    harness.salesforce.org.put("Opportunity", second, {**harness.opportunity(second), "Referral_Identifier__c": shared})
    doubles = [one for one in found(harness) if one.kind is FindingKind.TWO_OPPORTUNITIES]
    assert doubles == [Finding(FindingKind.TWO_OPPORTUNITIES, second, shared, other=first)]


# --- what nobody has heard


@pytest.mark.parametrize("lists", ["all", "engagement", "never"])
def test_an_answer_of_microsoft_whose_event_was_lost_is_heard(harness: Harness, lists: str) -> None:
    deal = heard_deal(harness)
    harness.partner_center.switches.related_lists = lists
    let_settle(harness)
    accept(harness, deal)
    harness.store.move_cursor("sweep", harness.now())
    worker = harness.new_instance()
    compare_daily(worker)
    assert [event["kind"] for event in worker.log.fields_of("compare_found")] == [FindingKind.NEWS]
    worker.push()
    assert harness.opportunity(deal)[STATUS] == "Accepted"
    worker.push(MINUTE)
    compare_daily(worker)
    assert worker.log.fields_of("compare_done")[-1]["news"] == 0


def test_a_request_of_a_colleague_whose_event_was_lost_is_heard(harness: Harness) -> None:
    harness.partner_center.switches.related_lists = "engagement"
    deal = asked_deal(harness)
    let_settle(harness)
    assert (harness.opportunity(deal)[STATUS], harness.stored_link(deal).microsoft) == (None, None)
    assert harness.opportunity(deal)[VISIBLE], "our own referral was pulled"
    worker = harness.new_instance()
    compare_daily(worker)
    worker.push()
    assert harness.opportunity(deal)[STATUS] == "Asked"


def test_news_of_the_last_hour_may_be_under_way_and_is_not_told(harness: Harness) -> None:
    deal, referral = heard_deal(harness), microsoft_sends_deal(harness)
    let_settle(harness)
    harness.pull_event(arrives := microsoft_sends_deal(harness))
    accept(harness, deal)
    harness.push()
    assert opportunity_of(harness, referral)
    assert opportunity_of(harness, arrives)
    assert found(harness) == []
    harness.advance_time(HOUR)
    assert [(one.kind, one.opportunity_id) for one in found(harness) if one.opportunity_id == deal] == [
        (FindingKind.NEWS, deal)
    ]


def test_news_of_a_closed_or_unticked_deal_is_not_looked_for(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    let_settle(harness)
    accept(harness, deal)
    assert found(harness) == []
    assert len(microsofts_records(harness)) == 1


def test_a_deal_of_microsofts_that_event_and_sweep_missed_arrives(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.advance_time(2 * HOUR)
    harness.store.move_cursor("sweep", harness.now())
    assert found(harness) == [Finding(FindingKind.UNLINKED_REFERRAL, None, referral)]
    assert harness.all_retry_entries(Side.PARTNER_CENTER) == [], "the command queues nothing unless it is to repair"
    worker = harness.new_instance()
    compare_daily(worker, after=HOUR)
    worker.push()
    assert opportunity_of(harness, referral)["Sync_with_Partner_Center__c"]


def test_an_opportunity_that_no_push_saw_is_sent(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.advance_time(2 * HOUR)
    harness.store.move_cursors({"opportunity": harness.now(), "account": harness.now()})
    assert kinds(harness) == [(FindingKind.UNLINKED_OPPORTUNITY, deal)]
    worker = harness.new_instance()
    compare_daily(worker, after=HOUR)
    worker.push()
    assert harness.stored_link(deal).referral_id == harness.referral_of(deal)["id"]


@pytest.mark.parametrize("amount", [10000, None], ids=["a run stopped", "it was held"])
def test_an_opportunity_that_was_hidden_before_it_was_sent_is_sent(harness: Harness, amount: int | None) -> None:
    """A lease that a stopped run left, and a hold whose look did not find the opportunity, are no reason to wait."""
    deal = harness.seller_creates(Amount=amount)
    harness.advance_time(MINUTE)
    worker = harness.new_instance()
    if amount:
        worker.process.interrupt_at("salesforce.opportunities", worker.process.crash, after=True)
    assert worker.crashes_during(lambda instance: instance.push()) == bool(amount)
    hide_while(harness, lambda: None if amount else harness.seller_edits(deal, Amount=31000))
    assert kinds(harness) == [(FindingKind.UNLINKED_OPPORTUNITY, deal)]
    compare_daily(harness.first)
    harness.push()
    assert harness.stored_link(deal).referral_id == harness.referral_of(deal)["id"]
    assert found(harness) == []


def test_a_held_deal_that_was_restored_is_looked_at_once_and_then_not_told_each_day(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=-5)
    harness.push(MINUTE)
    harness.salesforce.delete("Opportunity", deal)
    harness.push(MINUTE)
    push_often(harness)
    assert "deleted" in harness.stored_link(deal).stamps
    harness.salesforce.undelete("Opportunity", deal)
    harness.push(MINUTE)
    push_often(harness)
    assert harness.stored_link(deal).state is State.PARKED
    let_settle(harness)
    assert found(harness) == []


def test_what_makes_no_opportunity_is_not_told_each_day(harness: Harness) -> None:
    lead = customer_asks(harness)
    closed = microsoft_sends_deal(harness)
    harness.colleague_edits(closed, status="Closed", substatus="Declined", statusReason="Other")
    young = harness.seller_creates(Amount=None)
    harness.push_until_quiet()
    harness.advance_time(2 * HOUR)
    harness.store.move_cursor("sweep", harness.now())
    microsoft_sends_deal(harness)
    harness.forget_calls()
    assert harness.scope.leads is Leads.OFF
    assert found(harness) == [], (lead, closed, young)
    assert harness.new_calls()["partner_center.get"] == 0


def test_a_referral_from_before_the_beginning_is_left_alone(harness: Harness) -> None:
    harness.partner_center.portal_creates({"name": "Old"})
    harness.advance_time(2 * HOUR)
    scope = harness.first.ctx.scope
    assert scope.begin < harness.now()
    harness.scope = type(scope)(scope.organization_id, None, harness.now())
    assert found(harness) == []
