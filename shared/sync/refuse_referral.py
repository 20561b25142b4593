"""Says why a referral makes no record in Salesforce, in inbox and log, and when it is tried again."""

from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.inbox import item_of_referral
from shared.domain.outdated_org import asked_again_at, may_be_outdated
from shared.domain.records import Referral
from shared.foundation.errors import Rejected
from shared.mapping.refusals import with_mapping_lines
from shared.sync.ports import Context, Outcome, Result
from shared.sync.referral_claim import Claim
from shared.sync.retry_queue import pausing_on_failure


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
