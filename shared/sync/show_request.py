"""Writes what a colleague asked of Microsoft into the fields in which sellers ask, where these are empty.

The fields belong to people, so they are written under the condition that nobody has changed the record since it was
read. Where somebody has, or the record is too young for the condition, the pair is looked at again.

Source: docs/protocol.md#asking-microsoft-for-help.
"""

from collections.abc import Iterable, Sequence
from itertools import batched

from shared.domain.cause import Cause
from shared.domain.help_outcomes import help_shown
from shared.domain.link import TRY_AGAIN, Unshown
from shared.domain.microsoft_news import not_shown
from shared.domain.own_columns import kept_refusal
from shared.mapping.stamps import MAX_COMMIT_TIME, SECOND
from shared.sync.pair_lease import Pair, call_salesforce, end_parked, run_step
from shared.sync.ports import WAITING, Context, Outcome, Result, Write, Written
from shared.sync.write_opportunity import CONDITIONAL, request_values, store_coming_write


def show_requests(ctx: Context, pairs: Iterable[Pair]) -> list[Pair]:
    """Write the requests that are not shown, 24 in one call. Returns the pairs that could not be written now."""
    asked = [pair for pair in pairs if _is_unshown(ctx, pair)]
    ready = [pair for pair in asked if pair.opportunity and not pair.opportunity.rests_in]
    for chunk in batched(ready, CONDITIONAL, strict=False):
        writes = [write for pair in chunk if (write := run_step(ctx, pair, _prepare))]
        by_id = {pair.id: pair for pair in chunk}
        for written in call_salesforce(ctx, chunk, ctx.salesforce.update_unmodified, writes) if writes else ():
            run_step(ctx, by_id[written.id], _take_answer, written)
    waiting = [pair for pair in asked if _is_unshown(ctx, pair)]
    for pair in waiting:
        pair.take_link(not_shown(pair.link))
    return waiting


def look_at_again(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Let released pairs whose request could not be written be looked at once their record may be written."""
    again = Outcome(Result.RETRY, "just_saved", ctx.clock.now() + MAX_COMMIT_TIME + 2 * SECOND)
    for pair in pairs:
        ended = pair.outcome
        if ended is None or (ended.cause == WAITING and _is_earlier(again, ended)):
            pair.end(again)


def _is_earlier(one: Outcome, other: Outcome) -> bool:
    return one.at is not None and other.at is not None and one.at < other.at


def _is_unshown(ctx: Context, pair: Pair) -> bool:
    """Whether a request is to be shown, in columns that may be written now."""
    opportunity, ended = pair.opportunity, pair.outcome
    if not pair.news or opportunity is None or not (ended is None or ended.result is Result.PARKED):
        return False
    return opportunity.flagged and bool(request_values(ctx, pair).keys() - pair.link.columns_left_out(ctx.clock.now()))


def _prepare(ctx: Context, pair: Pair) -> Write | None:
    if pair.opportunity is None:
        return None
    store_coming_write(ctx, pair, is_whole=False)
    return Write(pair.id, request_values(ctx, pair), pair.opportunity.modified)


def _take_answer(ctx: Context, pair: Pair, written: Written) -> None:
    if written.refused:
        _leave_out(ctx, pair, written.refused)
    elif written.locked and pair.outcome is None:
        pair.end(Outcome(Result.RETRY, "locked"))
    elif written.record is not None and not written.changed:
        pair.take_link(help_shown(pair.link))
        pair.take_read_back(ctx.translation.opportunity(written.record, written.at))


def _leave_out(ctx: Context, pair: Pair, refusal: Cause) -> None:
    """Write the refused columns again in an hour, as any column that the opportunity does not show."""
    now, known = ctx.clock.now(), pair.link.unshown
    columns = {*request_values(ctx, pair), *(known.columns if known else ())}
    unshown = Unshown(tuple(sorted(columns)), now, kept_refusal(refusal))
    pair.take_shown(pair.link.mark, unshown, unwritten=pair.link.unwritten)
    end_parked(ctx, pair, refusal, now + TRY_AGAIN)
