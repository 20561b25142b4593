"""A run that stops at any call leaves at most one inbox record, and none once the deal is made.

Source: docs/protocol.md#the-inbox.
"""

from collections.abc import Callable

import pytest

from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import AFTER_LEASE, HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of, opportunity_of, recover_after_lease
from tests.unit.sync.test_inbox import KEY, inbox, lock_out, refused_deal

type Arrange = Callable[[Harness], str]
"""It returns the id of the deal."""
type Run = Callable[[Instance, str], object]


def refuses_the_deal(harness: Harness) -> str:
    """An org that refuses a deal which nobody has pulled yet."""
    harness.refuse_writes_of("Name")
    return microsoft_sends_deal(harness)


def refused_the_deal(harness: Harness) -> str:
    """An org that refused a deal and would take it now."""
    referral = refused_deal(harness)
    harness.clear_faults()
    return referral


def locks_out_the_deal(harness: Harness) -> str:
    """An opportunity that nobody has pushed yet, and that the integration user may not change."""
    deal = harness.seller_creates()
    lock_out(harness, deal)
    return deal


def push(instance: Instance, _opportunity: str) -> None:
    """Run the push timer."""
    instance.push()


def pull(instance: Instance, referral: str) -> None:
    """Apply the referral's event."""
    instance.pull_event(referral)


def points_of(arrange: Arrange, run: Run, every: int) -> list[int]:
    """The calls after which a crash is tried."""
    keys: list[str] = []
    points, calls = crash_points(lambda harness: keys.append(arrange(harness)), lambda one: run(one, keys[-1]))
    assert calls > len(points) > 4
    return list(every_nth(points, every))


def stop_at(number: int, harness: Harness, run: Run, key: str) -> None:
    """Run an instance that stops after the call with this number."""
    instance = harness.new_instance()
    crash_instance_at(instance, number)
    assert instance.crashes_during(lambda one: run(one, key))


@pytest.mark.parametrize("every", EVERY_NTH)
def test_a_stopped_run_leaves_one_record_of_a_locked_out_opportunity_and_none_later(every: int) -> None:
    for number in points_of(locks_out_the_deal, push, every):
        with Harness() as harness:
            deal = locks_out_the_deal(harness)
            stop_at(number, harness, push, deal)
            survivor = recover_after_lease(harness)
            assert [record[KEY] for record in inbox(harness)] == [deal], number
            harness.clear_faults()
            survivor.push(HOUR)
            survivor.push(HOUR)
            assert inbox(harness) == [], number


@pytest.mark.parametrize("every", EVERY_NTH)
def test_a_stopped_run_leaves_one_record_while_refused_and_none_once_made(every: int) -> None:
    for number in points_of(refuses_the_deal, pull, every):
        with Harness() as harness:
            referral = refuses_the_deal(harness)
            stop_at(number, harness, pull, referral)
            survivor = harness.new_instance()
            survivor.pull_event(referral, after=AFTER_LEASE)
            assert [record[KEY] for record in inbox(harness)] == [referral], number
            harness.clear_faults()
            survivor.push(HOUR)
            assert opportunity_of(harness, referral)
            assert inbox(harness) == [], number


@pytest.mark.parametrize("every", EVERY_NTH)
def test_a_stopped_try_that_makes_the_deal_leaves_no_record(every: int) -> None:
    for number in points_of(refused_the_deal, pull, every):
        with Harness() as harness:
            referral = refused_the_deal(harness)
            stop_at(number, harness, pull, referral)
            survivor = harness.new_instance()
            survivor.push(HOUR)
            survivor.push(HOUR)
            assert len(opportunities_of(harness, referral)) == 1, number
            assert inbox(harness) == [], number
