"""Pull: Partner Center to Salesforce, for referrals that an event, the sweep or the due list names."""

from collections.abc import Mapping, Sequence

from shared.domain.deal import Side
from shared.sync.context import Context, Mode
from shared.sync.ports import Due
from shared.sync.reconcile.create_opportunity import Linked, receive
from shared.sync.reconcile.pair import Outcome, Result
from shared.sync.reconcile.reconcile import pull_pairs
from shared.sync.retry.error_policy import is_paused, outcome_of
from shared.sync.retry.retry_queue import note

PULL = "pull"


def pull_event(ctx: Context, referral_id: str) -> Outcome | None:
    """Pull one referral because an event named it; None where events are dropped: the sweep will find it."""
    if ctx.policy.mode is not Mode.ON or PULL in ctx.policy.paused:
        ctx.log("run_skipped", run="event", reason=ctx.policy.mode if ctx.policy.mode is not Mode.ON else "paused")
        return None
    outcomes = pull(ctx, [referral_id], {})
    return outcomes[referral_id]


def pull(ctx: Context, referral_ids: Sequence[str], worked: Mapping[str, Due]) -> Mapping[str, Outcome]:
    """Pull referrals; each ends settled, held, parked or on the due list."""
    if not referral_ids:
        return {}
    if is_paused(ctx, Side.PARTNER_CENTER) or is_paused(ctx, Side.SALESFORCE):
        until = max(filter(None, (ctx.store.side(side).paused_until for side in Side)))
        outcomes = dict.fromkeys(referral_ids, Outcome(Result.DUE, "side_paused", until))
    else:
        outcomes = _pulled(ctx, referral_ids, worked)
    note(ctx, Side.PARTNER_CENTER, outcomes, worked)
    return outcomes


def _pulled(ctx: Context, referral_ids: Sequence[str], worked: Mapping[str, Due]) -> dict[str, Outcome]:
    at_most = ctx.parallelism(Side.PARTNER_CENTER)
    received = ctx.workers.map(lambda key: _received(ctx, key), referral_ids, at_most=at_most)
    outcomes = {key: end for key, end in zip(referral_ids, received, strict=True) if isinstance(end, Outcome)}
    linked = {
        end.opportunity_id: key for key, end in zip(referral_ids, received, strict=True) if isinstance(end, Linked)
    }
    due = {opportunity_id for opportunity_id, key in linked.items() if key in worked}
    for opportunity_id, outcome in pull_pairs(ctx, list(linked), due).items():
        outcomes[linked[opportunity_id]] = outcome
    return {key: outcomes.get(key, Outcome(Result.SETTLED)) for key in referral_ids}


def _received(ctx: Context, referral_id: str) -> Linked | Outcome:
    try:
        return receive(ctx, referral_id)
    except Exception as error:  # noqa: BLE001 - one bad record harms no other (design.md section 4, rule 7)
        return outcome_of(ctx, error, referral_id)
