"""Preview: what a run would do, planned and logged; nothing is written, no cursor moves (protocol.md section 1)."""

from collections import Counter
from itertools import batched

from shared.domain.deal import Status
from shared.domain.link import Link
from shared.domain.plan import plan_pair, plan_referral
from shared.domain.records import Opportunity, Referral
from shared.sync.change_detection.noticing import polled, swept_since, unknown_referrals
from shared.sync.context import Context

COUNTS = ("creates", "to_partner_center", "to_salesforce", "held")


def preview_push(ctx: Context) -> Counter[str]:
    """Count what the push would create, write and hold."""
    counts: Counter[str] = Counter()
    for batch in polled(ctx):
        for chunk in batched(batch.rows, ctx.policy.batch, strict=False):
            answer = ctx.salesforce.opportunities(chunk, ctx.translation.selects)
            rows = (row for page in answer.pages for row in page.rows)
            for row in rows:
                counts.update(_intended(ctx, ctx.translation.opportunity(row, answer.at)))
    return _logged(ctx, "push", counts)


def _intended(ctx: Context, row: Opportunity) -> list[str]:
    entry = ctx.store.link(row.id)
    if not row.flagged:
        return []
    if entry is None or entry.value.referral_id is None:
        return ["held" if plan_referral(row) else "creates"]
    plan = plan_pair(
        entry.value, row, _from_base(entry.value, row), ctx.translation.rules, ctx.clock.now(),
        ctx.policy.irreversible_wait,
    )  # fmt: skip
    return [str(side) for side, changes in (("to_partner_center", plan.to_partner_center),) if changes]


def _from_base(link: Link, row: Opportunity) -> Referral:
    status = link.base.get("status")
    known = status if isinstance(status, Status) else None
    return Referral(link.referral_id or "", link.etag or "", link.base, row.modified, known)


def preview_sweep(ctx: Context) -> Counter[str]:
    """Count the referrals that the sweep would pull: without a link they would become opportunities."""
    counts: Counter[str] = Counter()
    for page in ctx.partner_center.changed_since(swept_since(ctx)):
        for referral_id in unknown_referrals(ctx, page):
            counts["to_salesforce" if ctx.store.pointer(referral_id) else "creates"] += 1
    return _logged(ctx, "sweep", counts)


def _logged(ctx: Context, run: str, counts: Counter[str]) -> Counter[str]:
    ctx.log("previewed", run=run, **{name: counts[name] for name in COUNTS})
    return counts
