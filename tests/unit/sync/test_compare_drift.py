"""The compare finds values that differ though the link says agreed (docs/protocol.md#the-daily-compare)."""

from datetime import timedelta

import pytest

from shared.domain.compared import FieldDrift, FindingKind
from shared.domain.deal import Side
from shared.domain.link import Intent
from shared.domain.link_states import State
from shared.operations.forget_person import find_person, forget_person
from shared.operations.purge import purge_closed
from shared.sync.ports import Outcome, Policy, Result
from shared.sync.retry_queue import queue_pair
from tests.unit.sync.compared_deals import (
    DAY,
    amounts,
    believe_amount,
    change_link,
    compare_daily,
    found,
    hide_while,
    kinds,
    let_settle,
    linked_deals,
    miss_colleague_edit,
    repair,
)
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.helped_deals import add_contact
from tests.unit.sync.inbound_deals import add_flow, assert_quiet
from tests.unit.sync.people_of_deals import KIM, LEE, deal_with


def test_nothing_is_found_and_written_where_all_is_in_step(harness: Harness) -> None:
    linked_deals(harness, 3)
    before = harness.all_versions()
    assert found(harness, sample=3) == []
    assert harness.all_versions() == before
    assert harness.all_retry_entries(Side.PARTNER_CENTER) == []


@pytest.mark.parametrize(
    ("believed", "sample", "agreed"),
    [(29000, 0, 10000), (30000, 0, 10000), (10000, 5, 29000)],
    ids=["as Partner Center has it", "as nobody has it", "as Salesforce has it"],
)
def test_a_wrong_base_at_known_versions_is_found_and_repaired(
    harness: Harness, believed: int, sample: int, agreed: int
) -> None:
    """Where the base is what Salesforce holds, only a read of the referral shows it: the sample, in its turn."""
    (deal,) = linked_deals(harness, 1)
    miss_colleague_edit(harness, deal, 29000)
    believe_amount(harness, deal, believed)
    (finding,) = found(harness, sample=sample)
    assert (finding.kind, finding.opportunity_id) == (FindingKind.DRIFT, deal)
    assert finding.drift == (FieldDrift("money", "Amount", "10000.00 USD", "29000.00 USD"),)
    assert amounts(harness, deal) == (10000, 29000), "a compare writes nothing"
    repair(harness, sample=sample)
    assert amounts(harness, deal) == (agreed, agreed)
    assert harness.differences(deal) == []
    assert found(harness, sample=sample) == []
    assert_quiet(harness)


def test_an_edit_of_a_colleague_that_no_event_and_no_sweep_told_is_found_by_its_version(harness: Harness) -> None:
    deal, other = linked_deals(harness, 2)
    miss_colleague_edit(harness, deal, 29000)
    assert kinds(harness) == [(FindingKind.DRIFT, deal)]
    harness.forget_calls()
    repair(harness)
    assert amounts(harness, deal) == (29000, 29000)
    assert amounts(harness, other) == (10000, 10000)
    assert found(harness) == []


def test_a_linked_referral_is_compared_whatever_its_reference_says(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, externalReferenceId="STAGING:006AA0000010ZZZYAQ", details_dealValue=29000)
    harness.advance_time(2 * HOUR)
    assert kinds(harness) == [(FindingKind.DRIFT, deal)]


def test_an_edit_that_was_hidden_until_the_cursor_had_passed_is_found_and_sent(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    hide_while(harness, lambda: harness.seller_edits(deal, Amount=31000))
    assert kinds(harness) == [(FindingKind.UNREAD_OPPORTUNITY, deal)]
    compare_daily(harness.first)
    harness.push()
    assert amounts(harness, deal) == (31000, 31000)


def test_a_tick_that_was_hidden_until_the_cursor_had_passed_lets_the_deal_go_on(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    let_settle(harness)
    hide_while(harness, lambda: harness.seller_edits(deal, Sync_with_Partner_Center__c=True, Amount=31000))
    assert kinds(harness) == [(FindingKind.UNREAD_OPPORTUNITY, deal)]
    compare_daily(harness.first)
    harness.push()
    assert (amounts(harness, deal), harness.stored_link(deal).state) == ((31000, 31000), State.LIVE)


def test_an_edit_of_a_closed_deal_that_was_hidden_until_the_cursor_had_passed_is_told(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    harness.seller_edits(deal, StageName="Closed Won")
    let_settle(harness)
    assert (harness.stored_link(deal).state, found(harness)) == (State.CLOSED, [])
    hide_while(harness, lambda: harness.seller_edits(deal, Amount=31000))
    compare_daily(harness.first)
    harness.push()
    assert harness.count_in_audit(deal, 'Amount "31000.00 USD" was not sent') == 1
    assert found(harness) == []


def test_a_closed_deal_that_was_restored_while_it_was_hidden_is_found_and_tells_its_deletion(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    harness.seller_edits(deal, StageName="Closed Won")
    let_settle(harness)
    harness.salesforce.delete("Opportunity", deal)
    let_settle(harness)
    assert (harness.stored_link(deal).state, found(harness)) == (State.GONE, [])
    hide_while(harness, lambda: harness.salesforce.undelete("Opportunity", deal))
    compare_daily(harness.first)
    harness.push()
    assert harness.stored_link(deal).state is State.CLOSED
    assert harness.count_in_audit(deal, "This opportunity was deleted") == 1
    assert found(harness) == []


def test_a_removed_contact_role_leaves_no_record_and_is_found(harness: Harness) -> None:
    deal = harness.seller_creates()
    add_contact(harness, deal)
    let_settle(harness)
    (role,) = harness.salesforce.records("OpportunityContactRole")
    harness.salesforce.delete("OpportunityContactRole", role["Id"])
    harness.advance_time(2 * HOUR)
    harness.push()
    (finding,) = found(harness)
    assert [(one.field, one.salesforce) for one in finding.drift] == [("contacts", "empty")]
    repair(harness)
    assert harness.count_in_audit(deal, "Contact Roles") >= 1, "Partner Center takes no empty list, which is told"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert found(harness, sample=1) == []


def test_a_version_that_moved_without_a_value_is_no_drift(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    miss_colleague_edit(harness, deal, 10000)
    change_link(harness, deal, etag='"other"')
    assert found(harness) == []


def test_a_change_under_way_is_no_drift(harness: Harness) -> None:
    sold, bought, fresh = linked_deals(harness, 3)
    harness.seller_edits(sold, Amount=31000)
    harness.colleague_edits(harness.referral_of(bought)["id"], details_dealValue=29000)
    believe_amount(harness, fresh, 30000)
    harness.colleague_edits(harness.referral_of(fresh)["id"], details_notes="Just now")
    assert found(harness, sample=5) == []


@pytest.mark.parametrize("side", list(Side))
def test_a_pair_in_the_retry_queue_is_no_drift(harness: Harness, side: Side) -> None:
    (deal,) = linked_deals(harness, 1)
    miss_colleague_edit(harness, deal, 29000)
    key = deal if side is Side.SALESFORCE else harness.referral_of(deal)["id"]
    queue_pair(harness.first.ctx, side, key, Outcome(Result.RETRY, "busy"))
    assert found(harness, sample=1) == []


@pytest.mark.parametrize(("state", "queries"), [(State.CLOSED, 2), (State.HELD, 1)])
def test_a_link_that_is_not_kept_in_step_is_no_drift(harness: Harness, state: State, queries: int) -> None:
    """Only a closed one costs a call of Salesforce: an edit may have been made while it was hidden."""
    (deal,) = linked_deals(harness, 1)
    miss_colleague_edit(harness, deal, 29000)
    change_link(harness, deal, state=state)
    assert found(harness, sample=1) == []
    calls = harness.new_calls()
    assert (calls["salesforce.query"], calls["partner_center.list"], calls["partner_center.get"]) == (queries, 1, 0)


def test_an_unticked_deal_is_no_drift(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False, Amount=31000)
    harness.advance_time(2 * HOUR)
    assert kinds(harness, sample=1) == [(FindingKind.UNREAD_OPPORTUNITY, deal)]
    repair(harness)
    assert harness.stored_link(deal).state is State.PAUSED
    assert found(harness, sample=1) == []


def test_a_refused_value_is_on_file_and_no_drift(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    harness.seller_edits(deal, Amount=-5)
    harness.run_rounds()
    harness.advance_time(2 * HOUR)
    for entry in (each for side in Side for each in harness.all_retry_entries(side)):
        harness.store.remove_retry_entry(entry)
    assert harness.stored_link(deal).refused
    assert found(harness, sample=1) == []


def test_a_value_that_lost_to_one_that_salesforce_refuses_is_on_file(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    add_flow(harness, Amount=None)
    harness.seller_edits(deal, Amount=None)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=600)
    harness.run_rounds()
    harness.advance_time(2 * HOUR)
    assert harness.count_in_audit(deal, 'Amount "600.00 USD" was written, but Salesforce kept "empty"') == 1
    assert found(harness, sample=1) == []
    harness.clear_faults()
    harness.seller_edits(deal, Amount=700)
    harness.run_rounds(1)
    assert amounts(harness, deal) == (700, 700)


def test_a_field_that_a_new_mapping_brought_is_no_drift(harness: Harness) -> None:
    """It travels when either side changes (docs/protocol.md#a-changed-mapping)."""
    (deal,) = linked_deals(harness, 1)
    link = harness.stored_link(deal)
    harness.seller_edits(deal, Description="The seller's words")
    harness.advance_time(2 * HOUR)
    seen = {**link.stamps, "opportunity": harness.opportunity(deal)["LastModifiedDate"]}
    sources = {name: source for name, source in link.sources.items() if name != "notes"}
    change_link(harness, deal, mapping="of before", sources=sources, base=link.base.without("notes"), stamps=seen)
    assert found(harness, sample=1) == []
    believe_amount(harness, deal, 30000)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=29000)
    harness.advance_time(2 * HOUR)
    (finding,) = found(harness)
    assert [one.field for one in finding.drift] == ["money"]


def test_an_intent_to_which_nothing_returns_is_found_and_recovered(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    harness.seller_edits(deal, Amount=31000)
    crashed = harness.new_instance()
    crashed.process.interrupt_at("partner_center.patch", crashed.process.crash, after=True)
    assert crashed.crashes_during(lambda instance: instance.push())
    harness.advance_time(2 * HOUR)
    harness.store.move_cursors({name: harness.now() for name in harness.store.cursors()})
    assert kinds(harness) == [(FindingKind.INTERRUPTED, deal)]
    compare_daily(harness.first)
    harness.push()
    assert harness.stored_link(deal).intent is None
    assert amounts(harness, deal) == (31000, 31000)


@pytest.mark.parametrize("after", [False, True])
def test_a_held_deal_that_was_unticked_after_a_run_stopped_is_found_and_left_as_after_any_untick(
    harness: Harness, *, after: bool
) -> None:
    """No poll lists a deal without tick and referral. What it shows is what it shows where no run has stopped."""
    deal = harness.seller_creates(Amount=None)
    harness.advance_time(MINUTE)
    crashed = harness.new_instance()
    crashed.process.interrupt_at("salesforce.update", crashed.process.crash, after=after)
    assert crashed.crashes_during(lambda instance: instance.push())
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push(HOUR)
    harness.push(2 * HOUR)
    assert kinds(harness) == [(FindingKind.INTERRUPTED, deal)]
    shown = harness.opportunity(deal)
    compare_daily(harness.first)
    harness.push()
    assert harness.stored_link(deal).intent is None
    assert harness.opportunity(deal) == shown
    assert found(harness) == []
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True, Amount=31000)
    harness.push(HOUR)
    assert amounts(harness, deal) == (31000, 31000)


def test_a_lease_that_a_stopped_run_left_is_no_finding(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    change_link(harness, deal, intent=Intent())
    harness.advance_time(2 * HOUR)
    assert found(harness) == []


def test_an_edit_that_was_hidden_after_a_run_stopped_with_its_lease_is_found_and_sent(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    harness.seller_edits(deal, Amount=31000)
    crashed = harness.new_instance()
    crashed.process.interrupt_at("store.replace_link", crashed.process.crash, after=True)
    assert crashed.crashes_during(lambda instance: instance.push())
    hide_while(harness, lambda: None)
    assert harness.stored_link(deal).intent == Intent()
    assert kinds(harness) == [(FindingKind.UNREAD_OPPORTUNITY, deal)]
    compare_daily(harness.first)
    harness.push()
    assert amounts(harness, deal) == (31000, 31000)


def test_a_record_that_a_service_no_longer_shows_is_told(harness: Harness) -> None:
    deleted, hidden = linked_deals(harness, 2)
    harness.salesforce.delete("Opportunity", deleted)
    change_link(harness, hidden, referral_id="11111111-2222-3333-4444-555555555555")
    assert (FindingKind.OPPORTUNITY_MISSING, deleted) in kinds(harness, sample=5)
    assert (FindingKind.REFERRAL_MISSING, hidden) in kinds(harness, sample=5)


def test_values_that_were_forgotten_or_purged_are_no_drift(harness: Harness) -> None:
    forgotten, purged = deal_with(harness, KIM, LEE), deal_with(harness, KIM)
    harness.seller_edits(purged, StageName="Closed Won")
    harness.run_rounds()
    forget_person(harness.first.ctx, find_person(harness.store, KIM["Email"]))
    harness.advance_time(100 * DAY)
    purge_closed(harness.first.ctx, 90)
    assert harness.stored_link(forgotten).erased
    for entry in (each for side in Side for each in harness.all_retry_entries(side)):
        harness.store.remove_retry_entry(entry)
    assert found(harness, sample=5) == []
    believe_amount(harness, forgotten, 30000)
    miss_colleague_edit(harness, forgotten, 29000)
    assert [one.field for each in found(harness) for one in each.drift] == ["money"]


def test_what_the_mass_change_stop_holds_back_is_no_drift() -> None:
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=2)) as harness:
        raised = harness.new_instance(Policy(hold_win=timedelta()))
        deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(4)]
        for _ in range(3):
            raised.push()
        for deal in deals:
            harness.seller_edits(deal, StageName="Closed Won")
        for _ in range(3):
            harness.push(2 * MINUTE)
        held = [deal for deal in deals if harness.referral_of(deal)["status"] != "Closed"]
        assert len(held) == 2
        harness.advance_time(2 * HOUR)
        assert found(harness, sample=5) == [], "the retry queue has them"
        for entry in harness.all_retry_entries(Side.SALESFORCE):
            harness.store.remove_retry_entry(entry)
        assert found(harness, sample=5) == [], "and so has the link"
