"""Decides what a push of one pair begins with: create, adopt, hold, or plan (docs/protocol.md#states-of-a-link)."""

from collections.abc import Sequence
from copy import replace

from shared.domain.cause import Cause
from shared.domain.link import WHOLE
from shared.domain.link_states import State
from shared.domain.plan import creation_obstacles
from shared.domain.records import Opportunity
from shared.domain.sentences import cause, new_causes
from shared.foundation.errors import NotFound
from shared.sync.context import Context
from shared.sync.outcome import BUSY, RECONCILED, Outcome, Result
from shared.sync.reconcile.adoption import adopted_link
from shared.sync.reconcile.audit_lines import cause_line
from shared.sync.reconcile.create_referral import point_to_link
from shared.sync.reconcile.lease import record_intent
from shared.sync.reconcile.pair import Pair
from shared.sync.reconcile.planning import make_plan
from shared.sync.reconcile.reading import get_referral, read_linked_referral, referral_from_base
from shared.sync.reconcile.recovery import find_created_referral


def prepare_push(ctx: Context, pair: Pair) -> None:
    """Bring a pair whose opportunity was read to a plan, a create, or its end."""
    opportunity, link = pair.opportunity, pair.link
    if opportunity is None:
        return
    if link.referral_id is None:
        find_created_referral(ctx, pair)
        pair.must_create = pair.existing is not None
    if not opportunity.flagged and not pair.must_create:
        pair.outcome = RECONCILED
        return
    if link.referral_id is None:
        _prepare_create(ctx, pair, opportunity)
        return
    if link.etag and link.agreed and not pair.interrupted.effects:
        pair.referral, pair.is_from_base = referral_from_base(ctx, pair, opportunity, link.etag), True
    else:
        read_linked_referral(ctx, pair)
    make_plan(ctx, pair)


def _prepare_create(ctx: Context, pair: Pair, opportunity: Opportunity) -> None:
    """Adopt the referral that the opportunity names, hold an incomplete deal; anything else will be created."""
    if opportunity.referral_id and not pair.must_create:
        _adopt_named_referral(ctx, pair, opportunity.referral_id)
        return
    refused = pair.link.cause
    if refused and not pair.must_create and pair.link.refuses(WHOLE, opportunity.deal):
        pair.outcome = Outcome(Result.PARKED, refused.code)
        return
    causes = () if pair.must_create else creation_obstacles(opportunity)
    pair.must_create = not causes
    if causes:
        _hold(ctx, pair, causes)


def _adopt_named_referral(ctx: Context, pair: Pair, referral_id: str) -> None:
    """Link an opportunity that carries a referral id but has no link, and merge; never create.

    The referral's pointer is read first (docs/protocol.md#events-overtake-replies): another instance may be creating
    this very opportunity, or may have stopped after creating it.
    """
    pointer = ctx.store.pointer(referral_id)
    if pointer is not None and pointer.value.intent is not None and pointer.age < ctx.policy.lease:
        pair.outcome = BUSY
        return
    try:
        referral = get_referral(ctx, referral_id)
    except NotFound:
        _hold(ctx, pair, (cause("unknown_referral", "identifier"),))
        return
    if ctx.scope.exclusion_reason(referral.organization_id, referral.external_reference):
        _hold(ctx, pair, (cause("unknown_referral", "identifier"),))
        return
    link, lines = adopted_link(ctx, pair.link, referral, pointer.value if pointer else None)
    record_intent(ctx, pair, lines=lines, link=link)
    point_to_link(ctx, referral.id, pair.id)
    pair.referral, pair.is_from_base = referral, False
    ctx.log("referral_adopted", opportunity_id=pair.id, referral_id=referral.id)
    make_plan(ctx, pair)


def _hold(ctx: Context, pair: Pair, causes: Sequence[Cause]) -> None:
    """Hold a pair that cannot be sent; each cause is reported once."""
    new = new_causes(causes, pair.link.reported)
    lines = tuple(cause_line(ctx.clock.now(), one) for one in new)
    keys = tuple(one.key for one in causes)
    link = replace(
        pair.link, state=State.HELD, reported=keys, unwritten=pair.link.unwritten or bool(new), cause=causes[0]
    )
    record_intent(ctx, pair, lines=lines, link=link)
    ctx.log("opportunity_held", opportunity_id=pair.id, causes=[one.code for one in causes])
