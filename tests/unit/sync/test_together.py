"""Two instances at once on the same pair: one works, the other comes again (protocol.md section 3)."""

from collections.abc import Callable

import pytest

from shared.domain.deal import Side
from tests.unit.sync.arrivals import assert_quiet, recovers
from tests.unit.sync.bench import Bench, Instance
from tests.unit.sync.deaths import EVERY, some
from tests.unit.sync.departures import agreed, edited, in_conflict, linked, nothing_is_lost, updated

Arrange = Callable[[Bench], str]
Check = Callable[[Bench, str], object]
Run = Callable[[Instance], object]


def push_at_once(instance: Instance) -> object:
    return instance.push(after=0.0)


def sweep_at_once(instance: Instance) -> object:
    return instance.sweep(after=0.0)


SCENARIOS: dict[str, tuple[Arrange, Check, Run]] = {
    "a create and a push": (Bench.seller_creates, linked, push_at_once),
    "a create and a sweep": (Bench.seller_creates, linked, sweep_at_once),
    "an update and a push": (edited, updated, push_at_once),
    "a conflict and a push": (in_conflict, nothing_is_lost, push_at_once),
    "a conflict and a sweep": (in_conflict, nothing_is_lost, sweep_at_once),
}
ALONE = {"store.side", "store.cursor", "store.due", "store.move_cursor", "store.audit", "salesforce.api_usage"}
"""Calls at which it makes no difference who else is at work: what they read or write, no pair depends on."""


def crossings(arrange: Arrange) -> list[int]:
    """The calls of a push before which another instance may change what it finds."""
    with Bench() as bench:
        arrange(bench)
        bench.one.life.calls.clear()
        bench.push()
        return [number for number, name in enumerate(bench.one.life.calls) if name not in ALONE]


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("name", SCENARIOS)
def test_an_instance_that_runs_in_the_middle_of_anothers_push_does_no_harm(name: str, every: int) -> None:
    arrange, check, other = SCENARIOS[name]
    numbers = crossings(arrange)
    assert len(numbers) > 8
    for number in some(numbers, every):
        with Bench() as bench:
            deal = arrange(bench)
            first, second = bench.instance(), bench.instance()
            first.life.at("", lambda second=second: other(second), skip=number)  # type: ignore[misc]  # bound now
            first.push()
            assert second.life.calls
            recovers(bench)
            check(bench, deal)
            assert_quiet(bench)
            assert len(bench.referrals()) == 1


def test_of_two_instances_at_once_one_creates_and_the_other_comes_again(bench: Bench) -> None:
    deal = bench.seller_creates()
    other = bench.instance()
    bench.one.life.at("partner_center.create", lambda: other.push(after=0.0))
    bench.push()
    assert bench.calls()["partner_center.create"] == 1
    assert [due.cause for due in bench.due(Side.SALESFORCE)] == ["busy"]
    bench.rounds(1)
    linked(bench, deal)


def test_an_event_that_overtakes_the_reply_of_our_own_create_makes_no_second_opportunity(bench: Bench) -> None:
    deal = bench.seller_creates()
    other = bench.instance()
    bench.one.life.at("partner_center.create", lambda: other.event(bench.referrals()[0]["id"], after=0.0), after=True)
    bench.push()
    bench.rounds(2)
    assert len(bench.salesforce.records("Opportunity")) == 1
    linked(bench, deal)


def test_a_process_frozen_past_its_lease_notices_that_its_lock_is_gone(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=27000)
    other = bench.instance()

    def frozen() -> None:
        bench.later(400.0)
        other.push(after=0.0)
        bench.seller_edits(deal, Amount=28000)
        other.push(after=5.0)

    # Asleep between the read under the lock and the filling of the intent: the stale plan is never carried out.
    bench.one.life.at("salesforce.opportunities", frozen, after=True)
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 28000
    bench.rounds(2)
    assert bench.referral_of(deal)["details"]["dealValue"] == bench.row(deal)["Amount"] == 28000
    agreed(bench, deal)
