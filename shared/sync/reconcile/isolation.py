"""Steps and batched calls for many pairs, so that one bad record does not stop the others.

Source: docs/protocol.md#rule-7-one-bad-record-harms-no-other.
"""

from collections.abc import Callable, Sequence

from shared.domain.deal import Side
from shared.foundation.errors import CosellError, SignInFailed, Throttled
from shared.sync.context import Context
from shared.sync.outcome import Outcome
from shared.sync.ports import SideState, Write, Written
from shared.sync.reconcile.pair import Pair
from shared.sync.retry.error_policy import outcome_of_error
from shared.sync.retry.side_health import pause_side, paused_until, retry_after_pause


def open_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs whose work has not ended."""
    return [pair for pair in pairs if pair.outcome is None]


def run_step[T](ctx: Context, pair: Pair, step: Callable[..., T], *arguments: object) -> T | None:
    """Run one step of one pair; an error ends the work on this pair only."""
    try:
        return step(ctx, pair, *arguments)
    except Exception as error:  # noqa: BLE001 - a defect in the work on one pair must not stop the others
        pair.outcome = outcome_of_error(ctx, error, pair.id)
        return None


def run_step_for_each(
    ctx: Context, side: Side | None, pairs: Sequence[Pair], step: Callable[[Context, Pair], None]
) -> None:
    """Run a step for each open pair in parallel; once the side is paused, the remaining pairs are queued."""
    state = ctx.store.side_state(side) if side else SideState()
    pauses: list[Outcome] = []
    if state.paused_until is not None and ctx.clock.now() < state.paused_until:
        pauses.append(retry_after_pause(state.paused_until))

    def run(pair: Pair) -> None:
        if pauses:
            pair.outcome = pauses[0]
            return
        try:
            step(ctx, pair)
        except Exception as error:  # noqa: BLE001 - as in `run_step`
            pair.outcome = outcome_of_error(ctx, error, pair.id)
            if side is not None and isinstance(error, Throttled | SignInFailed):
                pause_side(ctx, side, error)
                pauses.append(retry_after_pause(ctx.store.side_state(side).paused_until))

    ctx.workers.map(run, open_pairs(pairs), at_most=state.parallelism or ctx.policy.parallelism)


def call_salesforce(
    ctx: Context,
    pairs: Sequence[Pair],
    call: Callable[[Sequence[Write], Sequence[str]], Sequence[Written]],
    writes: Sequence[Write],
) -> Sequence[Written]:
    """Make one batched write to Salesforce; if the whole call fails, all its pairs are queued."""
    until = paused_until(ctx, Side.SALESFORCE)
    if until is not None:
        _end_all(pairs, lambda _: retry_after_pause(until))
        return ()
    try:
        return call(writes, ctx.translation.columns)
    except Exception as error:  # noqa: BLE001 - the pairs of other calls go on
        if isinstance(error, CosellError):
            pause_side(ctx, Side.SALESFORCE, error)
        failure = error
        _end_all(pairs, lambda pair: outcome_of_error(ctx, failure, pair.id))
        return ()


def _end_all(pairs: Sequence[Pair], outcome: Callable[[Pair], Outcome]) -> None:
    for pair in pairs:
        pair.outcome = outcome(pair)
