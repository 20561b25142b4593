"""Tells of an open referral that claims an opportunity which is linked to another one (docs/protocol.md#two-of-one)."""

from copy import replace

from shared.domain.deal import Side
from shared.domain.duplicates import is_second_referral, is_told, second_referral_cause, second_referral_line
from shared.domain.link import Link
from shared.domain.records import Referral
from shared.sync.ports import BUSY, WAITING, Context, Entry, Outcome, Result
from shared.sync.referral_claim import Claim, ignore_referral
from shared.sync.refuse_referral import queue_refused
from shared.sync.retry_queue import queue_pair


def leave_second_referral(ctx: Context, referral: Referral, claim: Claim, known: Entry[Link]) -> Outcome:
    """Leave a second referral of an opportunity alone, and tell of an open one: inbox, log, and once the audit.

    The linked pair goes on. The referral is looked at each hour, and leaves the inbox once it is closed.
    """
    link = known.value
    if not is_second_referral(link, referral):
        return ignore_referral(ctx, claim, "another_referral_is_linked")
    if not is_told(ctx.store.audit(link.opportunity_id), referral.id):
        if link.intent is not None:
            claim.delete_if_unused(ctx)
            return BUSY
        _tell_opportunity(ctx, referral, known)
    return queue_refused(ctx, referral, claim, second_referral_cause(link))


def _tell_opportunity(ctx: Context, referral: Referral, known: Entry[Link]) -> None:
    """Store the line, which the next push shows. Its retry entry comes first, so that a crash loses neither."""
    now, deal = ctx.clock.now(), known.value.opportunity_id
    queue_pair(ctx, Side.SALESFORCE, deal, Outcome(Result.RETRY, WAITING, now))
    line = second_referral_line(referral.id, now)
    ctx.store.replace_link(known, replace(known.value, unwritten=True), (line,), ctx.correlation_id)
