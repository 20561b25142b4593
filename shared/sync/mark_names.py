"""Writes the mark in front of opportunities' names, where the mapping file asks for it.

A name belongs to people, so the mark is written under the condition that nobody has changed the record since it was
read. Where somebody has, or the record is too young for the condition, the next look at the pair writes it.

Source: docs/protocol.md#the-mark-in-the-name.
"""

from collections.abc import Sequence
from copy import replace
from itertools import batched

from shared.domain.deal import Change, Side
from shared.domain.name_mark import with_mark
from shared.domain.ping_pong import PING_PONG, is_set_back, with_writes
from shared.sync.pair_lease import Pair, call_salesforce, run_step
from shared.sync.ports import Context, Outcome, Result, Write, Written
from shared.sync.write_opportunity import CONDITIONAL, store_coming_write

NAME_MARK = "name_mark"
MARK = f"{Side.SALESFORCE}.{NAME_MARK}"
"""The key under which the link counts the writes of a mark."""


def mark_names(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Write the marks that are not shown, 24 in one call."""
    unmarked = [pair for pair in pairs if _is_unmarked(ctx, pair) and not _is_set_back(ctx, pair)]
    for chunk in batched(unmarked, CONDITIONAL, strict=False):
        writes = [write for pair in chunk if (write := run_step(ctx, pair, _prepare_mark))]
        by_id = {pair.id: pair for pair in chunk}
        for written in call_salesforce(ctx, chunk, ctx.salesforce.update_unmodified, writes) if writes else ():
            run_step(ctx, by_id[written.id], _take_answer, written)


def _is_unmarked(ctx: Context, pair: Pair) -> bool:
    """Whether the name shows another mark than it is to show, and can be written now."""
    opportunity, ended = pair.opportunity, pair.outcome
    if opportunity is None or opportunity.name is None or not (ended is None or ended.result is Result.PARKED):
        return False
    is_writable = opportunity.flagged and not opportunity.rests_in
    return is_writable and _marked(ctx, pair) != opportunity.name


def _is_set_back(ctx: Context, pair: Pair) -> bool:
    """Whether something takes this mark off the name each time it is written (docs/protocol.md#the-ping-pong-guard)."""
    repeats = pair.link.repeats
    return repeats is not None and is_set_back(repeats, MARK, _marked(ctx, pair), ctx.clock.now())


def _marked(ctx: Context, pair: Pair) -> str:
    return with_mark((pair.opportunity and pair.opportunity.name) or "", pair.link.due_mark, ctx.translation.signs)


def _note_written(ctx: Context, pair: Pair, change: Change) -> None:
    """Note that the mark was written; the log says when it is not written any more for an hour."""
    now = ctx.clock.now()
    link = replace(pair.link, repeats=with_writes(pair.link.repeats, Side.SALESFORCE, (change,), now))
    pair.take_link(link)
    if link.repeats is not None and is_set_back(link.repeats, MARK, change.new, now):
        ids = {"correlation_id": ctx.correlation_id, "opportunity_id": pair.id}
        ctx.log("name_mark_refused", **ids, code=PING_PONG, field=ctx.translation.name_column)


def _prepare_mark(ctx: Context, pair: Pair) -> Write | None:
    opportunity, column = pair.opportunity, ctx.translation.name_column
    if opportunity is None or column is None:
        return None
    store_coming_write(ctx, pair, is_whole=False)
    return Write(pair.id, {column: _marked(ctx, pair)}, opportunity.modified)


def _take_answer(ctx: Context, pair: Pair, written: Written) -> None:
    """Take what was read back. A mark that is refused is told in the log; the status field shows the same."""
    if written.refused:
        code, field = written.refused.code, written.refused.field
        ids = {"correlation_id": ctx.correlation_id, "opportunity_id": pair.id}
        ctx.log("name_mark_refused", **ids, code=code, field=field)
    elif written.locked and pair.outcome is None:
        pair.end(Outcome(Result.RETRY, "locked"))
    elif written.record is not None and not written.changed:
        _note_written(ctx, pair, Change(NAME_MARK, NAME_MARK, None, _marked(ctx, pair)))
        pair.take_read_back(ctx.translation.opportunity(written.record, written.at))
