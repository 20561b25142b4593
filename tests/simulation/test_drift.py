"""The judge that asks the daily compare at the end of a seed."""

from collections.abc import Iterator

import pytest

from tests.simulation.drift import judge_drift
from tests.simulation.moves import TICK
from tests.unit.sync.harness import HOUR, MINUTE, Harness


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as harness:
        yield harness


def stop_push_at(harness: Harness, call: str) -> None:
    """A process dies before this call of a push."""
    instance = harness.new_instance()
    instance.process.interrupt_at(call, instance.process.crash)
    assert instance.crashes_during(lambda one: one.push())


@pytest.mark.parametrize(("ticked", "said"), [(False, []), (True, ["interrupted"])])
def test_a_held_deal_that_a_run_left_may_wait_for_the_compare_where_it_is_not_ticked(
    harness: Harness, said: list[str], *, ticked: bool
) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.advance_time(MINUTE)
    stop_push_at(harness, "salesforce.update")
    harness.seller_edits(deal, **{TICK: ticked})
    harness.advance_time(HOUR)
    harness.store.move_cursors({name: harness.now() for name in harness.store.cursors()})
    assert [one.partition(":")[0] for one in judge_drift(harness)] == said


def test_a_linked_deal_that_a_run_left_is_found(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    stop_push_at(harness, "partner_center.patch")
    harness.seller_edits(deal, **{TICK: False})
    harness.store.move_cursors({name: harness.now() for name in harness.store.cursors()})
    assert "interrupted" in judge_drift(harness)[0]
