"""Shows in the inbox an opportunity that takes not even the audit (docs/protocol.md#the-inbox)."""

from copy import replace

from shared.domain.cause import Cause
from shared.domain.inbox import MAY_BE_SHOWN, item_of_opportunity
from shared.sync.pair_lease import Pair, record_intent
from shared.sync.ports import Context


def show_in_inbox(ctx: Context, pair: Pair, refusal: Cause) -> None:
    """Show in the inbox that Salesforce refuses even the audit: nobody would read it on the opportunity.

    The mark is stored before the record is written, so that a record whose writer stopped is found and deleted.
    """
    if pair.opportunity is None:
        return
    known, address = pair.link.inbox, ctx.salesforce.page_address(pair.id)
    item = item_of_opportunity(pair.opportunity, pair.link, refusal, address)
    if known != item.fingerprint:
        _mark_in_inbox(ctx, pair, MAY_BE_SHOWN)
    shown = ctx.report_in_inbox(item, known)
    if shown != pair.link.inbox:
        _mark_in_inbox(ctx, pair, shown)


def leave_inbox(ctx: Context, pair: Pair) -> None:
    """Delete the inbox record of an opportunity that shows again what the sync has to say."""
    ctx.remove_from_inbox(pair.id)
    _mark_in_inbox(ctx, pair, None)


def _mark_in_inbox(ctx: Context, pair: Pair, shown: str | None) -> None:
    effects = pair.link.intent.effects if pair.link.intent else ()
    record_intent(ctx, pair, *effects, link=replace(pair.link, inbox=shown))
