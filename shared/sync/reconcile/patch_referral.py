"""Writes to an existing referral: one PATCH with the differing paths (docs/protocol.md#writing-to-partner-center)."""

from copy import replace

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side
from shared.domain.link import EffectKind
from shared.domain.link_states import State
from shared.domain.plan import Change
from shared.domain.records import Referral
from shared.foundation.errors import Conflict, Rejected
from shared.sync.context import Context
from shared.sync.outcome import Outcome, Result
from shared.sync.reconcile.audit_lines import (
    TO_PARTNER_CENTER,
    cause_line,
    changes_line,
    ignored_lines,
    take_all_lines,
    take_notices,
)
from shared.sync.reconcile.confirmation import referral_from_answer, split_by_effect, with_refused
from shared.sync.reconcile.lease import confirm_effect, record_intent
from shared.sync.reconcile.pair import Pair
from shared.sync.reconcile.planning import make_plan, planned_effects, put_plan_into_link
from shared.sync.reconcile.reading import read_linked_referral


def patch_referral(ctx: Context, pair: Pair) -> None:
    """Send the plan's changes and move the base to what the answer confirms; then the plan goes into the link.

    On 412 the referral is read again and the merge is made anew; the merge recognises our own lost reply by its
    values. Raises the client's errors; the intent then stays for recovery.
    """
    for _ in range(ctx.policy.tries):
        if pair.plan is None or pair.referral is None or not pair.plan.to_partner_center:
            break
        put_plan_into_link(pair)
        try:
            _send_patch(ctx, pair, pair.referral, pair.plan.to_partner_center)
        except Conflict:
            read_linked_referral(ctx, pair)
            make_plan(ctx, pair)
        else:
            break
    else:
        pair.outcome = Outcome(Result.RETRY, "referral_kept_changing")
    put_plan_into_link(pair)


def _send_patch(ctx: Context, pair: Pair, referral: Referral, changes: tuple[Change, ...]) -> None:
    record_intent(ctx, pair, *planned_effects(pair, changes), lines=take_notices(ctx, pair))
    try:
        answer = ctx.partner_center.patch(referral.id, ctx.translation.operations(changes), referral.etag)
    except Rejected as error:
        _handle_rejection(ctx, pair, changes, error.cause)
        return
    _confirm_patch(ctx, pair, changes, referral_from_answer(ctx, answer))


def _confirm_patch(ctx: Context, pair: Pair, changes: tuple[Change, ...], read_back: Referral) -> None:
    effective, ignored = split_by_effect(changes, read_back.deal)
    now = ctx.clock.now()
    link = with_refused(pair.link, ignored, Side.PARTNER_CENTER, now)
    held = pair.opportunity.deal if pair.opportunity else Deal()
    agreed = {change.field: change.new for change in effective if held.get(change.field) == change.new}
    link = replace(link, base=link.base.with_values(agreed), unwritten=True)
    written = (changes_line(now, TO_PARTNER_CENTER, effective),) if effective else ()
    pair.referral, pair.is_from_base = read_back, False
    lines = (*written, *ignored_lines(now, Side.PARTNER_CENTER, ignored), *take_all_lines(ctx, pair))
    confirm_effect(ctx, pair, EffectKind.PATCH_REFERRAL, link, lines)
    fields = [change.field for change in changes]
    ctx.log("referral_patched", opportunity_id=pair.id, referral_id=read_back.id, fields=fields)


def _handle_rejection(ctx: Context, pair: Pair, changes: tuple[Change, ...], cause: Cause) -> None:
    """After a 400 for several paths send them singly, once, and park only the guilty one."""
    if len(changes) == 1:
        _park_change(ctx, pair, changes, cause)
        return
    for change in changes:
        if pair.referral is not None:
            _send_patch(ctx, pair, pair.referral, (change,))


def _park_change(ctx: Context, pair: Pair, changes: tuple[Change, ...], cause: Cause) -> None:
    link = with_refused(pair.link, changes, Side.PARTNER_CENTER, ctx.clock.now())
    parked = replace(link, state=State.PARKED, cause=cause, unwritten=True)
    lines = (cause_line(ctx.clock.now(), cause), *take_all_lines(ctx, pair))
    confirm_effect(ctx, pair, EffectKind.PATCH_REFERRAL, parked, lines)
    pair.outcome = Outcome(Result.PARKED, cause.code)
    ctx.log(
        "pair_parked", opportunity_id=pair.id, referral_id=pair.link.referral_id, code=cause.code, field=cause.field
    )
