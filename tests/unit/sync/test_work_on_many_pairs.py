"""One step for many pairs: an error ends the work on its pair, and a side that is paused is not called any more."""

from datetime import datetime, timedelta

import pytest

from shared.domain.deal import Deal, Side
from shared.domain.link import Difference, Effect, EffectKind, Link
from shared.foundation.errors import CosellError, SignInFailed, Throttled
from shared.sync.acquire_pair import acquire
from shared.sync.pair_lease import Pair, read_opportunities, record_intent
from shared.sync.ports import RECONCILED, Context, Outcome, Result, SideState
from shared.sync.reconcile import run_for_each
from tests.unit.sync.harness import START, Harness

THERE, MISSING = Side.PARTNER_CENTER, "006000000000001AAA"
CREATION = Effect(EffectKind.CREATE_REFERRAL, Deal(name="Atlas"), decided=START)


def pairs_of(harness: Harness, *ids: str) -> list[Pair]:
    return [pair for key in ids if isinstance(pair := acquire(harness.first.ctx, key), Pair)]


class Step:
    """A step that fails for some pairs."""

    def __init__(self, **errors: Exception) -> None:
        self.errors, self.called = errors, list[str]()

    def __call__(self, ctx: Context, pair: Pair) -> None:
        del ctx
        self.called.append(pair.id)
        if pair.id in self.errors:
            raise self.errors[pair.id]


def paused(until: datetime) -> Outcome:
    return Outcome(Result.RETRY, "side_paused", until)


@pytest.mark.parametrize("side", [THERE, None])
def test_an_error_ends_the_work_on_its_pair_only_and_an_ended_pair_is_left_out(
    harness: Harness, side: Side | None
) -> None:
    pairs, step = pairs_of(harness, "a", "b", "c"), Step(b=ValueError("a defect"))
    pairs[0].end(RECONCILED)
    run_for_each(harness.first.ctx, side, pairs, step)
    assert step.called == ["b", "c"]
    assert [pair.outcome and pair.outcome.cause for pair in pairs] == ["", "ValueError", None]


@pytest.mark.parametrize("error", [Throttled("slow down", after=60.0), SignInFailed("no", code="x", remedy="y")])
def test_a_side_that_does_not_answer_is_not_called_for_the_others(harness: Harness, error: CosellError) -> None:
    pairs, step = pairs_of(harness, "a", "b", "c"), Step(a=error)
    run_for_each(harness.first.ctx, THERE, pairs, step)
    until = harness.store.side_state(THERE, fresh=True).paused_until
    assert until is not None
    assert step.called == ["a"]
    assert [pair.outcome for pair in pairs[1:]] == [paused(until)] * 2


def test_a_step_that_calls_neither_side_goes_on_for_the_others(harness: Harness) -> None:
    pairs, step = pairs_of(harness, "a", "b"), Step(a=Throttled("slow down", after=60.0))
    run_for_each(harness.first.ctx, None, pairs, step)
    assert step.called == ["a", "b"]
    assert harness.store.side_state(THERE, fresh=True).paused_until is None


def test_a_paused_side_is_called_from_the_end_of_its_pause_on(harness: Harness) -> None:
    until = START + timedelta(minutes=5)
    harness.store.write_side_state(THERE, SideState(paused_until=until))
    pairs, step = pairs_of(harness, "a", "b"), Step()
    run_for_each(harness.first.ctx, THERE, pairs[:1], step)
    assert (step.called, pairs[0].outcome) == ([], paused(until))
    harness.advance_time(300.0)
    run_for_each(harness.first.ctx, THERE, pairs, step)
    assert (step.called, pairs[1].outcome) == (["b"], None)


# --- opportunities that are not found


@pytest.mark.parametrize(("referral", "waits"), [("ref", True), (None, False)])
def test_only_a_linked_deal_waits_on_while_its_opportunity_is_missing(
    harness: Harness, referral: str | None, *, waits: bool
) -> None:
    (pair,), waiting = pairs_of(harness, MISSING), {"name": Difference("x", "y", START)}
    pair.take_link(Link(MISSING, referral_id=referral, waiting=waiting))
    read_opportunities(harness.first.ctx, [pair])
    assert (pair.outcome, pair.link.waiting) == (RECONCILED, waiting if waits else {})
    assert pair.missing_at is not None


def test_a_referral_that_may_be_created_is_looked_for_although_its_opportunity_is_missing(harness: Harness) -> None:
    (pair,) = pairs_of(harness, MISSING)
    record_intent(harness.first.ctx, pair, CREATION)
    read_opportunities(harness.first.ctx, [pair])
    assert (pair.outcome, pair.opportunity) == (None, None)
