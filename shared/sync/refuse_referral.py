"""Says why a referral makes no record in Salesforce, in inbox and log, and when it is tried again.

Salesforce refuses it, or the opportunity that it names is linked to another one (docs/protocol.md#two-of-one).
"""

from copy import replace

from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.duplicates import is_second_referral, is_told, second_referral_cause, second_referral_line
from shared.domain.inbox import item_of_referral
from shared.domain.link import Link
from shared.domain.outdated_org import asked_again_at, may_be_outdated
from shared.domain.records import Referral
from shared.foundation.errors import Rejected
from shared.mapping.refusals import with_mapping_lines
from shared.sync.ports import BUSY, WAITING, Context, Entry, Outcome, Result
from shared.sync.referral_claim import Claim, ignore_referral
from shared.sync.retry_queue import pausing_on_failure, queue_pair


def refused_referral(ctx: Context, referral: Referral, claim: Claim, error: Rejected) -> Outcome:
    """Try again soon if the org may have changed, else say why the referral makes no opportunity."""
    if not may_have_changed(ctx, error):
        refusal = with_mapping_lines(error.cause, error.step, ctx.translation.file, ctx.translation.org)
        return queue_refused(ctx, referral, claim, refusal)
    claim.delete(ctx)
    return Outcome(Result.RETRY, "org_changed", asked_again_at(ctx.store.org_shape(), ctx.clock.now()))


def may_have_changed(ctx: Context, error: Rejected) -> bool:
    """Whether the org may have changed since it was asked. The next run asks it anew."""
    return may_be_outdated(error.cause.code, ctx.store.org_shape(), ctx.translation.org, ctx.clock.now())


def queue_refused(ctx: Context, referral: Referral, claim: Claim, refusal: Cause) -> Outcome:
    """Say in inbox and log why a referral makes no opportunity, and try again hourly: no link can be parked yet."""
    address = ctx.translation.constants.referral_link.format(id=referral.id)
    with pausing_on_failure(ctx, Side.SALESFORCE):
        claim.report(ctx, item_of_referral(referral, refusal, address))
    return Outcome(Result.RETRY, "refused", ctx.clock.now() + ctx.policy.held_interval)


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
