"""Works a batch of ids and keeps the retry queue, for whichever run named them."""

from collections.abc import Mapping, Sequence

from shared.domain.deal import Side
from shared.sync.context import Context
from shared.sync.outcome import RECONCILED, Outcome, Outcomes
from shared.sync.ports import RetryEntry
from shared.sync.reconcile.link_referral import link_referral
from shared.sync.reconcile.reconcile import reconcile_pulled, reconcile_pushed
from shared.sync.reconcile.referral_claim import Linked
from shared.sync.retry.error_policy import outcome_of_error
from shared.sync.retry.retry_queue import keep_retry_queue
from shared.sync.retry.side_health import is_paused, retry_after_pause


def work_opportunities(
    ctx: Context, opportunity_ids: Sequence[str], worked: Mapping[str, RetryEntry | None]
) -> Outcomes:
    """Push opportunities; `worked` holds their retry entries as read before the work."""
    outcomes = reconcile_pushed(ctx, opportunity_ids)
    keep_retry_queue(ctx, Side.SALESFORCE, outcomes, worked)
    return outcomes


def work_referrals(ctx: Context, referral_ids: Sequence[str], worked: Mapping[str, RetryEntry]) -> Outcomes:
    """Pull referrals; `worked` holds their retry entries as read before the work."""
    if not referral_ids:
        return {}
    if is_paused(ctx, Side.PARTNER_CENTER) or is_paused(ctx, Side.SALESFORCE):
        until = max(filter(None, (ctx.store.side_state(side).paused_until for side in Side)))
        outcomes = dict.fromkeys(referral_ids, retry_after_pause(until))
    else:
        outcomes = _pull(ctx, referral_ids, worked)
    keep_retry_queue(ctx, Side.PARTNER_CENTER, outcomes, worked)
    return outcomes


def _pull(ctx: Context, referral_ids: Sequence[str], worked: Mapping[str, RetryEntry]) -> dict[str, Outcome]:
    at_most = ctx.parallelism(Side.PARTNER_CENTER)
    results = dict(
        zip(
            referral_ids,
            ctx.workers.map(lambda key: _link_or_queue(ctx, key), referral_ids, at_most=at_most),
            strict=True,
        )
    )
    outcomes = {key: result for key, result in results.items() if isinstance(result, Outcome)}
    linked = {result.opportunity_id: key for key, result in results.items() if isinstance(result, Linked)}
    queued = {opportunity_id for opportunity_id, key in linked.items() if key in worked}
    for opportunity_id, outcome in reconcile_pulled(ctx, list(linked), queued).items():
        outcomes[linked[opportunity_id]] = outcome
    return {key: outcomes.get(key, RECONCILED) for key in referral_ids}


def _link_or_queue(ctx: Context, referral_id: str) -> Linked | Outcome:
    try:
        return link_referral(ctx, referral_id)
    except Exception as error:  # noqa: BLE001 - one bad record must not stop the others
        return outcome_of_error(ctx, error, referral_id)
