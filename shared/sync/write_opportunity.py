"""Writes opportunities: values that people edit under a condition, and the connector's own fields without one.

Source: docs/protocol.md#writing-values-that-people-edit, docs/protocol.md#writing-the-connectors-own-fields.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime
from itertools import batched
from typing import Any

from msgspec import Struct

from shared.domain.audit_text import audit_text
from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side
from shared.domain.help_outcomes import request_to_show, without_request
from shared.domain.link import TRY_AGAIN, Effect, EffectKind, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.name_mark import marked_name
from shared.domain.own_columns import ColumnTries, kept_refusal
from shared.domain.plan_lead import ACCEPTED_LEAD
from shared.domain.records import Opportunity
from shared.domain.repeats import UNREADABLE
from shared.domain.transitions import parked, without_refusals
from shared.domain.transitions import written as written_link
from shared.domain.unreadable_refusals import taken
from shared.sync.pair_lease import (
    Pair,
    audit_lines,
    call_salesforce,
    confirm_effect,
    end_parked,
    record_intent,
    record_writes,
    run_step,
)
from shared.sync.ports import RECONCILED, Context, Json, Outcome, Result, Write, Written
from shared.sync.put_back_columns import are_left_alone, count_put_back
from shared.sync.unreachable_deals import leave_inbox, leave_missing, show_in_inbox

CONDITIONAL = 24
"""Conditional PATCHes of one Composite call; the 25th subrequest reads them back."""
COLLECTION, BARE = 200, 2
"""Records of one collection update, and the columns that each write-back has: mark and audit."""


# --- values that people edit


def write_opportunities(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    """Write the plans' changes in one call. Returns the pairs to plan again.

    The record changed meanwhile (412), or one of several refused values was written (docs/protocol.md#rejected-writes).
    """
    writes = [write for pair in pairs if (write := run_step(ctx, pair, prepare_write))]
    if not writes:
        return []
    by_id = {pair.id: pair for pair in pairs}
    changed: list[Pair] = []
    for written in call_salesforce(ctx, pairs, ctx.salesforce.update_unmodified, writes):
        pair = by_id[written.id]
        if written.changed or run_step(ctx, pair, _confirm_write, written):
            changed.append(pair)
    return changed


def prepare_write(ctx: Context, pair: Pair, *, is_shown: bool = True) -> Write | None:
    """Store what is about to be written, and return it; `is_shown` says whether it carries our own fields."""
    if pair.plan is None or pair.opportunity is None:
        return None
    pair.put_plan_into_link(ctx.translation.rules)
    record_writes(ctx, pair)
    changes = pair.plan.to_salesforce
    values = ctx.translation.values(changes)
    if is_shown and pair.link.unshown is None:
        lines = [*pair.pending.expected_lines(changes, ctx.clock.now()), *audit_lines(ctx, pair)]
        mark, missing = without_refusals(pair.link, changes, pair.plan).due_mark, _missing_identity(ctx, pair)
        values |= _with_unshown(ctx, pair, ctx.translation.shown_state(mark, audit_text(lines), missing))
        values |= request_values(ctx, pair)
        if (own := ctx.translation).name_column:
            values |= marked_name(values, own.name_column, pair.opportunity.name or "", mark, own.signs)
    return Write(pair.id, values, pair.opportunity.modified)


def _with_unshown(ctx: Context, pair: Pair, values: dict[str, Any]) -> dict[str, Any]:
    """The values of the columns of ours, with what is not shown of Microsoft's news and of our time to answer."""
    if _must_tick(pair):
        values |= {ctx.translation.file.ours.flag: True}
    if pair.news:
        values |= ctx.translation.shown_news(without_request(pair.news))
    return values | ctx.translation.shown_answer(pair.answer_until) if _is_answer_unshown(ctx, pair) else values


def request_values(ctx: Context, pair: Pair) -> dict[str, Any]:
    """What a colleague asked, by the columns in which sellers ask: it is written under a condition only."""
    if not pair.news or pair.opportunity is None:
        return {}
    return ctx.translation.shown_news(request_to_show(pair.link, pair.opportunity.sharing, pair.news))


def _must_tick(pair: Pair) -> bool:
    """Whether the opportunity of a lead that was accepted is not ticked yet."""
    return pair.link.lead == ACCEPTED_LEAD and pair.opportunity is not None and not pair.opportunity.flagged


def _is_answer_unshown(ctx: Context, pair: Pair) -> bool:
    column = ctx.translation.answer_column
    return column is not None and pair.opportunity is not None and pair.opportunity.answer_by != pair.answer_until


def _confirm_write(ctx: Context, pair: Pair, written: Written) -> bool:
    """Confirm a write by what was read back; whether the pair must be planned again for values that are not sent."""
    if must_be_written_singly(ctx, pair, written):
        return _write_first_alone(ctx, pair)
    take_answer(ctx, pair, written, is_shown=pair.link.unshown is None)
    return False


def must_be_written_singly(ctx: Context, pair: Pair, written: Written) -> bool:
    """Whether Salesforce refused values together, or one with our own fields or a mark: any may be the guilty one."""
    if (refusal := written.refused) is None or pair.plan is None:
        return False
    is_own = refusal.field in ctx.translation.shown_columns or refusal.code == UNREADABLE
    return is_own or ctx.translation.name_column is not None or len(pair.plan.to_salesforce) > 1


def keep_first_writes(pair: Pair, first: int) -> None:
    """Keep only the first of the plan's writes to Salesforce: the others were refused, or follow later."""
    if pair.plan is not None:
        pair.narrow_plan(replace(pair.plan, to_salesforce=pair.plan.to_salesforce[:first]))


def take_answer(ctx: Context, pair: Pair, written: Written, *, is_shown: bool = True, is_last: bool = True) -> None:
    """Confirm a write, park what Salesforce refuses, or let the pair wait."""
    if written.locked:
        pair.end(Outcome(Result.RETRY, "locked"))
    elif written.refused:
        _park(ctx, pair, written.refused, is_last=is_last)
    elif written.record is None:
        pair.end(Outcome(Result.RETRY, "not_read_back", unsure=True))
    else:
        _confirm_values(ctx, pair, written.record, written.at, is_shown=is_shown, is_last=is_last)


def _write_first_alone(ctx: Context, pair: Pair) -> bool:
    """Write the first value without the others and without our own fields: any of them may be the guilty one."""
    is_last = pair.plan is None or len(pair.plan.to_salesforce) == 1
    keep_first_writes(pair, 1)
    write = prepare_write(ctx, pair, is_shown=False)
    for written in call_salesforce(ctx, [pair], ctx.salesforce.update_unmodified, [write] if write else []):
        if written.changed:
            return True
        take_answer(ctx, pair, written, is_shown=False, is_last=is_last)
    return not is_last and pair.outcome is None


def _confirm_values(ctx: Context, pair: Pair, record: Json, at: datetime, *, is_shown: bool, is_last: bool) -> None:
    if pair.plan is None:
        return
    changes, read_back = pair.plan.to_salesforce, ctx.translation.opportunity(record, at)
    now, referral = ctx.clock.now(), pair.referral.deal if pair.referral else Deal()
    if is_shown and pair.news:
        pair.take_news_shown(ctx.translation.news_columns)
    before = without_refusals(pair.link, changes, pair.plan)
    confirmed = written_link(before, changes, read_back.deal, referral, now, is_shown=is_shown)
    pair.take_read_back(read_back)
    lines = (*confirmed.lines, *pair.pending.take_confirmed(changes, now))
    confirm_effect(ctx, pair, EffectKind.WRITE_OPPORTUNITY, confirmed.link, lines, is_last=is_last)
    ids = {"correlation_id": ctx.correlation_id, "opportunity_id": pair.id, "referral_id": pair.link.referral_id}
    ctx.log("opportunity_written", **ids, fields=[change.field for change in changes])


def _park(ctx: Context, pair: Pair, cause: Cause, *, is_last: bool) -> None:
    """Salesforce refuses the record (a validation rule, field security): park it, and try it again in an hour."""
    now, changes = ctx.clock.now(), pair.plan.to_salesforce if pair.plan else ()
    refusal = parked(pair.link, changes, Side.SALESFORCE, cause, _after_all_changes(pair, now))
    lines = (*refusal.lines, *pair.pending.take_notes(now))
    confirm_effect(ctx, pair, EffectKind.WRITE_OPPORTUNITY, refusal.link, lines)
    keep_first_writes(pair, 0)
    end_parked(ctx, pair, cause, now + TRY_AGAIN, is_last=is_last)


def _after_all_changes(pair: Pair, now: datetime) -> datetime:
    """Now, or the last change by a service's own clock: only a later change lets a refused value be written again."""
    modified = pair.opportunity.modified if pair.opportunity else now
    return max(now, modified, pair.referral.updated if pair.referral else now)


# --- the connector's own fields


def batches_of_write_backs(ctx: Context, pairs: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs whose opportunity does not show the present state of the sync, as many together as one call takes.

    A pair that is tried again reports nothing yet; a parked one reports why, and a new one that it waits.
    """
    leave_missing(ctx, [pair for pair in pairs if pair.missing_at is not None])
    for pair in pairs:
        if pair.link.inbox is not None and pair.link.state is not State.GONE and _is_shown(ctx, pair):
            run_step(ctx, pair, leave_inbox)
    ended = (Result.PARKED, None)
    shown = [pair for pair in pairs if (pair.outcome and pair.outcome.result) in ended or pair.link.is_creating]
    unreported = [pair for pair in shown if _needs_write_back(ctx, pair)]
    return [list(batch) for batch in batched(unreported, COLLECTION, strict=False)]


def _is_shown(ctx: Context, pair: Pair) -> bool:
    """Whether the opportunity needs no record in the inbox: it shows all, or takes no part any more."""
    if pair.outcome is not None or pair.opportunity is None:
        return pair.outcome == RECONCILED
    return pair.link.unshown is None and not _needs_write_back(ctx, pair)


def _needs_write_back(ctx: Context, pair: Pair) -> bool:
    """Whether the opportunity does not show the present state of the sync, in columns that it may take now."""
    link, has_lines = pair.link, pair.link.unwritten or bool(pair.pending.notes)
    if pair.opportunity is None:
        return False
    if pair.news and ctx.translation.shown_news(pair.news).keys() - link.columns_left_out(ctx.clock.now()):
        return True
    if link.unshown is None:
        missing, is_answered = _missing_identity(ctx, pair), not _is_answer_unshown(ctx, pair)
        is_complete = missing is None and is_answered
        if link.repeats and not is_complete:
            is_complete = are_left_alone(ctx, pair, missing, is_answered=is_answered)
        return has_lines or not is_complete or link.mark != link.due_mark or _must_tick(pair)
    ours, left_out = ctx.translation.file.ours, link.columns_left_out(ctx.clock.now())
    return (
        (_must_tick(pair) and ours.flag not in left_out)
        or (has_lines and ours.audit not in left_out)
        or (_missing_identity(ctx, pair) is not None and left_out.isdisjoint((ours.identifier, ours.link)))
        or ((link.mark != link.due_mark or ours.status in link.unshown.columns) and ours.status not in left_out)
        or (_is_answer_unshown(ctx, pair) and ours.answer_by not in left_out)
    )


class _WriteBack(Struct, frozen=True):
    """The fields of ours that one opportunity is to show, with the mark. `whole` has those that are left out too."""

    pair: Pair
    tries: ColumnTries
    mark: Mark | None
    whole: Mapping[str, object]


def write_back(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Write identity, mark and audit in one call. Where Salesforce refuses a record, write less of it.

    If it refuses each column, the link stands and the lines wait.
    """
    coming = [own for pair in pairs if (own := run_step(ctx, pair, _prepare_write_back))]
    while coming:
        coming = _send_write_backs(ctx, {own.pair.id: own for own in coming})


def _send_write_backs(ctx: Context, coming: Mapping[str, _WriteBack]) -> list[_WriteBack]:
    """Write one batch; returns what is left to try of the records that Salesforce refused."""
    writes = [Write(key, own.tries.coming) for key, own in coming.items()]
    answers = call_salesforce(ctx, [own.pair for own in coming.values()], ctx.salesforce.update, writes)
    records = [written.record for written in answers if written.record is not None]
    read = ctx.translation.opportunities(records, answers[0].at) if answers else {}
    smaller: list[_WriteBack] = []
    for written in answers:
        own = coming[written.id]
        if (written.refused or own.tries.refusal) and not written.locked:
            own = replace(own, tries=own.tries.after(written.refused))
            if own.tries.coming:
                smaller.append(own)
                continue
        run_step(ctx, own.pair, _confirm_write_back, own, written, read.get(written.id))
    return smaller


def store_coming_write(ctx: Context, pair: Pair, *, is_whole: bool = True) -> None:
    """Store that the opportunity is about to be written, with the lines that wait, unless the row says so already.

    Without `is_whole`, the write shows no more than the mark in the name.
    """
    lines = pair.pending.dated_notes(ctx.clock.now())
    effects = pair.link.intent.effects if pair.link.intent else ()
    if lines or not effects or _is_lease_short(ctx, pair):
        # The intent of a create of unknown outcome stays, so that recovery looks for the referral.
        unwritten = is_whole or pair.link.unwritten or bool(lines)
        coming = effects if pair.link.is_creating else (Effect(EffectKind.MARK_OPPORTUNITY),)
        record_intent(ctx, pair, *coming, link=replace(pair.link, unwritten=unwritten), lines=lines)
        pair.pending.drop_notes()


def _prepare_write_back(ctx: Context, pair: Pair) -> _WriteBack:
    store_coming_write(ctx, pair)
    missing, stored, mark = _missing_identity(ctx, pair), audit_lines(ctx, pair), pair.link.due_mark
    whole = values = _with_unshown(ctx, pair, ctx.translation.shown_state(mark, audit_text(stored), missing))
    if pair.link.unshown:
        left_out = pair.link.columns_left_out(ctx.clock.now())
        values = {column: value for column, value in whole.items() if column not in left_out}
    return _WriteBack(pair, ColumnTries(values), mark, whole)


def _is_lease_short(ctx: Context, pair: Pair) -> bool:
    """Whether less than two deadlines of the lease are left: no effect may start then."""
    return ctx.clock.now() - pair.renewed_at > ctx.policy.lease - 2 * ctx.policy.deadline


def _missing_identity(ctx: Context, pair: Pair) -> str | None:
    """The referral's id, where the opportunity does not name it, or lacks the link to its page."""
    shown, unshown = pair.opportunity.referral_id if pair.opportunity else None, pair.link.unshown
    lacks_link = unshown is not None and ctx.translation.file.ours.link in unshown.columns
    return pair.link.referral_id if lacks_link or shown != pair.link.referral_id else None


def _confirm_write_back(
    ctx: Context, pair: Pair, own: _WriteBack, written: Written, read_back: Opportunity | Exception | None
) -> None:
    if isinstance(read_back, Exception):
        raise read_back
    refusal = own.tries.refusal
    if written.locked or (read_back is None and refusal is None):
        pair.end(Outcome(Result.RETRY, "locked"))
        return
    if read_back is not None:
        pair.take_read_back(read_back)
    if pair.link.repeats and refusal is None:
        pair.take_link(taken(pair.link, Side.SALESFORCE))
    shown = own.tries.taken if refusal else own.tries.coming
    if refusal is None and pair.link.mark is not None and len(shown) > BARE:
        count_put_back(ctx, pair, shown)
    _note_shown(ctx, pair, own, shown)
    if refusal and not shown and pair.link.state is not State.PAUSED:
        show_in_inbox(ctx, pair, refusal)
    elif pair.link.inbox is not None:
        leave_inbox(ctx, pair)
    if refusal:  # a paused deal is not looked at again
        again_at = None if pair.link.state is State.PAUSED else ctx.clock.now() + TRY_AGAIN
        end_parked(ctx, pair, refusal, again_at)


def _note_shown(ctx: Context, pair: Pair, own: _WriteBack, shown: Mapping[str, object]) -> None:
    """Note which columns were written. It is stored with the release; a repeated write-back does no harm."""
    known, ours = pair.link.unshown, ctx.translation.file.ours
    asked = request_values(ctx, pair).keys()
    lacking = tuple(sorted((own.whole.keys() - shown.keys()) | (asked & {*(known.columns if known else ())})))
    unshown = None
    if lacking:
        found = Unshown(lacking, ctx.clock.now(), kept_refusal(own.tries.refusal))
        unshown = found if own.tries.refusal or known is None else replace(known, columns=lacking)
    mark = own.mark if ours.status not in lacking else pair.link.mark
    pair.take_shown(mark, unshown, unwritten=ours.audit in lacking)
    if pair.news and not asked and ctx.translation.shown_news(pair.news).keys().isdisjoint(lacking):
        pair.take_news_shown(ctx.translation.news_columns)
