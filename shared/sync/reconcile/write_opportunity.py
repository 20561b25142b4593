"""Conditional writes of values that a person can edit (docs/protocol.md#writing-values-that-people-edit)."""

from collections.abc import Sequence
from copy import replace
from datetime import timedelta

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side, Value
from shared.domain.link import EffectKind
from shared.domain.link_states import State
from shared.domain.plan import Change
from shared.sync.context import Context
from shared.sync.outcome import Outcome, Result
from shared.sync.ports import Write, Written
from shared.sync.reconcile.audit_lines import (
    FROM_PARTNER_CENTER,
    cause_line,
    changes_line,
    ignored_lines,
    loss_lines,
    render_audit,
    take_all_lines,
    take_notices,
)
from shared.sync.reconcile.confirmation import split_by_effect, with_refused
from shared.sync.reconcile.isolation import call_salesforce, open_pairs, run_step, run_step_for_each
from shared.sync.reconcile.lease import confirm_effect, record_intent
from shared.sync.reconcile.pair import Pair
from shared.sync.reconcile.patch_referral import patch_referral
from shared.sync.reconcile.planning import make_plan, planned_effects, put_plan_into_link
from shared.sync.reconcile.reading import read_opportunities
from shared.sync.reconcile.write_back import mark_of, own_values, set_read_back

CONDITIONAL = 24
"""Conditional PATCHes of one Composite call; the 25th subrequest reads them back."""
ONE_SECOND = timedelta(seconds=1)
KEEPS_CHANGING = Outcome(Result.RETRY, "opportunity_kept_changing")


def write_opportunities(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Carry the plans' changes to Salesforce; a record that a person changed first is read and planned again."""
    for _ in range(ctx.policy.tries):
        pairs = _safe_to_write(ctx, open_pairs(pairs))
        if not pairs:
            return
        pairs = _write_all(ctx, pairs)
        if not pairs:
            return
        _read_and_plan_again(ctx, pairs)
    for pair in open_pairs(pairs):
        pair.outcome = KEEPS_CHANGING


def _safe_to_write(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs that still have changes, once the server's clock has passed the second of their last edit.

    The condition of a write has whole seconds, so a younger record is read again a second later.
    """
    for _ in range(ctx.policy.tries):
        young = [pair for pair in open_pairs(pairs) if not _is_safe_to_write(pair)]
        if not young:
            break
        ctx.clock.sleep(ONE_SECOND)
        _read_and_plan_again(ctx, young)
    for pair in open_pairs(pairs):
        if not _is_safe_to_write(pair):
            pair.outcome = KEEPS_CHANGING
    return [pair for pair in open_pairs(pairs) if pair.plan and pair.plan.to_salesforce]


def _is_safe_to_write(pair: Pair) -> bool:
    return pair.opportunity is not None and pair.opportunity.is_second_over


def _read_and_plan_again(ctx: Context, pairs: Sequence[Pair]) -> None:
    read_opportunities(ctx, pairs)
    run_step_for_each(ctx, Side.PARTNER_CENTER, pairs, _plan_and_patch)


def _plan_and_patch(ctx: Context, pair: Pair) -> None:
    """Merge again, and send what a person has changed meanwhile."""
    make_plan(ctx, pair)
    patch_referral(ctx, pair)


def _write_all(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    """Write, 24 records a call; the pairs whose record changed meanwhile (412) are returned."""
    chunks = [pairs[start : start + CONDITIONAL] for start in range(0, len(pairs), CONDITIONAL)]
    changed = ctx.workers.map(lambda chunk: _write_chunk(ctx, chunk), chunks, at_most=ctx.parallelism(Side.SALESFORCE))
    return [pair for chunk in changed for pair in chunk]


def _write_chunk(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    writes = [write for pair in pairs if (write := run_step(ctx, pair, _prepare_write))]
    if not writes:
        return []
    by_id = {pair.id: pair for pair in pairs}
    changed: list[Pair] = []
    for written in call_salesforce(ctx, pairs, ctx.salesforce.update_unmodified, writes):
        pair = by_id[written.id]
        if written.changed:
            changed.append(pair)
            continue
        run_step(ctx, pair, _confirm_write, written)
    return changed


def _prepare_write(ctx: Context, pair: Pair) -> Write | None:
    if pair.plan is None or pair.opportunity is None:
        return None
    put_plan_into_link(pair)
    changes = pair.plan.to_salesforce
    record_intent(ctx, pair, *planned_effects(pair, ()), lines=take_notices(ctx, pair))
    expected = (changes_line(ctx.clock.now(), FROM_PARTNER_CENTER, changes), *loss_lines(ctx, pair))
    audit = render_audit([*expected, *ctx.store.audit(pair.id)])
    values = {**ctx.translation.values(changes), **own_values(ctx, pair, audit)}
    return Write(pair.id, values, pair.opportunity.modified)


def _confirm_write(ctx: Context, pair: Pair, written: Written) -> None:
    if pair.plan is None:
        return
    if written.locked:
        pair.outcome = Outcome(Result.RETRY, "locked")
        return
    changes = pair.plan.to_salesforce
    if written.refused or written.record is None:
        _handle_refusal(ctx, pair, changes, written.refused)
        return
    read_back = ctx.translation.opportunity(written.record, written.at)
    effective, ignored = split_by_effect(changes, read_back.deal)
    now = ctx.clock.now()
    link = with_refused(pair.link, ignored, Side.SALESFORCE, now)
    link = replace(
        link, base=link.base.with_values(_agreed(pair, effective)), mark=mark_of(link), unwritten=bool(ignored)
    )
    set_read_back(pair, read_back)
    done = (changes_line(now, FROM_PARTNER_CENTER, effective),) if effective else ()
    lines = (*done, *ignored_lines(now, Side.SALESFORCE, ignored), *take_all_lines(ctx, pair))
    confirm_effect(ctx, pair, EffectKind.WRITE_OPPORTUNITY, link, lines)
    fields = [change.field for change in changes]
    ctx.log("opportunity_written", opportunity_id=pair.id, referral_id=link.referral_id, fields=fields)


def _agreed(pair: Pair, effective: tuple[Change, ...]) -> dict[str, Value | None]:
    """Return the values that both sides have held; the base takes them.

    Joined notes are an exception. If only Salesforce holds the joined text, the base takes the text that Partner Center
    still holds.
    """
    held = pair.referral.deal if pair.referral else Deal()
    return {change.field: held.get(change.field, change.new) for change in effective}


def _handle_refusal(ctx: Context, pair: Pair, changes: tuple[Change, ...], cause: Cause | None) -> None:
    """Salesforce refuses the record (a validation rule, field security): park it, and do not send it again."""
    if cause is None:
        pair.outcome = Outcome(Result.RETRY, "not_read_back", unsure=True)
        return
    now = ctx.clock.now()
    link = with_refused(pair.link, changes, Side.SALESFORCE, now)
    link = replace(link, state=State.PARKED, cause=cause, unwritten=True)
    confirm_effect(ctx, pair, EffectKind.WRITE_OPPORTUNITY, link, (cause_line(now, cause), *take_all_lines(ctx, pair)))
    pair.plan = replace(pair.plan, to_salesforce=()) if pair.plan else None
    pair.outcome = Outcome(Result.PARKED, cause.code)
    ctx.log("pair_parked", opportunity_id=pair.id, referral_id=link.referral_id, code=cause.code, field=cause.field)
