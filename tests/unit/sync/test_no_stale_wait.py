"""A deal that is in step has no entry of either retry queue which says that it waits for a person.

Source: docs/protocol.md#the-retry-queue.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from shared.store.stored_values import OPERATOR, RetryEntry
from shared.sync.ports import Outcome, Policy, Result
from shared.sync.retry_queue import keep_retry_queue
from tests.unit.sync.harness import Harness
from tests.unit.sync.test_mass_change import LIMIT, POLICY, shared_deals


@pytest.fixture
def deal(harness: Harness) -> str:
    """A deal of which Salesforce refuses the amount that a colleague enters, until the rule is gone."""
    deal = harness.shared_deal()
    harness.push_until_quiet()
    harness.refuse_writes_of("Amount", deal)
    return deal


def colleague_enters(harness: Harness, deal: str, amount: int) -> None:
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=amount)


def pull(harness: Harness, _deal: str) -> None:
    harness.sweep()


def hear(harness: Harness, deal: str) -> None:
    harness.pull_event(harness.referral_of(deal)["id"])


def assert_in_step(harness: Harness, deal: str) -> None:
    assert harness.stored_link(deal).state is State.LIVE
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert [entry for side in Side for entry in harness.retry_entries(side)] == []


@pytest.mark.parametrize("arrives", [pull, hear])
def test_a_refused_value_waits_as_an_entry_of_the_push(
    harness: Harness, deal: str, arrives: Callable[[Harness, str], None]
) -> None:
    colleague_enters(harness, deal, 75_000)
    arrives(harness, deal)
    assert harness.stored_link(deal).state is State.PARKED
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert harness.only_retry_entry(Side.SALESFORCE).cause == "held"


def test_what_a_pull_parked_and_a_push_mends_waits_no_more(harness: Harness, deal: str) -> None:
    colleague_enters(harness, deal, 75_000)
    harness.sweep()
    harness.clear_faults()
    harness.seller_edits(deal, Amount=75_000)
    harness.push()
    assert_in_step(harness, deal)


def test_what_is_parked_while_the_push_is_paused_waits_no_more(harness: Harness, deal: str) -> None:
    """A paused push leaves the entry to the pull; the push that mends the deal later ends it."""
    colleague_enters(harness, deal, 75_000)
    harness.store.pause_direction("push", harness.now(), "local")
    harness.sweep()
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "held"
    harness.store.resume_direction("push")
    harness.clear_faults()
    harness.seller_edits(deal, Amount=75_000)
    harness.push()
    assert_in_step(harness, deal)


@pytest.mark.parametrize("arrives", [pull, hear])
def test_what_a_push_parked_and_a_pull_mends_waits_no_more(
    harness: Harness, deal: str, arrives: Callable[[Harness, str], None]
) -> None:
    colleague_enters(harness, deal, 75_000)
    harness.seller_edits(deal, NextStep="A call")
    ask(harness, deal)
    harness.push()
    assert harness.only_retry_entry(Side.SALESFORCE).cause == "held"
    colleague_enters(harness, deal, int(harness.opportunity(deal)["Amount"]))
    arrives(harness, deal)
    assert_in_step(harness, deal)


def ask(harness: Harness, deal: str) -> None:
    now = harness.first.ctx.clock.now()
    harness.store.put_retry_entry(RetryEntry(Side.SALESFORCE, deal, now, OPERATOR, since=now))


def test_a_retry_ends_what_an_earlier_build_left(harness: Harness, deal: str) -> None:
    """The build before kept an entry of the referral although the deal was in step."""
    referral = harness.referral_of(deal)["id"]
    harness.store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, referral, harness.now() + timedelta(hours=1), "held"))
    ask(harness, deal)
    harness.push()
    assert_in_step(harness, deal)


def test_an_entry_of_failed_work_stays(harness: Harness, deal: str) -> None:
    """The push takes the referral from the base: what an event has told must still be read."""
    referral = harness.referral_of(deal)["id"]
    in_an_hour = harness.now() + timedelta(hours=1)
    harness.store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, referral, in_an_hour, "poisoned"))
    ask(harness, deal)
    harness.push()
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "poisoned"


def test_a_deal_that_is_still_parked_keeps_its_entry(harness: Harness, deal: str) -> None:
    colleague_enters(harness, deal, 75_000)
    harness.sweep()
    (before,) = harness.retry_entries(Side.SALESFORCE)
    harness.pull_event(harness.referral_of(deal)["id"])  # an echo: nothing was mended
    assert harness.stored_link(deal).state is State.PARKED
    assert harness.only_retry_entry(Side.SALESFORCE).at == before.at


@pytest.fixture
def limited() -> Iterator[Harness]:
    with Harness(policy=POLICY) as harness:
        yield harness


def test_what_a_pull_makes_needless_waits_for_no_approval(limited: Harness) -> None:
    """Sellers enter one date on many deals, which stops; colleagues enter the same date, so that nothing is to send."""
    deals = shared_deals(limited, 8)
    for deal in deals:
        limited.seller_edits(deal, CloseDate="2027-06-30")
    limited.push()
    assert len(limited.retry_entries(Side.SALESFORCE)) == len(deals) - LIMIT
    for deal in deals:
        referral = limited.referral_of(deal)["id"]
        limited.colleague_edits(referral, details_closingDateTime="2027-06-30T00:00:00Z")
    limited.sweep()
    assert [entry for side in Side for entry in limited.retry_entries(side)] == []


def test_pauses_of_the_settings_count(harness: Harness) -> None:
    """Without a push nothing is left to it."""
    deal = harness.shared_deal()
    harness.push_until_quiet()
    harness.refuse_writes_of("Amount", deal)
    colleague_enters(harness, deal, 75_000)
    harness.new_instance(Policy(paused=frozenset({"push"}))).sweep()
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "held"


def test_a_held_entry_keeps_since_when_its_deal_waits(harness: Harness, deal: str) -> None:
    colleague_enters(harness, deal, 75_000)
    harness.sweep()
    first = harness.only_retry_entry(Side.SALESFORCE)
    assert first.since is not None
    harness.advance_time(3600)
    harness.push()
    again = harness.only_retry_entry(Side.SALESFORCE)
    assert (again.at > first.at, again.since) == (True, first.since)


def test_an_entry_of_an_earlier_build_has_no_time_and_gets_no_wrong_one(harness: Harness) -> None:
    harness.store.put_retry_entry(RetryEntry(Side.SALESFORCE, "006A", harness.now(), "held"))
    known = harness.only_retry_entry(Side.SALESFORCE)
    held = Outcome(Result.HELD, "held", harness.now() + timedelta(hours=1))
    keep_retry_queue(harness.first.ctx, Side.SALESFORCE, {known.key: held}, {known.key: known})
    again = harness.only_retry_entry(Side.SALESFORCE)
    assert (again.at > known.at, again.since) == (True, None)
