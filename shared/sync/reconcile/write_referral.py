"""Writes to Partner Center: one PATCH with the differing paths, and the create that must happen exactly once."""

from copy import replace
from datetime import datetime, timedelta

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side, Status, fingerprint, shown
from shared.domain.link import WHOLE, Effect, EffectKind, Intent, Link, Pointer, Record
from shared.domain.plan import REFUSED_BY_FAR_SIDE, Change, described, plan_pair
from shared.domain.records import Referral
from shared.domain.sentences import cause, sentence
from shared.domain.states import State
from shared.foundation.errors import Ambiguous, Conflict, Rejected, StoreConflict, Unavailable
from shared.mapping.translation import is_target_microsoft
from shared.sync.context import Context
from shared.sync.ports import Json, Line
from shared.sync.reconcile.audit_lines import MERGED, NOTICE, TO_PARTNER_CENTER, line
from shared.sync.reconcile.pair import Outcome, Pair, Result, confirm, fill

CLOCK_MARGIN = timedelta(minutes=5)
"""How far the service's clock may be from ours when we look for what we created."""


def patch(ctx: Context, pair: Pair) -> None:
    """Send the plan's changes and move the base to what the representation confirms.

    On 412 the referral is read again, our own lost reply is recognised by its values, and the merge is made anew.
    Raises the client's errors; the intent then stands for whoever comes back.
    """
    for _ in range(ctx.policy.tries):
        if pair.plan is None or pair.referral is None or not pair.plan.to_partner_center:
            return
        apply_plan(pair)
        try:
            _patch_once(ctx, pair, pair.plan.to_partner_center)
        except Conflict:
            read_again(ctx, pair)
        else:
            return
    pair.outcome = Outcome(Result.DUE, "referral_kept_changing")


def read_again(ctx: Context, pair: Pair) -> None:
    """Read the referral under the lock and plan anew."""
    if pair.link.referral_id is None or pair.opportunity is None:
        return
    pair.referral = ctx.translation.referral(ctx.partner_center.get(pair.link.referral_id))
    pair.trusted = False
    pair.plan = plan_pair(
        pair.link, pair.opportunity, pair.referral, ctx.translation.rules, ctx.clock.now(), ctx.policy.irreversible_wait
    )


def _patch_once(ctx: Context, pair: Pair, changes: tuple[Change, ...]) -> None:
    if pair.referral is None:
        return
    fill(ctx, pair, *intended(pair, changes), lines=notices(ctx, pair))
    try:
        said = ctx.partner_center.patch(pair.referral.id, ctx.translation.operations(changes), pair.referral.etag)
    except Rejected as error:
        _refused(ctx, pair, changes, error.cause)
        return
    _confirm_patch(ctx, pair, changes, _seen(ctx, said))


def intended(pair: Pair, changes: tuple[Change, ...]) -> tuple[Effect, ...]:
    """The effects to come for a pair, in order."""
    plan, referral = pair.plan, pair.referral
    effects = []
    if changes and referral:
        effects.append(_effect(EffectKind.PATCH_REFERRAL, changes, referral.etag))
    if plan and plan.to_salesforce and pair.opportunity:
        version = pair.opportunity.modified.isoformat()
        effects.append(_effect(EffectKind.WRITE_OPPORTUNITY, plan.to_salesforce, version))
    else:
        effects.append(Effect(EffectKind.MARK_OPPORTUNITY))
    return tuple(effects)


def apply_plan(pair: Pair) -> None:
    """Put what the plan found (agreed values, records, state) into the link that the next write will store."""
    plan = pair.plan
    if plan is None:
        return
    link = replace(pair.link, base=plan.base, refused=plan.refused, waiting=plan.waiting, told=plan.told)
    if not (link.state is State.PARKED and is_refused(link)):
        link = replace(link, state=plan.state, cause=plan.cause)
    pair.entry = replace(pair.entry, value=link)


def is_refused(link: Link) -> bool:
    """Whether the far side refused a value: only another value lifts that."""
    return any(record.code.startswith(REFUSED_BY_FAR_SIDE) for record in link.refused.values())


def is_applied(pair: Pair) -> bool:
    """Whether the link that the next write stores holds the plan's records."""
    plan, link = pair.plan, pair.link
    return plan is not None and (plan.refused, plan.waiting, plan.told) == (link.refused, link.waiting, link.told)


def notices(ctx: Context, pair: Pair) -> tuple[Line, ...]:
    """The plan's sentences, once: stored with the records they tell of, so that neither is without the other."""
    settled, pair.settled = pair.settled, ()
    if pair.plan is None:
        return settled
    told = tuple(line(ctx.clock.now(), MERGED, text) for text in pair.plan.lines)
    pair.plan = replace(pair.plan, lines=())
    return (*settled, *told)


def untold(ctx: Context, pair: Pair) -> tuple[Line, ...]:
    """All of the plan's sentences, once: those of values given up are stored with the first confirmed effect."""
    told = notices(ctx, pair)
    if pair.plan is None:
        return told
    lost = tuple(line(ctx.clock.now(), MERGED, text) for text in pair.plan.losses)
    pair.plan = replace(pair.plan, losses=())
    return (*told, *lost)


def _effect(kind: EffectKind, changes: tuple[Change, ...], version: str) -> Effect:
    values, displaced = (
        Deal({change.field: change.new for change in changes}),
        Deal({change.field: change.old for change in changes}),
    )
    return Effect(kind, values, displaced, version)


def _seen(ctx: Context, said: Json) -> Referral:
    """The representation that confirms a write. Raises Ambiguous for one that cannot be read."""
    try:
        return ctx.translation.referral(said)
    except Unavailable as error:
        raise Ambiguous(f"a write was answered with {error}") from None


def _confirm_patch(ctx: Context, pair: Pair, changes: tuple[Change, ...], seen: Referral) -> None:
    taken, ignored = compared(changes, seen.deal)
    link = with_ignored(pair.link, ignored, Side.PARTNER_CENTER, ctx.clock.now())
    held = pair.opportunity.deal if pair.opportunity else Deal()
    agreed = {change.field: change.new for change in taken if held.get(change.field) == change.new}
    link = replace(link, base=link.base.with_(agreed), unwritten=True)
    lines = (*_lines(ctx.clock.now(), taken, ignored), *untold(ctx, pair))
    pair.referral, pair.trusted = seen, False
    confirm(ctx, pair, EffectKind.PATCH_REFERRAL, link, lines)
    fields = [change.field for change in changes]
    ctx.log("referral_patched", opportunity_id=pair.id, referral_id=seen.id, fields=fields)


def compared(changes: tuple[Change, ...], seen: Deal) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Changes that were taken, and those that the far side ignored: it still holds the old value.

    Another value after a successful write means that a person was faster: the base takes the value sent, and the other
    is an edit on top of it, which the next look finds.
    """
    ignored = tuple(
        change for change in changes if change.field in seen and seen[change.field] == change.old != change.new
    )
    return tuple(change for change in changes if change not in ignored), ignored


def with_ignored(link: Link, ignored: tuple[Change, ...], side: Side, now: datetime) -> Link:
    """The link with ignored values on record as refused: never sent again, never pushed back."""
    records = {
        f"{side}.{change.field}": Record(fingerprint(change.new), f"{REFUSED_BY_FAR_SIDE}{side}", now)
        for change in ignored
    }
    return replace(link, refused={**link.refused, **records})


def _lines(now: datetime, taken: tuple[Change, ...], ignored: tuple[Change, ...]) -> tuple[Line, ...]:
    told = [line(now, TO_PARTNER_CENTER, described(taken))] if taken else []
    return (*told, *ignored_lines(now, ignored))


def ignored_lines(now: datetime, ignored: tuple[Change, ...]) -> tuple[Line, ...]:
    """What to tell of ignored values."""
    found = (cause("ignored", change.field, label=change.label, kept=shown(change.old)) for change in ignored)
    return tuple(problem_line(now, one) for one in found)


def problem_line(now: datetime, found: Cause) -> Line:
    """A cause as an audit line."""
    return line(now, NOTICE, sentence("problem", reason=found.reason, remedy=found.remedy))


def _refused(ctx: Context, pair: Pair, changes: tuple[Change, ...], found: Cause) -> None:
    """One opaque 400 for several paths: send them singly once, and park only the guilty one."""
    if len(changes) > 1:
        for change in changes:
            _patch_once(ctx, pair, (change,))
        return
    link = with_ignored(pair.link, changes, Side.PARTNER_CENTER, ctx.clock.now())
    parked = replace(link, state=State.PARKED, cause=found, unwritten=True)
    lines = (problem_line(ctx.clock.now(), found), *untold(ctx, pair))
    confirm(ctx, pair, EffectKind.PATCH_REFERRAL, parked, lines)
    pair.outcome = Outcome(Result.PARKED, found.code)
    ctx.log(
        "pair_parked", opportunity_id=pair.id, referral_id=pair.link.referral_id, code=found.code, field=found.field
    )


# --- create -----------------------------------------------------------------------------------------------------------


def create(ctx: Context, pair: Pair) -> None:
    """Make the referral of a complete, flagged opportunity: exactly once, whatever happens (protocol.md section 6).

    Raises Ambiguous where the outcome is unknown: the intent then stays until the settle time has passed.
    """
    if pair.opportunity is None:
        return
    if pair.found is not None:
        _created(ctx, pair, pair.found, "adopted_referral")
        return
    effect = Effect(EffectKind.CREATE_REFERRAL, pair.opportunity.deal, decided=ctx.clock.now())
    fill(ctx, pair, effect, Effect(EffectKind.MARK_OPPORTUNITY))
    body = ctx.translation.new_referral(pair.opportunity.deal, ctx.scope.reference(pair.id))
    try:
        said = ctx.partner_center.create(body)
    except Rejected as error:
        _park_create(ctx, pair, error.cause)
        return
    _created(ctx, pair, said, "created_referral")


def look_for_created(ctx: Context, pair: Pair) -> None:
    """Find the referral that an earlier attempt of unknown outcome may have made: newest first, matched here.

    Found: it will be adopted, with the values that were sent as its base. None: the old intent is settled, since a mark
    that was not written is not forgotten by its link.
    """
    earlier = pair.old.find(EffectKind.CREATE_REFERRAL)
    if earlier is not None and earlier.decided is not None:
        for page in ctx.partner_center.created_since(earlier.decided - CLOCK_MARGIN):
            for stamp in page:
                if _is_ours(ctx, stamp, pair.id):
                    pair.found = ctx.partner_center.get(str(stamp["id"]))
                    return
    pair.old = Intent()


def _is_ours(ctx: Context, stamp: Json, opportunity_id: str) -> bool:
    reference, organization = stamp.get("externalReferenceId"), stamp.get("organizationId")
    if ctx.scope.excludes(organization, reference) or ctx.scope.opportunity_of(reference) != opportunity_id:
        return False
    return not is_target_microsoft(stamp)


def _created(ctx: Context, pair: Pair, said: Json, code: str) -> None:
    """Link the pair; the base takes what the representation holds of the deal that was sent."""
    referral = _seen(ctx, said)
    sent = (pair.link.intent or Intent()).find(EffectKind.CREATE_REFERRAL)
    deal = sent.values if sent else Deal()
    link = replace(
        pair.link,
        state=State.LIVE,
        referral_id=referral.id,
        engagement_id=referral.engagement_id,
        base=_held_by_both(deal, referral.deal, adopted=code == "adopted_referral"),
        refused={},
        told=(),
        cause=None,
        unwritten=True,
    )
    pair.referral, pair.trusted, pair.old = referral, False, Intent()
    lines = [line(ctx.clock.now(), TO_PARTNER_CENTER, sentence(code))]
    left_out = ctx.translation.contacts_left_out(deal)
    if left_out:
        lines.append(line(ctx.clock.now(), TO_PARTNER_CENTER, sentence("contacts_left_out", count=left_out)))
    confirm(ctx, pair, EffectKind.CREATE_REFERRAL, link, tuple(lines))
    point(ctx, referral.id, pair.id)
    event = "referral_created" if code == "created_referral" else "referral_adopted"
    ctx.log(event, opportunity_id=pair.id, referral_id=referral.id)


def _held_by_both(sent: Deal, seen: Deal, *, adopted: bool) -> Deal:
    """What both sides are known to have held: the values sent, where the representation confirms them.

    A referral that is found later may have been edited since: every value it was created with was held by both, so the
    difference is an edit of the other side. The status is the service's: what it made of a new referral is nobody's
    edit, so a deal that is won before it is shared is won, and in no conflict.
    """
    held = {
        name: value
        for name, value in sent.items()
        if name in seen and (seen[name] == value or (adopted and not isinstance(value, Status)))
    }
    decided = {name: value for name, value in seen.items() if isinstance(value, Status) and not adopted}
    return Deal(held | decided)


def point(ctx: Context, referral_id: str, opportunity_id: str) -> None:
    """Turn the referral's pointer to the link, whoever holds a claim on it: the link is the truth from now on."""
    pointer = Pointer(opportunity_id)
    try:
        entry = ctx.store.pointer(referral_id)
        if entry is None:
            ctx.store.insert_pointer(referral_id, pointer)
        elif entry.value != pointer:
            ctx.store.replace_pointer(referral_id, entry, pointer)
    except StoreConflict:
        # An event is claiming the referral this moment: it finds the link by the external reference and points itself.
        return


def _park_create(ctx: Context, pair: Pair, found: Cause) -> None:
    """Park a deal that Partner Center does not take: it is sent again once anything in it has changed."""
    now, deal = ctx.clock.now(), pair.opportunity.deal if pair.opportunity else Deal()
    record = Record(fingerprint(deal), f"{REFUSED_BY_FAR_SIDE}{Side.PARTNER_CENTER}", now)
    link = replace(pair.link, state=State.PARKED, refused={WHOLE: record}, cause=found, unwritten=True)
    confirm(ctx, pair, EffectKind.CREATE_REFERRAL, link, (problem_line(now, found),))
    pair.outcome = Outcome(Result.PARKED, found.code)
    ctx.log("pair_parked", opportunity_id=pair.id, referral_id=None, code=found.code, field=found.field)
