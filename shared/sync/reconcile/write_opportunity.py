"""Writes to Salesforce: conditional where a person can edit, batched where fields are ours alone (protocol.md 5)."""

from collections.abc import Sequence
from copy import replace

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side, Value
from shared.domain.link import Effect, EffectKind, Link
from shared.domain.plan import Change, described
from shared.domain.records import Opportunity
from shared.domain.states import Mark, State
from shared.sync.context import Context
from shared.sync.ports import Line, Write, Written
from shared.sync.reconcile.audit_lines import FROM_PARTNER_CENTER, MERGED, line, render
from shared.sync.reconcile.pair import Outcome, Pair, Result, confirm, fill, is_lease_short
from shared.sync.reconcile.write_referral import (
    apply_plan,
    compared,
    ignored_lines,
    intended,
    is_refused,
    notices,
    problem_line,
    untold,
    with_ignored,
)
from shared.sync.retry.error_policy import called, guarded

CONDITIONAL, COLLECTION = 24, 200
"""Records of one Composite call (protocol.md section 5)."""


def mark_of(link: Link) -> Mark:
    """What the seller is to see: a cross where somebody must act, waiting where time must pass, else a tick."""
    if link.cause is not None or is_refused(link):
        return Mark.FAILED
    return Mark.WAITING if link.waiting or link.state is State.ON_HOLD else Mark.SYNCED


# --- values a person can edit -----------------------------------------------------------------------------------------


def write(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    """Carry the plans' changes to Salesforce, 24 a call; the pairs whose row changed meanwhile (412) come back."""
    chunks = [pairs[start : start + CONDITIONAL] for start in range(0, len(pairs), CONDITIONAL)]
    changed = ctx.workers.map(lambda chunk: _write_chunk(ctx, chunk), chunks, at_most=ctx.parallelism(Side.SALESFORCE))
    return [pair for found in changed for pair in found]


def _write_chunk(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    writes = [found for pair in pairs if (found := guarded(ctx, pair, _prepare))]
    if not writes:
        return []
    by_id = {pair.id: pair for pair in pairs}
    changed: list[Pair] = []
    for written in called(ctx, pairs, ctx.salesforce.update_unmodified, writes, ctx.translation.columns):
        pair = by_id[written.id]
        if written.changed:
            changed.append(pair)
            continue
        guarded(ctx, pair, _confirm_write, written)
    return changed


def _prepare(ctx: Context, pair: Pair) -> Write | None:
    if pair.plan is None or pair.opportunity is None:
        return None
    apply_plan(pair)
    changes = pair.plan.to_salesforce
    fill(ctx, pair, *intended(pair, ()), lines=notices(ctx, pair))
    told = (_line(ctx, changes), *(line(ctx.clock.now(), MERGED, text) for text in pair.plan.losses))
    audit = render([*told, *ctx.store.audit(pair.id)])
    values = {**ctx.translation.values(changes), **_own_values(ctx, pair, audit)}
    return Write(pair.id, values, pair.opportunity.modified)


def _line(ctx: Context, changes: tuple[Change, ...]) -> Line:
    return line(ctx.clock.now(), FROM_PARTNER_CENTER, described(changes))


def _own_values(ctx: Context, pair: Pair, audit: str) -> dict[str, object]:
    """The fields that are ours alone: mark and audit always, the referral's id and link where the row lacks them."""
    values: dict[str, object] = dict(ctx.translation.mark(mark_of(pair.link), audit))
    has = pair.opportunity.referral_id if pair.opportunity else None
    if pair.link.referral_id and has != pair.link.referral_id:
        values |= ctx.translation.identity(pair.link.referral_id)
    return values


def _confirm_write(ctx: Context, pair: Pair, written: Written) -> None:
    if pair.plan is None:
        return
    if written.locked:
        pair.outcome = Outcome(Result.DUE, "locked")
        return
    changes = pair.plan.to_salesforce
    if written.refused or written.row is None:
        _refused(ctx, pair, changes, written.refused)
        return
    seen = ctx.translation.opportunity(written.row, written.at)
    taken, ignored = compared(changes, seen.deal)
    now = ctx.clock.now()
    link = with_ignored(pair.link, ignored, Side.SALESFORCE, now)
    link = replace(link, base=link.base.with_(_agreed(pair, taken)), mark=mark_of(link), unwritten=bool(ignored))
    _read_back(pair, seen)
    told = [_line(ctx, taken)] if taken else []
    confirm(ctx, pair, EffectKind.WRITE_OPPORTUNITY, link, (*told, *ignored_lines(now, ignored), *untold(ctx, pair)))
    fields = [change.field for change in changes]
    ctx.log("opportunity_written", opportunity_id=pair.id, referral_id=link.referral_id, fields=fields)


def _agreed(pair: Pair, taken: tuple[Change, ...]) -> dict[str, Value | None]:
    """What both sides are now known to have held: of two texts joined here alone, the one that Partner Center keeps."""
    held = pair.referral.deal if pair.referral else Deal()
    return {change.field: held.get(change.field, change.new) for change in taken}


def _read_back(pair: Pair, seen: Opportunity) -> None:
    """Take the row that was read back; what plain columns cannot show (the account's stamp) stays as it was."""
    before = pair.opportunity
    if before is not None:
        seen = replace(
            seen, problems=before.problems, stamps={"account": before.stamps.get("account", ""), **seen.stamps}
        )
    pair.opportunity = seen


def _refused(ctx: Context, pair: Pair, changes: tuple[Change, ...], found: Cause | None) -> None:
    """Salesforce refuses the row (a validation rule, a field's security): park it, tell why, do not send it again."""
    if found is None:
        pair.outcome = Outcome(Result.DUE, "not_read_back", unsure=True)
        return
    now = ctx.clock.now()
    link = with_ignored(pair.link, changes, Side.SALESFORCE, now)
    link = replace(link, state=State.PARKED, cause=found, unwritten=True)
    confirm(ctx, pair, EffectKind.WRITE_OPPORTUNITY, link, (problem_line(now, found), *untold(ctx, pair)))
    pair.plan = replace(pair.plan, to_salesforce=()) if pair.plan else None
    pair.outcome = Outcome(Result.PARKED, found.code)
    ctx.log("pair_parked", opportunity_id=pair.id, referral_id=link.referral_id, code=found.code, field=found.field)


# --- fields that are ours alone ---------------------------------------------------------------------------------------


def needs_mark(pair: Pair) -> bool:
    """Whether the opportunity does not yet show how the sync stands."""
    link, row = pair.link, pair.opportunity
    if row is None:
        return False
    lacks_identity = link.referral_id is not None and row.referral_id != link.referral_id
    untold_lines = pair.plan is not None and bool(pair.plan.lines or pair.plan.losses)
    return link.unwritten or lacks_identity or untold_lines or link.mark != mark_of(link)


def mark(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Write id, link, mark and audit back, 200 a call. A write-back that is refused leaves the lines waiting."""
    chunks = [pairs[start : start + COLLECTION] for start in range(0, len(pairs), COLLECTION)]
    ctx.workers.map(lambda chunk: _mark_chunk(ctx, chunk), chunks, at_most=ctx.parallelism(Side.SALESFORCE))


def _mark_chunk(ctx: Context, pairs: Sequence[Pair]) -> None:
    writes = [found for pair in pairs if (found := guarded(ctx, pair, _prepare_mark))]
    if not writes:
        return
    by_id = {pair.id: pair for pair in pairs}
    for written in called(ctx, pairs, ctx.salesforce.update, writes, ctx.translation.columns):
        pair = by_id[written.id]
        guarded(ctx, pair, _confirm_mark, written)


def _prepare_mark(ctx: Context, pair: Pair) -> Write:
    lines = untold(ctx, pair)
    if lines or not (pair.link.intent and pair.link.intent.effects) or is_lease_short(ctx, pair):
        link = replace(pair.link, unwritten=True)
        fill(ctx, pair, Effect(EffectKind.MARK_OPPORTUNITY), lines=lines, link=link)
    return Write(pair.id, _own_values(ctx, pair, render(ctx.store.audit(pair.id))))


def _confirm_mark(ctx: Context, pair: Pair, written: Written) -> None:
    if written.locked or written.refused or written.row is None:
        code = written.refused.code if written.refused else "locked"
        pair.outcome = Outcome(Result.DUE, code)
        return
    seen = ctx.translation.opportunity(written.row, written.at)
    _read_back(pair, seen)
    # Not stored on its own: letting go of the lock follows at once, and a repeated write-back does no harm.
    pair.entry = replace(pair.entry, value=replace(pair.link, mark=mark_of(pair.link), unwritten=False))
