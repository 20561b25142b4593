"""Writes opportunities: values that people edit under a condition, and the connector's own fields without one.

Source: docs/protocol.md#writing-values-that-people-edit, docs/protocol.md#writing-the-connectors-own-fields.
"""

from collections.abc import Sequence
from copy import replace

from shared.domain.audit_text import audit_text
from shared.domain.cause import Cause
from shared.domain.deal import Change, Deal, Side
from shared.domain.link import Effect, EffectKind
from shared.domain.link_states import Mark
from shared.domain.records import Opportunity
from shared.domain.transitions import parked
from shared.domain.transitions import written as written_link
from shared.sync.pair_lease import (
    Pair,
    call_salesforce,
    confirm_effect,
    end_parked,
    record_intent,
    record_writes,
    run_step,
)
from shared.sync.ports import Context, Outcome, Result, Write, Written

CONDITIONAL = 24
"""Conditional PATCHes of one Composite call; the 25th subrequest reads them back."""
COLLECTION = 200
"""Records of one collection update."""


# --- values that people edit


def write_opportunities(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    """Write the plans' changes in one call; returns the pairs whose record a person changed meanwhile (412)."""
    writes = [write for pair in pairs if (write := run_step(ctx, pair, _prepare_write))]
    if not writes:
        return []
    by_id = {pair.id: pair for pair in pairs}
    changed: list[Pair] = []
    for written in call_salesforce(ctx, pairs, ctx.salesforce.update_unmodified, writes):
        if written.changed:
            changed.append(by_id[written.id])
        else:
            run_step(ctx, by_id[written.id], _confirm_write, written)
    return changed


def _prepare_write(ctx: Context, pair: Pair) -> Write | None:
    if pair.plan is None or pair.opportunity is None:
        return None
    pair.put_plan_into_link(ctx.translation.rules)
    record_writes(ctx, pair)
    changes = pair.plan.to_salesforce
    lines = [*pair.pending.expected_lines(changes, ctx.clock.now()), *ctx.store.audit(pair.id)]
    missing = _missing_identity(pair)
    shown = ctx.translation.shown_state(pair.link.due_mark, audit_text(lines), missing)
    return Write(pair.id, {**ctx.translation.values(changes), **shown}, pair.opportunity.modified)


def _confirm_write(ctx: Context, pair: Pair, written: Written) -> None:
    if pair.plan is None:
        return
    if written.locked:
        pair.end(Outcome(Result.RETRY, "locked"))
        return
    changes = pair.plan.to_salesforce
    if written.refused or written.record is None:
        _handle_refusal(ctx, pair, changes, written.refused)
        return
    read_back = ctx.translation.opportunity(written.record, written.at)
    now, referral = ctx.clock.now(), pair.referral.deal if pair.referral else Deal()
    confirmed = written_link(pair.link, changes, read_back.deal, referral, now)
    pair.take_read_back(read_back)
    lines = (*confirmed.lines, *pair.pending.take_all(now))
    confirm_effect(ctx, pair, EffectKind.WRITE_OPPORTUNITY, confirmed.link, lines)
    fields = [change.field for change in changes]
    ctx.log(
        "opportunity_written",
        correlation_id=ctx.correlation_id,
        opportunity_id=pair.id,
        referral_id=pair.link.referral_id,
        fields=fields,
    )


def _handle_refusal(ctx: Context, pair: Pair, changes: tuple[Change, ...], cause: Cause | None) -> None:
    """Salesforce refuses the record (a validation rule, field security): park it, and do not send it again."""
    if cause is None:
        pair.end(Outcome(Result.RETRY, "not_read_back", unsure=True))
        return
    now = ctx.clock.now()
    refusal = parked(pair.link, changes, Side.SALESFORCE, cause, now)
    confirm_effect(ctx, pair, EffectKind.WRITE_OPPORTUNITY, refusal.link, (*refusal.lines, *pair.pending.take_all(now)))
    pair.drop_writes_to_salesforce()
    end_parked(ctx, pair, cause)


# --- the connector's own fields


def needs_write_back(pair: Pair) -> bool:
    """Whether the opportunity does not show the present state of the sync."""
    link, opportunity = pair.link, pair.opportunity
    if opportunity is None:
        return False
    return (
        link.unwritten
        or _missing_identity(pair) is not None
        or pair.pending.has_lines_of_plan
        or link.mark != link.due_mark
    )


def write_back(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Write identity, mark and audit in one call. If Salesforce refuses, the link stands and the lines wait."""
    prepared = {pair.id: (pair, *own) for pair in pairs if (own := run_step(ctx, pair, _prepare_write_back))}
    if not prepared:
        return
    writes = [write for _, write, _ in prepared.values()]
    answers = call_salesforce(ctx, pairs, ctx.salesforce.update, writes)
    records = [written.record for written in answers if written.record is not None]
    read = ctx.translation.opportunities(records, answers[0].at) if answers else {}
    for written in answers:
        pair, _, mark = prepared[written.id]
        run_step(ctx, pair, _confirm_write_back, written, read.get(written.id), mark)


def _prepare_write_back(ctx: Context, pair: Pair) -> tuple[Write, Mark]:
    lines = pair.pending.take_all(ctx.clock.now())
    if lines or not (pair.link.intent and pair.link.intent.effects) or _is_lease_short(ctx, pair):
        unwritten = replace(pair.link, unwritten=True)
        record_intent(ctx, pair, Effect(EffectKind.MARK_OPPORTUNITY), link=unwritten, lines=lines)
    missing, stored = _missing_identity(pair), ctx.store.audit(pair.id)
    mark, shown = pair.link.due_mark, audit_text(stored)
    return Write(pair.id, ctx.translation.shown_state(mark, shown, missing)), mark


def _is_lease_short(ctx: Context, pair: Pair) -> bool:
    """Whether less than two deadlines of the lease are left: no effect may start then."""
    return ctx.clock.now() - pair.renewed_at > ctx.policy.lease - 2 * ctx.policy.deadline


def _missing_identity(pair: Pair) -> str | None:
    """The referral's id, where the opportunity does not name it."""
    shown = pair.opportunity.referral_id if pair.opportunity else None
    return None if shown == pair.link.referral_id else pair.link.referral_id


def _confirm_write_back(
    _: Context, pair: Pair, written: Written, read_back: Opportunity | Exception | None, mark: Mark
) -> None:
    if isinstance(read_back, Exception):
        raise read_back
    if written.locked or written.refused or read_back is None:
        pair.end(Outcome(Result.RETRY, written.refused.code if written.refused else "locked"))
        return
    pair.take_read_back(read_back)
    # Stored with the release that follows at once; a repeated write-back does no harm.
    pair.take_shown(mark)
