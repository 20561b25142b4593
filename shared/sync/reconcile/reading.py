"""Reads both sides of pairs under their leases (docs/protocol.md#decide-only-from-what-was-read-under-the-lock)."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.deal import Deal, Side, Status
from shared.domain.records import Opportunity, Referral
from shared.foundation.errors import CosellError
from shared.mapping.paths import Json
from shared.sync.context import Context
from shared.sync.outcome import RECONCILED
from shared.sync.reconcile.isolation import open_pairs, run_step
from shared.sync.reconcile.pair import Pair
from shared.sync.retry.error_policy import outcome_of_error
from shared.sync.retry.side_health import pausing_on_failure


def read_opportunities(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Read the opportunities of the open pairs; one that is absent was deleted or is not visible."""
    pending = open_pairs(pairs)
    if not pending:
        return
    try:
        with pausing_on_failure(ctx, Side.SALESFORCE):
            answer = ctx.salesforce.opportunities([pair.id for pair in pending], ctx.translation.selects)
    except CosellError as error:
        for pair in pending:
            pair.outcome = outcome_of_error(ctx, error, pair.id)
        return
    records = {str(record["Id"]): record for page in answer.pages for record in page.records}
    for pair in pending:
        record = records.get(pair.id)
        if record is None:
            ctx.log("opportunity_missing", opportunity_id=pair.id)
            pair.outcome = RECONCILED
            continue
        run_step(ctx, pair, _set_opportunity, record, answer.at)


def _set_opportunity(ctx: Context, pair: Pair, record: Json, read_at: datetime) -> None:
    pair.opportunity = ctx.translation.opportunity(record, read_at)


def get_referral(ctx: Context, referral_id: str) -> Referral:
    """Read one referral. Raises NotFound, and the other errors of the client."""
    return ctx.translation.referral(ctx.partner_center.get(referral_id))


def read_linked_referral(ctx: Context, pair: Pair) -> None:
    """Read the referral of a linked pair."""
    if pair.link.referral_id is not None:
        pair.referral, pair.is_from_base = get_referral(ctx, pair.link.referral_id), False


def referral_from_base(ctx: Context, pair: Pair, opportunity: Opportunity, etag: str) -> Referral:
    """The referral without a read: every mapped value was agreed at this version, and `If-Match` guards the write."""
    status = pair.link.base.get("status")
    deal = Deal({rule.field: pair.link.base.get(rule.field) for rule in ctx.translation.rules.updatable})
    known_status = status if isinstance(status, Status) else None
    return Referral(pair.link.referral_id or "", etag, deal, opportunity.modified, known_status)
