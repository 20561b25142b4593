"""Events of a burst become retry entries, and the next push works them together (docs/protocol.md#bursts)."""

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.store.link_store import LinkStore
from shared.store.stored_values import EVENT
from shared.sync.ports import OPERATOR, PULL, WAITING, Outcome, Policy, Result, RetryEntry
from shared.sync.retry_queue import keep_retry_queue, queue_event
from tests.unit.sync.harness import HOUR, MINUTE, QUARTER, Harness
from tests.unit.sync.heard_deals import accept, heard_deal, microsofts
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunities_of, opportunity_of
from tests.unit.sync.row_operations import counted_instance

PULLED = Side.PARTNER_CENTER
GET, QUERY, CONDITIONAL = "partner_center.get", "salesforce.query", "salesforce.conditional"
A_DAY = 86_400.0
LIMIT = 3


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=1000)) as harness:
        yield harness


def linked_referrals(harness: Harness, count: int) -> list[str]:
    """The referrals of deals of which nothing is left to do."""
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(count)]
    harness.push_until_quiet()
    harness.push(HOUR)
    harness.forget_calls()
    return [harness.referral_of(deal)["id"] for deal in deals]


def burst(harness: Harness, referrals: list[str]) -> None:
    """The messages of a burst are taken from the queue, one after the other."""
    for referral in referrals:
        outcome = harness.first.pull_event(referral, 0.01, is_of_burst=True)
        assert outcome is not None


def queued(harness: Harness) -> dict[str, str]:
    return {entry.key: entry.cause for entry in harness.retry_entries(PULLED)}


def test_a_burst_costs_one_read_for_each_referral_and_full_composites(harness: Harness) -> None:
    referrals = linked_referrals(harness, 50)
    for referral in referrals:
        harness.colleague_edits(referral, details_dealValue=12000)
    burst(harness, referrals)
    assert harness.new_calls() == {}, "an event of a burst calls nobody"
    assert queued(harness) == dict.fromkeys(referrals, EVENT)
    harness.push()
    polls = 1
    assert harness.new_calls() == {GET: 50, QUERY: polls + 1, CONDITIONAL: ceil(50 / 24)}
    assert {record["Amount"] for record in harness.salesforce.records("Opportunity")} == {12000}
    assert queued(harness) == {}
    assert_quiet(harness)


def test_an_event_of_a_burst_costs_one_operation_of_the_store(harness: Harness) -> None:
    (referral,) = linked_referrals(harness, 1)
    instance, rows = counted_instance(harness)
    instance.pull_event(referral)
    rows.forget()
    instance.pull_event(microsoft_sends_deal(harness), 1.0, is_of_burst=True)
    assert rows.operations == {"write due": 1}


def test_events_of_our_own_writes_end_after_one_read_each(harness: Harness) -> None:
    referrals = linked_referrals(harness, 5)
    before = harness.all_versions()
    burst(harness, referrals)
    instance, rows = counted_instance(harness)
    instance.push()
    assert harness.new_calls() == {GET: 5, QUERY: 1}
    assert rows.operations.get("write O", 0) == 0, "no echo takes a lock"
    assert queued(harness) == {}
    assert harness.all_versions() == before


def test_a_burst_does_not_count_as_late_and_says_which_event_queued_what(harness: Harness) -> None:
    (referral,) = linked_referrals(harness, 1)
    burst(harness, [referral])
    entry = harness.only_retry_entry(PULLED)
    assert (entry.is_failure, entry.since, entry.attempts) == (False, None, 0)
    due = harness.first.log.fields_of("pair_due")[-1]
    assert (due["side"], due["key"], due["cause"], due["attempts"]) == (PULLED, referral, EVENT, 0)


def test_a_change_during_the_work_is_not_lost(harness: Harness) -> None:
    """Its event comes after the referral was read, and renews the entry: the run must not remove it."""
    (referral,) = linked_referrals(harness, 1)
    harness.colleague_edits(referral, details_dealValue=100)
    burst(harness, [referral])

    def change_again() -> None:
        harness.colleague_edits(referral, details_dealValue=200)
        other.pull_event(referral, 0.0, is_of_burst=True)

    other = harness.new_instance()
    harness.first.process.interrupt_at(GET, change_again, after=True)
    harness.push()
    assert opportunity_of(harness, referral)["Amount"] == 100
    assert queued(harness) == {referral: EVENT}
    harness.push()
    assert opportunity_of(harness, referral)["Amount"] == 200
    assert queued(harness) == {}


def test_what_holds_a_pair_does_not_hide_an_event_that_came_meanwhile(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    burst(harness, [referral])
    read = harness.only_retry_entry(PULLED)
    burst(harness, [referral])
    held = Outcome(Result.HELD, at=harness.now() + timedelta(hours=1))
    keep_retry_queue(harness.first.ctx, PULLED, {referral: held}, {referral: read})
    assert queued(harness) == {referral: EVENT}
    renewed = harness.only_retry_entry(PULLED)
    keep_retry_queue(harness.first.ctx, PULLED, {referral: held}, {referral: renewed})
    assert queued(harness) == {referral: "held"}


def test_an_entry_that_is_removed_in_between_is_written_anew(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    burst(harness, [referral])
    second, entry = LinkStore(harness.rows), harness.only_retry_entry(PULLED)
    harness.first.process.interrupt_at("store.retry_entry", lambda: second.remove_retry_entry(entry), after=True)
    burst(harness, [referral])
    assert queued(harness) == {referral: EVENT}


def test_an_entry_that_others_change_at_each_try_lets_the_event_be_applied_at_once(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    burst(harness, [referral])
    worker = harness.new_instance(Policy(tries=1))
    assert queue_event(worker.ctx, referral) is None
    worker.pull_event(referral, is_of_burst=True)
    assert opportunity_of(harness, referral)


@pytest.mark.parametrize("cause", [OPERATOR, WAITING, "held", "Unavailable"])
def test_another_entry_stays_and_the_event_is_applied_at_once(harness: Harness, cause: str) -> None:
    (referral,) = linked_referrals(harness, 1)
    known = RetryEntry(PULLED, referral, harness.now() + timedelta(hours=3), cause, 2, since=harness.now())
    harness.store.put_retry_entry(known)
    harness.colleague_edits(referral, details_dealValue=777)
    burst(harness, [referral])
    assert harness.new_calls() == {GET: 1, QUERY: 1, CONDITIONAL: 1}
    assert opportunity_of(harness, referral)["Amount"] == 777
    assert EVENT not in queued(harness).values()


def test_while_a_side_is_paused_an_event_waits_for_the_end_of_the_pause(harness: Harness) -> None:
    first, second = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    throttling = Fault(FaultKind.ANSWER, status=429, headers={"Retry-After": "900"}, body='{"statusCode": 429}')
    harness.inject_fault(PULLED, throttling)
    harness.pull_event(first)
    harness.first.pull_event(second, 6.0, is_of_burst=True)
    assert queued(harness)[second] == "side_paused"
    harness.push(QUARTER)
    harness.push(HOUR)
    assert opportunity_of(harness, first)
    assert opportunity_of(harness, second)


def test_while_the_pull_is_paused_an_event_leaves_nothing(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.store.pause_direction(PULL, harness.now(), "local")
    assert harness.first.pull_event(referral, is_of_burst=True) is None
    assert queued(harness) == {}


def test_a_referral_that_is_not_shown_is_read_once_as_after_an_event_alone(harness: Harness) -> None:
    burst(harness, ["00000000-0000-0000-0000-000000000009"])
    harness.push()
    assert harness.new_calls()[GET] == 1
    assert queued(harness) == {}


def test_the_sweep_and_an_event_alone_end_the_entry_of_a_burst(harness: Harness) -> None:
    swept, alone = linked_referrals(harness, 2)
    for referral in (swept, alone):
        harness.colleague_edits(referral, details_dealValue=777)
    burst(harness, [swept, alone])
    harness.pull_event(alone, 1.0)
    assert queued(harness) == {swept: EVENT}
    harness.sweep(1.0)
    assert queued(harness) == {}
    assert opportunity_of(harness, swept)["Amount"] == 777


def test_a_burst_about_related_referrals_is_heard(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    theirs = microsofts(harness, deal)["id"]
    harness.first.pull_event(theirs, is_related=True, is_of_burst=True)
    assert queued(harness) == {f"M|{theirs}": EVENT}
    harness.push()
    assert harness.opportunity(deal)["Microsoft_Status__c"] == "Accepted"
    assert queued(harness) == {}


def test_a_burst_keeps_no_stop_of_arriving_deals(harness: Harness) -> None:
    """A stop ends once no referral waits for it. An event in the queue is none, whatever it is about."""
    few = Policy(hold_win=timedelta(), mass_change_limit=LIMIT)
    worker, arriving = harness.new_instance(few), [microsoft_sends_deal(harness, name=f"Deal {n}") for n in range(5)]
    worker.sweep()
    for entry in harness.retry_entries(PULLED):
        harness.store.remove_retry_entry(entry)
    assert sum(bool(opportunities_of(harness, referral)) for referral in arriving) == LIMIT
    late = microsoft_sends_deal(harness, name="Another day")
    worker.pull_event(late, A_DAY, is_of_burst=True)
    worker.push()
    assert opportunity_of(harness, late)


def deliver_a_burst(harness: Harness, deals: int, edits: int) -> list[str]:
    """Linked deals that colleagues change again and again, new ones among them, and pushes of two more instances.

    Returns the messages in the order in which they were taken. Each twentieth comes twice, and each instance that works
    them crashes once. The last edit of a deal has the amount `edits`.
    """
    referrals = linked_referrals(harness, deals)
    referrals += [microsoft_sends_deal(harness, name=f"New {number}") for number in range(deals // 10)]
    workers, messages = [harness.new_instance(), harness.new_instance()], list[str]()
    workers[0].process.interrupt_at("salesforce.update_unmodified", workers[0].process.crash, after=True)
    for edit in range(1, edits + 1):
        for place, referral in enumerate(referrals):
            harness.colleague_edits(referral, details_dealValue=edit)
            messages += [referral] * (2 if place % 20 == edit % 20 else 1)
            burst(harness, messages[-(1 + (place % 20 == edit % 20)) :])
            if place % (deals // 2) == edit % (deals // 2):
                worker = workers[edit % 2]
                if worker.crashes_during(lambda one: one.push(20.0)):
                    workers[edit % 2] = harness.new_instance()
    return messages


def assert_nothing_lost_or_doubled(harness: Harness, messages: list[str], amount: int) -> None:
    """Each referral has one opportunity with the last amount; nothing waits, and nothing is left to write."""
    for _ in range(4):
        harness.new_instance().push(QUARTER)
    assert queued(harness) == {}
    found = {one["Referral_Identifier__c"]: one["Amount"] for one in harness.salesforce.records("Opportunity")}
    assert found == dict.fromkeys(messages, amount)
    assert len(harness.salesforce.records("Opportunity")) == len(found) == len(harness.our_referrals())
    assert_quiet(harness)


def test_a_burst_loses_and_doubles_nothing(harness: Harness) -> None:
    messages = deliver_a_burst(harness, deals=20, edits=6)
    assert_nothing_lost_or_doubled(harness, messages, amount=6)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_burst_of_20000_events_loses_and_doubles_nothing() -> None:
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=10_000, batch=200)) as harness:
        messages = deliver_a_burst(harness, deals=500, edits=35)
        assert len(messages) >= 20_000
        assert_nothing_lost_or_doubled(harness, messages, amount=35)


def test_a_queue_longer_than_a_batch_is_worked_in_several_pushes() -> None:
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=1000, batch=10)) as harness:
        referrals = linked_referrals(harness, 25)
        for referral in referrals:
            harness.colleague_edits(referral, details_dealValue=12000)
        burst(harness, referrals)
        for left in (15, 5, 0):
            harness.push(MINUTE)
            assert len(queued(harness)) == left
        assert {record["Amount"] for record in harness.salesforce.records("Opportunity")} == {12000}
