"""The pull of one referral that an event names (docs/protocol.md#events)."""

from shared.sync.context import PULL, Context, Mode
from shared.sync.outcome import Outcome
from shared.sync.reconcile.batches import work_referrals


def pull_event(ctx: Context, referral_id: str) -> Outcome | None:
    """Pull one referral; None where the sync is off or paused: the sweep finds the change later."""
    if ctx.policy.mode is not Mode.ON or PULL in ctx.policy.paused:
        ctx.log("run_skipped", run="event", reason=ctx.policy.mode if ctx.policy.mode is not Mode.ON else "paused")
        return None
    return work_referrals(ctx, [referral_id], {})[referral_id]
