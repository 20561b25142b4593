"""How many operations of the row store one pair more costs, and a run without work (docs/protocol.md#store-operations).

On Table Storage each operation is a request. The mass-change count is taken once a chunk and is in no pair's figure.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from shared.sync.ports import Policy
from tests.unit.sync.harness import HOUR, Harness, Instance
from tests.unit.sync.row_operations import CountedRows, counted_instance

FEWER, MORE = 10, 14


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=10_000)) as harness:
        harness.push()
        yield harness


def rest(instance: Instance) -> None:
    """Push until nothing is left to do and the overlap of the poll has passed."""
    for _ in range(2):
        instance.push()
    for _ in range(2):
        instance.push(after=HOUR)
    # As the daily run does. A push deletes them too, once a run and not once a pair.
    instance.harness.store.forget_own_writes()


def one_more(harness: Harness, run: Callable[[Instance, list[str]], CountedRows]) -> float:
    """The operations of one pair more in a run."""
    instance, _ = counted_instance(harness)
    rest(instance)
    counts = []
    for size in (FEWER, MORE):
        deals = [harness.seller_creates(Name=f"Deal {size}.{number}") for number in range(size)]
        counts.append(run(instance, deals).count)
        rest(instance)
    return (counts[1] - counts[0]) / (MORE - FEWER)


def test_one_create_more_costs_six_operations(harness: Harness) -> None:
    """Its row, the lock, the intent, the confirmation, the pointer, the release."""
    assert one_more(harness, pushed(harness)) == 6


def test_one_update_more_costs_six_operations(harness: Harness) -> None:
    """Its row, the lock, the intent, the confirmation, the audit lines, the release."""

    def edit(instance: Instance, deals: list[str]) -> CountedRows:
        pushed(harness)(instance, deals)
        rest(instance)
        for deal in deals:
            harness.seller_edits(deal, Amount=4321)
        return pushed(harness)(instance, deals)

    assert one_more(harness, edit) == 6


def pushed(harness: Harness) -> Callable[[Instance, list[str]], CountedRows]:
    """Counts the operations of a push by a new process."""

    def push(_instance: Instance, _deals: list[str]) -> CountedRows:
        instance, rows = counted_instance(harness)
        instance.push()
        return rows

    return push


def test_an_event_about_our_own_write_costs_two_operations(harness: Harness) -> None:
    """Its pointer and its row. Nothing is written, because an echo needs no lease."""
    referral = harness.referral_of(harness.shared_deal())["id"]
    instance, rows = counted_instance(harness)
    rest(instance)
    instance.pull_event(referral)
    rows.forget()
    instance.pull_event(referral, after=1.0)  # the states of the sides are known for 5 seconds
    assert rows.operations == {"get R": 1, "get O": 1}


def test_an_event_about_a_change_costs_seven_operations(harness: Harness) -> None:
    """Pointer, row, retry entry, lock, intent, audit lines; the confirmation is stored with the release."""

    referral = harness.referral_of(harness.shared_deal())["id"]
    instance, rows = counted_instance(harness)
    rest(instance)
    harness.colleague_edits(referral, details_dealValue=777)
    rows.forget()
    instance.pull_event(referral)
    del rows.operations["scan side"]
    assert rows.operations == {"get R": 1, "get O": 1, "get due": 1, "write O": 3, "list O": 1}


def test_a_minute_without_changes_costs_five_operations(harness: Harness) -> None:
    """The sides, the cursors and both queues are read; cursors and heartbeat are one write."""
    instance, rows = counted_instance(harness)
    rest(instance)
    rows.forget()
    instance.push()
    assert rows.operations == {"scan side": 1, "list cursor": 1, "list due": 2, "write cursor": 1}


def test_a_sweep_after_a_burst_costs_one_call_and_three_operations(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(120)]
    harness.push_until_quiet()
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=12000)
    instance, counted = counted_instance(harness)
    for _ in range(2):
        instance.sweep(after=HOUR)
    counted.forget()
    harness.forget_calls()
    instance.sweep()
    assert harness.new_calls() == {"partner_center.list": 1}
    assert counted.count == 3  # the sides, the cursor, and both cursors in one write
