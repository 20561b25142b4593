"""The preview: plans and logs what a run would do; it writes nothing and moves no cursor.

Source: docs/protocol.md#off-preview-on.
"""

from collections import Counter
from itertools import batched

from shared.domain.deal import Status
from shared.domain.link import Link
from shared.domain.plan import creation_obstacles, plan_pair
from shared.domain.records import Opportunity, Referral
from shared.foundation.errors import UnreadableRow
from shared.sync.change_detection.referral_scan import changed_referrals
from shared.sync.change_detection.salesforce_poll import changed_opportunities
from shared.sync.context import Context

COUNTS = ("creates", "to_partner_center", "to_salesforce", "held")


def preview_push(ctx: Context) -> Counter[str]:
    """Count what the push would create, write and hold."""
    counts: Counter[str] = Counter()
    for batch in changed_opportunities(ctx):
        for chunk in batched(batch.opportunities, ctx.policy.batch, strict=False):
            answer = ctx.salesforce.opportunities(chunk, ctx.translation.selects)
            for record in (record for page in answer.pages for record in page.records):
                counts.update(_kinds_or_held(ctx, ctx.translation.opportunity(record, answer.at)))
    return _log_counts(ctx, "push", counts)


def _kinds_or_held(ctx: Context, opportunity: Opportunity) -> list[str]:
    """A pair whose link cannot be read is held."""
    try:
        return _planned_kinds(ctx, opportunity)
    except UnreadableRow:
        return ["held"]


def _planned_kinds(ctx: Context, opportunity: Opportunity) -> list[str]:
    entry = ctx.store.link(opportunity.id)
    if not opportunity.flagged:
        return []
    if entry is None or entry.value.referral_id is None:
        return ["held" if creation_obstacles(opportunity) else "creates"]
    referral = _referral_from_base(entry.value, opportunity)
    wait = ctx.policy.irreversible_wait
    plan = plan_pair(entry.value, opportunity, referral, ctx.translation.rules, ctx.clock.now(), wait)
    return ["to_partner_center"] if plan.to_partner_center else []


def _referral_from_base(link: Link, opportunity: Opportunity) -> Referral:
    status = link.base.get("status")
    known = status if isinstance(status, Status) else None
    return Referral(link.referral_id or "", link.etag or "", link.base, opportunity.modified, known)


def preview_sweep(ctx: Context) -> Counter[str]:
    """Count the referrals that the sweep would pull; those without a link would become opportunities."""
    counts: Counter[str] = Counter()
    for page in changed_referrals(ctx):
        for referral_id in page.unknown:
            counts[_kind_of_pull(ctx, referral_id)] += 1
    return _log_counts(ctx, "sweep", counts)


def _kind_of_pull(ctx: Context, referral_id: str) -> str:
    try:
        return "to_salesforce" if ctx.store.pointer(referral_id) else "creates"
    except UnreadableRow:
        return "held"


def _log_counts(ctx: Context, run: str, counts: Counter[str]) -> Counter[str]:
    ctx.log("previewed", run=run, **{name: counts[name] for name in COUNTS})
    return counts
