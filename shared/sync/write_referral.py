"""Writes referrals: each create exactly once, and a PATCH with the paths that differ.

Partner Center has no idempotency key and no delete. So the intent is stored before the create, and a create of unknown
outcome is looked for before anything is created again.

Source: docs/protocol.md#creating-a-referral, docs/protocol.md#writing-to-partner-center.
"""

from contextlib import suppress
from copy import replace
from datetime import datetime, timedelta

from shared.domain.cause import Cause
from shared.domain.creation_values import cut_texts
from shared.domain.deal import Change, Deal, Side
from shared.domain.help_request import whole_mark
from shared.domain.left_members import sendable_deal
from shared.domain.link import TRY_AGAIN, Effect, EffectKind, Intent, Link, Pointer
from shared.domain.records import NO_ROWS, Opportunity, Referral
from shared.domain.repeats import UNREADABLE
from shared.domain.transitions import (
    linked_referral,
    parked,
    parked_create,
    patched,
    sent_deal,
    unconfirmed_create,
)
from shared.domain.unreadable_refusals import lasting_create_refusal, refused_once_more, taken, tried_again
from shared.domain.visibility import shared_deal
from shared.foundation.errors import Ambiguous, CosellError, Rejected, StoreConflict, UnreadableRefusal
from shared.mapping.referral_kind import is_target_microsoft
from shared.sync.pair_lease import Pair, confirm_effect, count_refusal, end_parked, record_intent, record_writes
from shared.sync.ports import Context, Entry, Json

CLOCK_MARGIN = timedelta(days=2)
"""The greatest difference between Partner Center's clock and ours that does no harm when we look for our new referral.

Ours goes by the store's, so this is for the intents of earlier builds, which went by the machine's, and to spare. The
list is as long as the referrals of two days.
"""


# --- creating


def find_created_referral(ctx: Context, pair: Pair) -> Json | None:
    """The referral that an earlier create of unknown outcome made; None if there was no such create, or no referral.

    A pair adopts that referral later, with the values that were sent as its base.
    """
    earlier = pair.interrupted.find(EffectKind.CREATE_REFERRAL) if pair.interrupted.effects else None
    if earlier is None or earlier.decided is None:
        return None
    found = _referral_created_since(ctx, pair, earlier.decided)
    return ctx.partner_center.get(found) if found else None


def find_forgotten_referral(ctx: Context, pair: Pair) -> str | None:
    """The id of the referral that was made for a pair after the copy that the store was imported from, or None.

    Nothing else may remember it: the process may have stopped right after the create
    (docs/protocol.md#copies-of-the-store).
    """
    return _referral_created_since(ctx, pair, ctx.recent_copy.began) if ctx.recent_copy else None


def _referral_created_since(ctx: Context, pair: Pair, since: datetime) -> str | None:
    pages = ctx.partner_center.created_since(since - CLOCK_MARGIN)
    return next((str(stamp["id"]) for page in pages for stamp in page if _is_referral_of(ctx, stamp, pair.id)), None)


def _is_referral_of(ctx: Context, stamp: Json, opportunity_id: str) -> bool:
    reference, organization = stamp.get("externalReferenceId"), stamp.get("organizationId")
    if (
        ctx.scope.exclusion_reason(organization, reference)
        or ctx.scope.opportunity_named_by(reference) != opportunity_id
    ):
        return False
    return not is_target_microsoft(stamp)


def adopt_referral(ctx: Context, pair: Pair, existing: Json) -> None:
    """Link the pair with the referral that an earlier create made."""
    sent = sent_deal(pair.link)
    referral, left_out = ctx.translation.written_referral(existing), ctx.translation.contacts_left_out(sent)
    _link_referral(ctx, pair, referral, sent, left_out=left_out, is_adopted=True)


def create_referral(ctx: Context, pair: Pair, opportunity: Opportunity) -> None:
    """Create the referral of a complete, flagged opportunity; park a deal that Partner Center refuses.

    Raises Ambiguous where the outcome is unknown: the intent then stays until the settle time has passed.
    """
    if pair.link.repeats and (found := lasting_create_refusal(pair.link, ctx.clock.now())):
        _park_create(ctx, pair, opportunity, found)
        return
    sent = shared_deal(opportunity) if opportunity.sharing.help else opportunity.deal
    sent = sent.without(*ctx.policy.unapproved) if ctx.policy.unapproved else sent
    if opportunity.unsendable:
        sent = sendable_deal(sent, opportunity.unsendable, ctx.translation.rules)
    effect = Effect(EffectKind.CREATE_REFERRAL, sent, decided=ctx.clock.now())
    link = replace(pair.link, consented=True) if ctx.policy.needs_consent else pair.link
    if pair.link.refused:
        link = tried_again(link, effect.decided or ctx.clock.now())
    record_intent(ctx, pair, effect, Effect(EffectKind.MARK_OPPORTUNITY), link=link)
    try:
        body = ctx.translation.new_referral(sent, ctx.scope.reference(pair.id), opportunity.rows)
        answer = ctx.partner_center.create(body)
    except Ambiguous as error:
        if isinstance(error, UnreadableRefusal):
            link, error.tries, _ = refused_once_more(pair.link, Side.PARTNER_CENTER, ctx.clock.now())
            pair.take_link(link)
        until = ctx.clock.now() + ctx.policy.lease + ctx.policy.settle_time
        ended = unconfirmed_create(pair.link, until, ctx.clock.now())
        lines = () if isinstance(error, UnreadableRefusal) and error.tries > 1 else ended.lines  # it was told
        record_intent(ctx, pair, *(ended.link.intent or Intent()).effects, link=ended.link, lines=lines)
        raise
    except Rejected as error:
        _park_create(ctx, pair, opportunity, error.cause)
    else:
        referral, left_out = ctx.translation.written_referral(answer), ctx.translation.contacts_left_out(sent)
        _link_referral(ctx, pair, referral, sent, left_out=left_out, is_adopted=False)


def _park_create(ctx: Context, pair: Pair, opportunity: Opportunity, cause: Cause) -> None:
    now = ctx.clock.now()
    refusal = parked_create(pair.link, whole_mark(opportunity.deal, opportunity.sharing), cause, now)
    confirm_effect(ctx, pair, EffectKind.CREATE_REFERRAL, refusal.link, refusal.lines)
    end_parked(ctx, pair, cause, _next_try(cause, now))


def _next_try(cause: Cause, now: datetime) -> datetime | None:
    """When a refused value is tried again without an edit: never, unless nobody knows who refused it."""
    return now + TRY_AGAIN if cause.code == UNREADABLE else None


def _link_referral(
    ctx: Context, pair: Pair, referral: Referral, sent: Deal, *, left_out: int, is_adopted: bool
) -> None:
    now = ctx.clock.now()
    rules = ctx.translation.rules
    link = taken(pair.link, Side.PARTNER_CENTER) if pair.link.repeats else pair.link
    linked = linked_referral(link, referral, sent, rules, is_adopted=is_adopted, left_out=left_out, now=now)
    if pair.opportunity and pair.opportunity.problems:
        cut = cut_texts(pair.opportunity.problems, sent, Side.PARTNER_CENTER, now)
        refused = {**linked.link.refused, **{key: record for key, (record, _) in cut.items()}}
        told = (*linked.lines, *(line for _, line in cut.values()))
        linked = replace(linked, link=replace(linked.link, refused=refused), lines=told)
    pair.take_referral(referral)
    confirm_effect(ctx, pair, EffectKind.CREATE_REFERRAL, linked.link, linked.lines)
    point_to_link(ctx, referral.id, pair.id, is_new=not is_adopted)
    event = "referral_adopted" if is_adopted else "referral_created"
    ctx.log(event, correlation_id=ctx.correlation_id, opportunity_id=pair.id, referral_id=referral.id)


def complete_pointer(ctx: Context, pair: Pair) -> None:
    """Let the referral's pointer lead to the pair: a run that stopped after it stored the link left it out."""
    if pair.link.referral_id is not None:
        point_to_link(ctx, pair.link.referral_id, pair.id)


def point_to_link(ctx: Context, referral_id: str, opportunity_id: str, *, is_new: bool = False) -> None:
    """Make the referral's pointer lead to the link, even if another instance has claimed it: the link decides.

    A referral that this run has created mostly has no pointer, so it is inserted without a look.
    """
    pointer = Pointer(opportunity_id)
    if is_new:
        with suppress(StoreConflict):
            ctx.store.insert_pointer(referral_id, pointer)
            return
    # After a conflict, an event is claiming the referral now: it finds the link by the external reference and sets the
    # pointer.
    with suppress(StoreConflict):
        entry = ctx.store.pointer(referral_id)
        if entry is None:
            ctx.store.insert_pointer(referral_id, pointer)
        elif entry.value != pointer:
            kept = replace(pointer, inbox=_left_inbox(ctx, referral_id, entry), lead=entry.value.lead)
            ctx.store.replace_pointer(referral_id, entry, kept)


def _left_inbox(ctx: Context, referral_id: str, entry: Entry[Pointer]) -> str | None:
    """Delete the inbox record of a referral; returns its mark if that failed: the hourly try deletes it then."""
    if entry.value.inbox is not None:
        try:
            ctx.remove_from_inbox(referral_id)
        except CosellError:
            return entry.value.inbox
    return None


# --- changing


def patch_referral(ctx: Context, pair: Pair, referral: Referral, changes: tuple[Change, ...]) -> Rejected | None:
    """Send changes in one PATCH, and move the base to what the answer confirms; the refusal if there was one.

    Raises the client's errors; the intent then stays for recovery.
    """
    if pair.entry.value.waiting:
        pair.take_link(_with_waits_of(pair, changes))
    record_writes(ctx, pair, changes)
    try:
        rows = pair.opportunity.rows if pair.opportunity else NO_ROWS
        operations = ctx.translation.operations(changes, referral.raw, rows)
        answer = ctx.partner_center.patch(referral.id, operations, referral.etag)
    except Rejected as error:
        return error
    except UnreadableRefusal as error:
        if (found := count_refusal(ctx, pair, Side.PARTNER_CENTER, error)) is None:
            raise
        return Rejected(found)
    _confirm_patch(ctx, pair, changes, ctx.translation.written_referral(answer))
    return None


def _with_waits_of(pair: Pair, changes: tuple[Change, ...]) -> Link:
    """The link with what the coming changes have waited: until they are confirmed, they may have to be sent again."""
    stored = pair.entry.value.waiting
    waited = {change.field: stored[change.field] for change in changes if change.field in stored}
    return replace(pair.link, waiting={**waited, **pair.link.waiting})


def _without_waits(pair: Pair, link: Link) -> Link:
    """The link once changes were sent: only what the plan lets wait still waits."""
    return replace(link, waiting=pair.plan.waiting) if link.waiting and pair.plan is not None else link


def _confirm_patch(ctx: Context, pair: Pair, changes: tuple[Change, ...], read_back: Referral) -> None:
    now, opportunity = ctx.clock.now(), pair.opportunity.deal if pair.opportunity else Deal()
    confirmed = patched(pair.link, changes, read_back.deal, opportunity, now)
    pair.take_referral(read_back)
    lines = (*confirmed.lines, *pair.pending.take_confirmed(changes, now))
    link = _without_waits(pair, confirmed.link) if confirmed.link.waiting else confirmed.link
    if link.repeats is not None and pair.plan is not None and len(changes) == len(pair.plan.to_partner_center):
        link = taken(link, Side.PARTNER_CENTER)
    confirm_effect(ctx, pair, EffectKind.PATCH_REFERRAL, link, lines)
    fields = [change.field for change in changes]
    ctx.log(
        "referral_patched",
        correlation_id=ctx.correlation_id,
        opportunity_id=pair.id,
        referral_id=read_back.id,
        fields=fields,
    )


def park_changes(ctx: Context, pair: Pair, changes: tuple[Change, ...], cause: Cause) -> None:
    """Park a pair whose changes Partner Center refused: they are not sent again."""
    now = ctx.clock.now()
    refusal = parked(pair.link, changes, Side.PARTNER_CENTER, cause, now)
    lines = (*refusal.lines, *pair.pending.take_notes(now))
    confirm_effect(ctx, pair, EffectKind.PATCH_REFERRAL, _without_waits(pair, refusal.link), lines)
    end_parked(ctx, pair, cause, _next_try(cause, now))
