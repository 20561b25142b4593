"""Reconciles pairs: acquire the leases, read both sides, plan, write in batches, confirm, release.

push:  acquire all -> read opportunities (2,000 a call) -> referral from the base, or GET -> plan
pull:  acquire all -> GET referrals, end echoes -> read opportunities -> plan
both:  PATCH or POST each -> write opportunities (24 a call) -> write back (200 a call) -> release all
"""

from collections.abc import Collection, Sequence

from shared.domain.deal import Side
from shared.domain.link_states import State
from shared.foundation.errors import CosellError
from shared.sync.change_detection.echo import is_echo
from shared.sync.context import Context
from shared.sync.outcome import BUSY, RECONCILED, Outcome, Outcomes, Result
from shared.sync.reconcile.audit_lines import take_notices
from shared.sync.reconcile.create_referral import create_referral
from shared.sync.reconcile.isolation import open_pairs, run_step, run_step_for_each
from shared.sync.reconcile.lease import acquire, delete_unused_link, release
from shared.sync.reconcile.pair import Pair
from shared.sync.reconcile.patch_referral import patch_referral
from shared.sync.reconcile.planning import is_plan_in_link, make_plan
from shared.sync.reconcile.prepare_push import prepare_push
from shared.sync.reconcile.reading import read_linked_referral, read_opportunities
from shared.sync.reconcile.write_back import needs_write_back, write_back
from shared.sync.reconcile.write_opportunity import write_opportunities
from shared.sync.retry.error_policy import outcome_of_error


def reconcile_pushed(ctx: Context, opportunity_ids: Sequence[str]) -> Outcomes:
    """Reconcile the pairs of opportunities that may have changed."""
    pairs, outcomes = _acquire_all(ctx, opportunity_ids)
    read_opportunities(ctx, pairs)
    run_step_for_each(ctx, Side.PARTNER_CENTER, pairs, prepare_push)
    return {**outcomes, **_carry_out(ctx, pairs)}


def reconcile_pulled(ctx: Context, opportunity_ids: Sequence[str], queued: Collection[str] = ()) -> Outcomes:
    """Reconcile the pairs whose referral may have changed; a pair in `queued` came from the retry queue."""
    pairs, outcomes = _acquire_all(ctx, opportunity_ids)
    run_step_for_each(ctx, Side.PARTNER_CENTER, pairs, lambda ctx, pair: _read_pulled(ctx, pair, queued))
    read_opportunities(ctx, pairs)
    run_step_for_each(ctx, None, pairs, make_plan)
    return {**outcomes, **_carry_out(ctx, pairs)}


def _acquire_all(ctx: Context, opportunity_ids: Sequence[str]) -> tuple[list[Pair], dict[str, Outcome]]:
    results = ctx.workers.map(lambda key: _acquire_or_queue(ctx, key), opportunity_ids, at_most=ctx.policy.parallelism)
    pairs = [result for result in results if isinstance(result, Pair)]
    by_id = zip(opportunity_ids, results, strict=True)
    return pairs, {key: result for key, result in by_id if isinstance(result, Outcome)}


def _acquire_or_queue(ctx: Context, opportunity_id: str) -> Pair | Outcome:
    try:
        return acquire(ctx, opportunity_id)
    except CosellError as error:
        return outcome_of_error(ctx, error, opportunity_id)


def _read_pulled(ctx: Context, pair: Pair, queued: Collection[str]) -> None:
    """Read the referral; the work on an echo ends here."""
    read_linked_referral(ctx, pair)
    if pair.referral and not pair.interrupted.effects and is_echo(pair.link, pair.referral.etag, pair.id, queued):
        pair.outcome = RECONCILED


def _carry_out(ctx: Context, pairs: Sequence[Pair]) -> dict[str, Outcome]:
    run_step_for_each(ctx, Side.PARTNER_CENTER, pairs, _write_referral)
    write_opportunities(ctx, [pair for pair in open_pairs(pairs) if pair.plan and pair.plan.to_salesforce])
    write_back(ctx, [pair for pair in pairs if _may_write_back(pair) and needs_write_back(pair)])
    ctx.workers.map(lambda pair: run_step(ctx, pair, _release_pair), pairs, at_most=ctx.policy.parallelism)
    return {pair.id: pair.outcome or RECONCILED for pair in pairs}


def _write_referral(ctx: Context, pair: Pair) -> None:
    if pair.must_create:
        create_referral(ctx, pair)
        _plan_after_create(ctx, pair)
    if pair.plan and pair.outcome is None:
        patch_referral(ctx, pair)


def _plan_after_create(ctx: Context, pair: Pair) -> None:
    """The service decides the status of a new referral, and an adopted one may differ: merge at once."""
    if pair.outcome is None:
        make_plan(ctx, pair)


def _may_write_back(pair: Pair) -> bool:
    """A pair that will be tried again reports nothing yet; a parked one reports why."""
    return pair.outcome is None or pair.outcome.result is Result.PARKED


def _release_pair(ctx: Context, pair: Pair) -> None:
    """Release the lease, unless the outcome of a write is unknown: that intent must stay for recovery."""
    has_begun = pair.link.intent is not None and bool(pair.link.intent.effects)
    if pair.interrupted.effects or (pair.outcome and pair.outcome.unsure and has_begun):
        return
    if _is_unused(pair):
        delete_unused_link(ctx, pair)
        return
    release(ctx, pair, take_notices(ctx, pair) if is_plan_in_link(pair) else ())
    if pair.outcome is None and pair.link.state is State.HELD:
        pair.outcome = Outcome(Result.HELD, "held")
    elif pair.outcome is None and pair.plan and pair.plan.due:
        pair.outcome = Outcome(Result.RETRY, "waiting", pair.plan.due)


def _is_unused(pair: Pair) -> bool:
    """Whether the link was inserted for this work only, and holds nothing that must be kept."""
    link, cause = pair.link, (pair.outcome or RECONCILED).cause
    return link.referral_id is None and not link.reported and link.cause is None and cause in ("", BUSY.cause)
