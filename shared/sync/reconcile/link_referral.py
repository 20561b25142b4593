"""Brings a referral to its link: find the opportunity that it belongs to, or create one.

Source: docs/protocol.md#creating-an-opportunity and docs/protocol.md#events-overtake-replies.
"""

from contextlib import suppress

from shared.domain.deal import Company, Side
from shared.domain.link import Link
from shared.domain.records import Referral
from shared.foundation.errors import NotFound, StoreConflict, StoreError
from shared.sync.context import Context
from shared.sync.outcome import BUSY, RECONCILED, Outcome
from shared.sync.ports import Entry
from shared.sync.reconcile.adoption import adopted_link
from shared.sync.reconcile.create_opportunity import create_opportunity, queue_refused_referral
from shared.sync.reconcile.look_up import look_up
from shared.sync.reconcile.reading import get_referral
from shared.sync.reconcile.referral_claim import Claim, Linked, claim_referral
from shared.sync.retry.side_health import pausing_on_failure


def link_referral(ctx: Context, referral_id: str) -> Linked | Outcome:
    """Bring one referral to its link, creating opportunity and link if there are none. Raises the client's errors."""
    claim = claim_referral(ctx, referral_id)
    if not isinstance(claim, Claim):
        return claim
    try:
        return _link_claimed(ctx, claim)
    except StoreConflict:
        claim.delete_if_unused(ctx)
        return BUSY
    except Exception:
        claim.delete_if_unused(ctx)
        raise


def _link_claimed(ctx: Context, claim: Claim) -> Linked | Outcome:
    try:
        with pausing_on_failure(ctx, Side.PARTNER_CENTER):
            referral = get_referral(ctx, claim.referral_id)
    except NotFound:
        claim.delete(ctx)
        ctx.log("referral_missing", referral_id=claim.referral_id)
        return RECONCILED
    named = ctx.scope.opportunity_named_by(referral.external_reference)
    known = ctx.store.link(named) if named else None
    if known is not None and not ctx.scope.exclusion_reason(referral.organization_id, referral.external_reference):
        return _join_link(ctx, referral, claim, known)
    reason = ctx.scope.unlinked_exclusion_reason(referral)
    return _ignore(ctx, claim, reason) if reason else _find_or_create(ctx, referral, claim, named)


def _ignore(ctx: Context, claim: Claim, reason: str) -> Outcome:
    claim.delete(ctx)
    ctx.log("referral_ignored", referral_id=claim.referral_id, reason=reason)
    return RECONCILED


def _join_link(ctx: Context, referral: Referral, claim: Claim, known: Entry[Link]) -> Linked | Outcome:
    """Join the link of the opportunity that this referral names, or that names this referral."""
    link = known.value
    if link.referral_id == referral.id:
        claim.point_to(ctx, link.opportunity_id)  # our own push made it, or an earlier attempt came as far as the link
        return Linked(link.opportunity_id)
    if link.referral_id is not None:
        return _ignore(ctx, claim, "another_referral_is_linked")
    if link.intent is None:
        return _adopt_opportunity(ctx, referral, claim, known)
    if claim.intended is None:
        claim.delete(ctx)  # another instance works on the pair: the event overtook the reply of our own create
    return BUSY


def _adopt_opportunity(
    ctx: Context, referral: Referral, claim: Claim, known: Entry[Link] | None, opportunity_id: str = ""
) -> Linked:
    """Link an existing opportunity; the pull that follows merges the referral's values."""
    link, lines = adopted_link(ctx, known.value if known else Link(opportunity_id), referral, claim.entry.value)
    if known is None:
        ctx.store.insert_link(link, lines)
    else:
        ctx.store.replace_link(known, link, lines)
    claim.point_to(ctx, link.opportunity_id)
    ctx.log("referral_adopted", opportunity_id=link.opportunity_id, referral_id=referral.id)
    return Linked(link.opportunity_id)


def _find_or_create(ctx: Context, referral: Referral, claim: Claim, named: str | None) -> Linked | Outcome:
    """Under a claim on the account's match key: two deals of one new customer make one account."""
    company = referral.deal.get("account")
    if not isinstance(company, Company):
        claim.delete_if_unused(ctx)
        return queue_refused_referral(ctx, referral, "no_account", "account")
    key = f"{company.name.casefold()}|{company.country}"
    account_claim = ctx.store.claim_account(key, ctx.policy.lease)
    if account_claim is None:
        claim.delete_if_unused(ctx)
        return BUSY
    try:
        return _adopt_or_create(ctx, referral, claim, named, company)
    finally:
        with suppress(StoreError):  # the claim ends with its lease anyway
            ctx.store.release_account(key, account_claim)


def _adopt_or_create(
    ctx: Context, referral: Referral, claim: Claim, named: str | None, company: Company
) -> Linked | Outcome:
    found = look_up(ctx, referral, named, company)
    existing = [str(record["Id"]) for record in found.opportunities if not record.get("IsDeleted")]
    if existing:
        known = ctx.store.link(existing[0])
        if known:
            return _join_link(ctx, referral, claim, known)
        return _adopt_opportunity(ctx, referral, claim, None, existing[0])
    if found.opportunities:
        return _ignore(ctx, claim, "opportunity_deleted")
    return create_opportunity(ctx, referral, claim, found, company)
