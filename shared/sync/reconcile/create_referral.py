"""Creates the referral of a deal exactly once, whatever happens (docs/protocol.md#creating-a-referral).

Partner Center has no idempotency key and no delete. So the intent is stored before the create, and a create of unknown
outcome is looked for (`recovery.find_created_referral`) before anything is created again.
"""

from copy import replace
from datetime import datetime

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side, Status, fingerprint
from shared.domain.link import WHOLE, Difference, Effect, EffectKind, Intent, Link, Pointer
from shared.domain.link_states import State
from shared.domain.plan import REFUSED_BY_FAR_SIDE
from shared.domain.records import Referral
from shared.domain.sentences import sentence
from shared.foundation.errors import Rejected, StoreConflict
from shared.sync.context import Context
from shared.sync.outcome import Outcome, Result
from shared.sync.ports import Line
from shared.sync.reconcile.audit_lines import TO_PARTNER_CENTER, audit_line, cause_line
from shared.sync.reconcile.confirmation import referral_from_answer
from shared.sync.reconcile.lease import confirm_effect, record_intent
from shared.sync.reconcile.pair import Pair


def create_referral(ctx: Context, pair: Pair) -> None:
    """Create the referral of a complete, flagged opportunity, or adopt the one that an earlier create made.

    Raises Ambiguous where the outcome is unknown: the intent then stays until the settle time has passed.
    """
    if pair.opportunity is None:
        return
    if pair.existing is not None:
        _link_referral(ctx, pair, referral_from_answer(ctx, pair.existing), is_adopted=True)
        return
    effect = Effect(EffectKind.CREATE_REFERRAL, pair.opportunity.deal, decided=ctx.clock.now())
    record_intent(ctx, pair, effect, Effect(EffectKind.MARK_OPPORTUNITY))
    body = ctx.translation.new_referral(pair.opportunity.deal, ctx.scope.reference(pair.id))
    try:
        answer = ctx.partner_center.create(body)
    except Rejected as error:
        _park_create(ctx, pair, error.cause)
        return
    _link_referral(ctx, pair, referral_from_answer(ctx, answer), is_adopted=False)


def _link_referral(ctx: Context, pair: Pair, referral: Referral, *, is_adopted: bool) -> None:
    """Link the pair; the base takes what the answer holds of the deal that was sent."""
    intended = (pair.link.intent or Intent()).find(EffectKind.CREATE_REFERRAL)
    sent = intended.values if intended else Deal()
    link = _linked(pair.link, referral, _held_by_both(sent, referral.deal, is_adopted=is_adopted))
    pair.referral, pair.is_from_base, pair.interrupted = referral, False, Intent()
    lines = _created_lines(ctx, ctx.clock.now(), sent, "adopted_referral" if is_adopted else "created_referral")
    confirm_effect(ctx, pair, EffectKind.CREATE_REFERRAL, link, lines)
    point_to_link(ctx, referral.id, pair.id)
    event = "referral_adopted" if is_adopted else "referral_created"
    ctx.log(event, opportunity_id=pair.id, referral_id=referral.id)


def _linked(link: Link, referral: Referral, base: Deal) -> Link:
    return replace(
        link,
        state=State.LIVE,
        referral_id=referral.id,
        engagement_id=referral.engagement_id,
        base=base,
        refused={},
        reported=(),
        cause=None,
        unwritten=True,
    )


def _created_lines(ctx: Context, now: datetime, sent: Deal, code: str) -> tuple[Line, ...]:
    left_out = ctx.translation.contacts_left_out(sent)
    texts = [sentence(code)] + ([sentence("contacts_left_out", count=left_out)] if left_out else [])
    return tuple(audit_line(now, TO_PARTNER_CENTER, text) for text in texts)


def _held_by_both(sent: Deal, current: Deal, *, is_adopted: bool) -> Deal:
    """Return the values that both sides have held: those that were sent and that the answer confirms.

    A referral that is found later may have been edited since. Both sides held every value that it was created with,
    so a difference is an edit in Partner Center. The status is an exception: the service decides the status of a new
    referral, and that is no person's edit. So a deal that is won before it is shared is won, without a conflict.
    """
    held = {
        name: value
        for name, value in sent.items()
        if name in current and (current[name] == value or (is_adopted and not isinstance(value, Status)))
    }
    decided = {name: value for name, value in current.items() if isinstance(value, Status) and not is_adopted}
    return Deal(held | decided)


def point_to_link(ctx: Context, referral_id: str, opportunity_id: str) -> None:
    """Make the referral's pointer lead to the link, even if another instance has claimed it: the link decides."""
    pointer = Pointer(opportunity_id)
    try:
        entry = ctx.store.pointer(referral_id)
        if entry is None:
            ctx.store.insert_pointer(referral_id, pointer)
        elif entry.value != pointer:
            ctx.store.replace_pointer(referral_id, entry, pointer)
    except StoreConflict:
        # An event is claiming the referral now: it finds the link by the external reference and sets the pointer.
        return


def _park_create(ctx: Context, pair: Pair, cause: Cause) -> None:
    """Park a deal that Partner Center refuses: it is sent again once anything in it has changed."""
    now, deal = ctx.clock.now(), pair.opportunity.deal if pair.opportunity else Deal()
    difference = Difference(fingerprint(deal), f"{REFUSED_BY_FAR_SIDE}{Side.PARTNER_CENTER}", now)
    link = replace(pair.link, state=State.PARKED, refused={WHOLE: difference}, cause=cause, unwritten=True)
    confirm_effect(ctx, pair, EffectKind.CREATE_REFERRAL, link, (cause_line(now, cause),))
    pair.outcome = Outcome(Result.PARKED, cause.code)
    ctx.log("pair_parked", opportunity_id=pair.id, referral_id=None, code=cause.code, field=cause.field)
