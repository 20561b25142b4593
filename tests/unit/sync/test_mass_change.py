"""Unusually many changes of one kind stop and wait for an operator (docs/protocol.md#the-mass-change-stop)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link_states import Mark, State
from shared.operations.stopped_changes import approve_stops, find_stops
from shared.sync.ports import Policy
from tests.unit.sync.crash_points import crash_instance_at, crash_points, fail
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of

LIMIT = 3
POLICY = Policy(hold_win=timedelta(), mass_change_limit=LIMIT)
RAISED = Policy(hold_win=timedelta(), mass_change_limit=1000)
A_DAY = 86_400.0
NEW_REFERRALS, CLOSES = "creation|partner_center", "closure|partner_center"
STOPPED = "mass_change_stopped"


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness(policy=POLICY) as harness:
        yield harness


def shared_deals(harness: Harness, count: int) -> list[str]:
    """Deals that were created under a raised limit, and have nothing left to do."""
    made = len(harness.our_referrals())  # two deals with one name and amount would be clones
    numbers = range(made, made + count)
    deals = [harness.seller_creates(Name=f"Deal {number}", Amount=1000 + number) for number in numbers]
    for _ in range(3):
        harness.new_instance(RAISED).push()
    return deals


def stops(harness: Harness) -> list[dict[str, object]]:
    return [fields for name, fields in harness.first.log.events if name == STOPPED]


def approve(harness: Harness, name: str, number: int) -> None:
    harness.store.approve_changes(name, number, harness.now())


def test_ticked_opportunities_beyond_the_limit_wait_and_say_so_once(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(8)]
    harness.push()
    assert len(harness.our_referrals()) == LIMIT
    waiting = [deal for deal in deals if harness.opportunity(deal)["Sync_Status__c"] == "Waiting"]
    assert len(waiting) == 8 - LIMIT
    (stop,) = stops(harness)
    assert (stop["kind"], stop["side"], stop["count"], stop["limit"]) == ("creation", "partner_center", 5, LIMIT)
    assert set(waiting) == set(stop["examples"])  # type: ignore[call-overload]  # a list of ids
    for _ in range(3):
        harness.push(HOUR)
    assert [harness.count_in_audit(deal, "unusually many deals were ticked") for deal in waiting] == [1] * 5
    assert {entry.cause for entry in harness.retry_entries(Side.SALESFORCE)} == {"mass_change"}


def test_a_new_day_releases_nothing_that_waits_but_an_approval_does_up_to_its_number(harness: Harness) -> None:
    for number in range(8):
        harness.seller_creates(Name=f"Deal {number}")
    harness.push()
    harness.push(A_DAY)
    harness.push(A_DAY)
    assert len(harness.our_referrals()) == LIMIT
    approve(harness, NEW_REFERRALS, 2)
    harness.push(HOUR)
    assert len(harness.our_referrals()) == LIMIT + 2 + LIMIT, "what was approved, and the allowance of the new day"
    harness.run_rounds()
    assert len(harness.our_referrals()) == 8


def test_a_stop_ends_once_nobody_wants_what_waits(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(8)]
    harness.push()
    for deal in deals:
        if not harness.opportunity(deal)["Referral_Identifier__c"]:
            harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push(HOUR)
    later = harness.seller_creates(Name="Another day")
    harness.push(A_DAY)
    assert harness.retry_entries(Side.SALESFORCE) == []
    assert harness.referral_of(later)
    assert len(harness.our_referrals()) == LIMIT + 1


def test_a_stop_of_new_deals_ends_once_they_are_deleted(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(5)]
    harness.push()
    for deal in deals:
        if harness.opportunity(deal)["Sync_Status__c"] == "Waiting":
            harness.salesforce.delete("Opportunity", deal)
    for _ in range(6):
        harness.push()
    harness.push(A_DAY)
    harness.seller_creates(Name="The only new one")
    harness.push()
    assert len(harness.our_referrals()) == LIMIT + 1


def test_a_stop_outlasts_an_outage_and_a_new_day(harness: Harness) -> None:
    """The pairs that wait are due for another cause then. So it is their links that say what is awaited."""
    for number in range(8):
        harness.seller_creates(Name=f"Deal {number}")
    harness.push()
    worker = harness.new_instance()
    worker.process.interrupt_at("salesforce.opportunities", fail)
    worker.push(A_DAY)
    assert {entry.cause for entry in harness.retry_entries(Side.SALESFORCE)} == {"Unavailable"}
    late = harness.seller_creates(Name="Another day")
    harness.push()
    harness.push(HOUR)
    assert len(harness.our_referrals()) == LIMIT
    assert not harness.opportunity(late)["Referral_Identifier__c"]


def test_a_stop_of_arriving_deals_outlasts_an_outage_and_a_new_day(harness: Harness) -> None:
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(8)]
    harness.sweep()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, times=1000, status=503))
    harness.push(A_DAY)
    harness.clear_faults()
    assert "mass_change" not in {entry.cause for entry in harness.retry_entries(Side.PARTNER_CENTER)}
    harness.push(HOUR)
    harness.push(HOUR)
    assert sum(bool(opportunities_of(harness, referral)) for referral in referrals) == LIMIT


def test_mass_closed_deals_stop_at_the_limit_and_every_other_edit_travels(harness: Harness) -> None:
    deals = shared_deals(harness, 8)
    for deal in deals:
        harness.seller_edits(deal, StageName="Closed Won", Amount=50_000 + deals.index(deal))
    for _ in range(4):
        harness.push(MINUTE * 2)
    closed = [deal for deal in deals if harness.referral_of(deal)["status"] == "Closed"]
    assert len(closed) == LIMIT
    assert all(harness.referral_of(deal)["details"]["dealValue"] == 50_000 + deals.index(deal) for deal in deals)
    open_ones = [deal for deal in deals if deal not in closed]
    assert {harness.stored_link(deal).due_mark for deal in open_ones} == {Mark.WAITING}
    assert [harness.count_in_audit(deal, "unusually many deals have changed") for deal in open_ones] == [1] * 5
    approve(harness, CLOSES, 5)
    harness.push(HOUR)
    assert all(harness.referral_of(deal)["status"] == "Closed" for deal in deals)


def test_a_close_that_was_stopped_and_taken_back_is_forgotten(harness: Harness) -> None:
    deals = shared_deals(harness, 5)
    for deal in deals:
        harness.seller_edits(deal, StageName="Closed Won")
    for _ in range(3):
        harness.push(MINUTE * 2)
    for deal in deals:
        if harness.referral_of(deal)["status"] != "Closed":
            harness.seller_edits(deal, StageName="Qualification")
    harness.push()
    harness.push()
    assert harness.retry_entries(Side.SALESFORCE) == []
    assert {harness.opportunity(deal)["Sync_Status__c"] for deal in deals} <= {"Synced", "Synced with differences"}


def test_where_an_answer_is_stopped_the_edits_that_go_with_it_stay_too(harness: Harness) -> None:
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(6)]
    harness.new_instance(RAISED).sweep()
    harness.new_instance(RAISED).push()
    deals = [opportunities_of(harness, referral)[0]["Id"] for referral in referrals]
    for number, deal in enumerate(deals):
        harness.seller_edits(deal, StageName="Prospecting", Amount=500 + number)
    for _ in range(3):
        harness.push(MINUTE * 2)
    unanswered = [one for one in map(harness.partner_center.referral, referrals) if one["status"] == "New"]
    assert [one["details"]["dealValue"] for one in unanswered] == [25_000] * 3
    states = [harness.stored_link(deal).state for deal in deals]
    assert (states.count(State.ON_HOLD), states.count(State.LIVE)) == (3, 3)
    approve(harness, next(name for name in harness.store.mass_counts() if "|status|" in name), 3)
    harness.push(HOUR)
    assert [harness.partner_center.referral(one)["details"]["dealValue"] for one in referrals] == [*range(500, 506)]


def test_a_stop_of_one_kind_does_not_keep_that_of_another(harness: Harness) -> None:
    deals = shared_deals(harness, 9)
    for deal in deals[:8]:
        harness.seller_edits(deal, StageName="Closed Won")
    for _ in range(3):
        harness.push(MINUTE * 2)
    for deal in deals[:8]:
        if harness.referral_of(deal)["status"] != "Closed":
            harness.seller_edits(deal, StageName="Qualification")
    for number in range(5):
        harness.seller_creates(Name=f"New {number}")
    harness.push()
    harness.push(A_DAY)
    harness.seller_edits(deals[8], StageName="Closed Won")
    harness.push()
    harness.push(HOUR)
    assert harness.referral_of(deals[8])["status"] == "Closed"


def test_one_date_on_many_deals_stops_and_different_values_do_not(harness: Harness) -> None:
    deals = shared_deals(harness, 8)
    for number, deal in enumerate(deals):
        harness.seller_edits(deal, CloseDate="2027-06-30", Description=f"Call {number}")
    harness.push()
    dates = [harness.referral_of(deal)["details"]["closingDateTime"][:10] for deal in deals]
    assert dates.count("2027-06-30") == LIMIT
    assert {harness.referral_of(deal)["details"]["notes"] for deal in deals} == {f"Call {one}" for one in range(8)}


def test_a_pull_of_a_stopped_deal_leaves_nothing_that_outlasts_the_approval(harness: Harness) -> None:
    """The pull reads the referral for another change; the push that is approved ends all that waits."""
    deals = shared_deals(harness, 8)
    for deal in deals:
        harness.seller_edits(deal, CloseDate="2027-06-30")
    harness.push()
    for number, deal in enumerate(deals):
        harness.colleague_edits(harness.referral_of(deal)["id"], details_notes=f"Call {number}")
    harness.sweep()
    harness.push()
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    waiting = [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)]
    assert waiting == ["mass_change"] * (len(deals) - LIMIT)
    approve_stops(harness.first.ctx, find_stops(harness.first.ctx), "local")
    harness.push()
    harness.push()
    dates = [harness.referral_of(deal)["details"]["closingDateTime"][:10] for deal in deals]
    assert dates == ["2027-06-30"] * len(deals)
    assert [entry for side in Side for entry in harness.retry_entries(side)] == []


def test_a_value_that_was_stopped_waits_in_another_process_too(harness: Harness) -> None:
    deals = shared_deals(harness, 8)
    for deal in deals:
        harness.seller_edits(deal, CloseDate="2027-06-30")
    harness.push()
    one_more = shared_deals(harness, 1)[0]
    harness.seller_edits(one_more, CloseDate="2027-06-30")
    for _ in range(3):
        harness.push(HOUR)
        harness.new_instance().push(HOUR)
    dates = [harness.referral_of(deal)["details"]["closingDateTime"][:10] for deal in [*deals, one_more]]
    assert dates.count("2027-06-30") == LIMIT


def test_emptied_values_stop_in_both_directions(harness: Harness) -> None:
    deals = shared_deals(harness, 5)
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_notes=None)
    harness.sweep()
    assert sum(harness.opportunity(deal)["Description"] is None for deal in deals) == LIMIT
    calls = harness.first.process.calls
    calls.clear()
    harness.sweep()
    assert "partner_center.get" not in calls, "a stopped value is known, so that a sweep does not read it again"
    approve(harness, "emptied|salesforce", 2)
    harness.push(HOUR)
    assert all(harness.opportunity(deal)["Description"] is None for deal in deals)


def test_arriving_deals_beyond_the_limit_wait(harness: Harness) -> None:
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(5)]
    harness.sweep()
    made = [referral for referral in referrals if opportunities_of(harness, referral)]
    assert len(made) == LIMIT
    harness.push(HOUR)
    assert stops(harness)[-1]["side"] == Side.SALESFORCE
    approve(harness, "creation|salesforce", 2)
    harness.push(HOUR)
    assert all(opportunities_of(harness, referral) for referral in referrals)


def test_a_create_that_fails_is_not_counted_again(harness: Harness) -> None:
    harness.seller_creates(Name="First")
    first = harness.new_instance()
    first.process.interrupt_at("partner_center.create", first.process.crash)
    assert first.crashes_during(lambda instance: instance.push())
    harness.run_rounds()
    for number in range(2):
        harness.seller_creates(Name=f"Deal {number}")
    harness.push(MINUTE)
    assert len(harness.our_referrals()) == LIMIT
    assert stops(harness) == []


def test_two_instances_together_make_no_more_than_the_limit(harness: Harness) -> None:
    for number in range(8):
        harness.seller_creates(Name=f"Deal {number}")
    first, second = harness.new_instance(), harness.new_instance()
    first.process.interrupt_at("store.let_changes_go", lambda: second.push(0.0))
    first.push()
    second.push(HOUR)
    assert len(harness.our_referrals()) == LIMIT


def colleague_edits_notes(harness: Harness, referrals: list[str]) -> None:
    for referral in referrals:
        harness.colleague_edits(referral, details_notes="Later")


def test_a_stopped_close_does_not_escape_when_a_colleague_was_faster(harness: Harness) -> None:
    deals = shared_deals(harness, 5)
    for deal in deals:
        harness.seller_edits(deal, StageName="Closed Won", Amount=70_000)
    harness.push()
    worker = harness.new_instance()
    edited = [harness.referral_of(deal)["id"] for deal in deals]
    worker.process.interrupt_at("partner_center.patch", lambda: colleague_edits_notes(harness, edited))
    worker.push(MINUTE * 3)
    worker.push(MINUTE * 3)
    assert sum(harness.referral_of(deal)["status"] == "Closed" for deal in deals) == LIMIT


@pytest.mark.slow
def test_a_crash_at_any_call_makes_no_more_than_the_limit() -> None:
    def arrange(harness: Harness) -> None:
        for number in range(LIMIT + 2):
            harness.seller_creates(Name=f"Deal {number}")

    points, _ = crash_points(arrange, lambda instance: instance.push(), lambda: Harness(policy=POLICY))
    for point in points:
        with Harness(policy=POLICY) as harness:
            arrange(harness)
            worker = harness.new_instance()
            crash_instance_at(worker, point)
            assert worker.crashes_during(lambda instance: instance.push())
            harness.run_rounds(6)
            assert len(harness.our_referrals()) <= LIMIT, point
