"""Opportunities that can show nothing: one that takes not even the audit, was deleted, or is not visible.

The inbox shows the first two. A missing one is told apart by a read that includes the recycle bin, and looked for from
then on: a restored or visible record need not come with a new stamp.

Source: docs/protocol.md#the-inbox, docs/protocol.md#states-of-a-link.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import timedelta
from itertools import batched

from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.inbox import MAY_BE_SHOWN, InboxItem, item_of_deleted, item_of_opportunity
from shared.domain.known_versions import with_deletion
from shared.domain.link import WAS_DELETED, WAS_HIDDEN, Gone
from shared.domain.link_states import State
from shared.domain.recovery import recovered
from shared.domain.resting_links import gone, has_open_referral
from shared.domain.sentences import cause
from shared.domain.set_back import unseen_lines
from shared.foundation.errors import CosellError
from shared.sync.find_our_write import seen_referral
from shared.sync.pair_lease import Pair, record_intent, run_step
from shared.sync.ports import DELETED, HIDDEN, RECONCILED, Context, Outcome, Result, RetryEntry, text_literal
from shared.sync.retry_queue import outcome_of_error, pausing_on_failure

LOOK_FOR_DELETED = timedelta(days=1)
"""How often a deleted opportunity is looked for. A restored one mostly comes with a new stamp."""
IDS_OF_A_QUERY, QUERIES_OF_A_CALL = 400, 5
VISIBLE_AGAIN = Outcome(Result.RETRY, "visible_again")


# --- the inbox


def show_in_inbox(ctx: Context, pair: Pair, refusal: Cause) -> None:
    """Show in the inbox that Salesforce refuses even the audit: nobody would read it on the opportunity."""
    if pair.opportunity is not None:
        address = ctx.salesforce.page_address(pair.id)
        _show(ctx, pair, item_of_opportunity(pair.opportunity, pair.link, refusal, address))


def leave_inbox(ctx: Context, pair: Pair) -> None:
    """Delete the inbox record of an opportunity that shows again what the sync has to say."""
    ctx.remove_from_inbox(pair.id)
    _mark_in_inbox(ctx, pair, None)


def _show(ctx: Context, pair: Pair, item: InboxItem) -> None:
    """Show a deal in the inbox.

    The mark is stored before the record is written, so that a record whose writer stopped is found and deleted.
    """
    known = pair.link.inbox
    if known != item.fingerprint:
        _mark_in_inbox(ctx, pair, MAY_BE_SHOWN)
    shown = ctx.report_in_inbox(item, known)
    if shown != pair.link.inbox:
        _mark_in_inbox(ctx, pair, shown)


def _mark_in_inbox(ctx: Context, pair: Pair, shown: str | None) -> None:
    effects = pair.link.intent.effects if pair.link.intent else ()
    record_intent(ctx, pair, *effects, link=replace(pair.link, inbox=shown))


# --- missing opportunities


def leave_missing(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Let the deals of missing opportunities be gone. Nothing is created again, and no referral is closed."""
    missing = [pair for pair in pairs if not (pair.outcome and pair.outcome.result is Result.RETRY)]
    linked = [pair for pair in missing if pair.link.referral_id]
    try:
        with pausing_on_failure(ctx, Side.SALESFORCE):
            is_deleted = dict(_looked_up(ctx, [pair.id for pair in linked])) if linked else {}
    except CosellError as error:
        for pair in linked:
            pair.end(outcome_of_error(ctx, error, pair.id))
        return
    for pair in linked:
        run_step(ctx, pair, _be_gone, is_deleted)
    for pair in missing:  # only now: a run that stops before comes back
        if pair.missing_at is not None and pair.outcome == RECONCILED:
            pair.take_link(with_deletion(pair.link, pair.missing_at))


def _looked_up(ctx: Context, ids: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Each id that Salesforce shows, with the recycle bin, and whether it is in there."""
    some = (", ".join(map(text_literal, part)) for part in batched(ids, IDS_OF_A_QUERY, strict=False))
    queries = (f"SELECT Id, IsDeleted FROM Opportunity WHERE Id IN ({part})" for part in some)  # noqa: S608 - literals
    for call in batched(queries, QUERIES_OF_A_CALL, strict=False):
        for page in ctx.salesforce.query(*call, deleted=True).pages:
            yield from ((str(record["Id"]), bool(record["IsDeleted"])) for record in page.records)


def _be_gone(ctx: Context, pair: Pair, is_deleted: Mapping[str, bool]) -> None:
    """Note why the opportunity is gone, and when it is looked for again.

    One that left the recycle bin cannot come back, and of a closed deal nothing is waited for.
    """
    found, known = is_deleted.get(pair.id), pair.link.gone if pair.link.state is State.GONE else None
    if found is False:
        pair.end(VISIBLE_AGAIN)
        return
    if pair.interrupted.effects:
        _recover(ctx, pair, pair.link.referral_id or "")
    was_deleted = found is True or (known is not None and known.code == WAS_DELETED)
    code, now = WAS_DELETED if was_deleted else WAS_HIDDEN, ctx.clock.now()
    if known is None or known.code != code or code == WAS_HIDDEN:  # a hidden one is logged at each look
        ids = {"opportunity_id": pair.id, "referral_id": pair.link.referral_id}
        event = "opportunity_deleted" if was_deleted else "opportunity_hidden"
        ctx.log(event, correlation_id=ctx.correlation_id, **ids)
    if known is None or known.code != code:
        left = gone(pair.link, code, now)
        record_intent(ctx, pair, link=left.link, lines=(*pair.pending.take_held(now), *left.lines))
    _tell_deleted(ctx, pair)
    if not was_deleted or (found is True and has_open_referral(pair.link)):
        at, why = (now + LOOK_FOR_DELETED, DELETED) if was_deleted else (now + ctx.policy.held_interval, HIDDEN)
        ctx.store.put_retry_entry(RetryEntry(Side.SALESFORCE, pair.id, at, why, since=now))


def _recover(ctx: Context, pair: Pair, referral_id: str) -> None:
    """Take what an interrupted run wrote: later, nobody could tell that it replaced a value.

    Partner Center shows whether the write took effect. The opportunity does not, so the edit is named in any case.
    """
    referral = pair.read_referral or ctx.translation.referral(ctx.partner_center.get(referral_id))
    pair.take_referral(referral)
    seen = {Side.PARTNER_CENTER: seen_referral(pair, referral)}
    current, rules, now = {Side.PARTNER_CENTER: referral.deal}, ctx.translation.rules, ctx.clock.now()
    found = recovered(pair.link, pair.interrupted, current, rules, now, referral.status, seen)
    unseen = tuple(unseen_lines(pair.link, pair.interrupted, rules, now))
    pair.take_recovery(replace(found, lines=(*found.lines, *unseen)))


def _tell_deleted(ctx: Context, pair: Pair) -> None:
    """Show in the inbox that a referral is open whose opportunity was deleted, until it is closed or restored."""
    link, status = pair.link, pair.read_referral.status if pair.read_referral else None
    if link.gone is not None and status is not None:
        pair.take_link(replace(link, gone=Gone(link.gone.code, link.gone.since, status.is_final)))
    link = pair.link
    is_told = link.gone is not None and link.gone.code == WAS_DELETED and link.before is not State.PAUSED
    if is_told and has_open_referral(link):
        address = ctx.translation.constants.referral_link.format(id=link.referral_id)
        _show(ctx, pair, item_of_deleted(link, cause("opportunity_deleted"), address))
    elif link.inbox is not None:
        leave_inbox(ctx, pair)
