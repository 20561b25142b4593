"""Prepares the push of an opportunity that has no referral yet: hold it, let it wait, create one, or adopt one."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from shared.domain.cause import Cause
from shared.domain.clones import Twins, clone_cause, is_asked, original_of, unticked
from shared.domain.deal import Side
from shared.domain.duplicates import is_referral_taken
from shared.domain.help_request import whole_mark
from shared.domain.link import REFUSED_UNREADABLY, TRY_AGAIN, WHOLE, Pointer
from shared.domain.link_states import State
from shared.domain.obstacles import creation_obstacles
from shared.domain.records import Opportunity
from shared.domain.sentences import cause
from shared.domain.transitions import adopted_opportunity, held
from shared.domain.visibility import plan_of_shared_create
from shared.foundation.errors import CosellError, NotFound, Rejected
from shared.sync.deal_of_lead import is_of_open_lead, link_of_lead
from shared.sync.pair_lease import Pair, record_intent
from shared.sync.ports import BUSY, RECONCILED, Context, Entry, Outcome, Result
from shared.sync.retry_queue import outcome_of_error, pause_side
from shared.sync.write_referral import adopt_referral, point_to_link


def prepare_create(ctx: Context, pair: Pair, opportunity: Opportunity, twins: Twins) -> None:
    """Hold an incomplete deal, leave a refused one parked, let a shared one wait; anything else will be created.

    A copy of one of the `twins` is held with a question.
    """
    if pair.must_create:
        return
    if is_of_open_lead(ctx, pair.id):
        _hold(ctx, pair, {"identifier": cause("converted_lead", "identifier")})
        return
    refused, sharing = pair.link.cause, opportunity.sharing
    parked = pair.link.refused.get(WHOLE)
    due = parked.since + TRY_AGAIN if parked and parked.code in REFUSED_UNREADABLY else None
    is_due = due is not None and due <= ctx.clock.now()
    if original := original_of(opportunity, pair.link, twins, ctx.salesforce.user_id):
        _hold(ctx, pair, {"name": clone_cause(original)})
    elif refused and parked and parked.value == whole_mark(opportunity.deal, sharing) and not is_due:
        pair.end(Outcome(Result.PARKED, refused.code, due))
    elif causes := creation_obstacles(opportunity, ctx.translation.rules, ctx.policy):
        _hold(ctx, pair, causes)
    elif (sharing.help or sharing.visible) and (
        plan := plan_of_shared_create(pair.link, opportunity, ctx.clock.now(), ctx.policy)
    ):
        pair.take_plan(plan)
    else:
        pair.decide_create(is_wanted=True)


# --- copies


def find_twins(ctx: Context, pairs: Sequence[Pair]) -> Twins:
    """The new opportunities among these, and those that say the same. After a failure, the new ones wait."""
    names = {pair.id: name for pair in pairs if (name := _name_to_look_for(pair))}
    if not names:
        return Twins()
    ours, with_marks = ctx.translation.file.ours, ctx.translation.name_column is not None
    try:
        return Twins(ctx.salesforce.twins(names, ours.flag, ours.identifier, with_marks=with_marks))
    except Rejected as error:  # the org hides a column: then no new deal can be compared
        ctx.log("clones_unseen", code=error.cause.code, correlation_id=ctx.correlation_id)
    except CosellError as error:
        pause_side(ctx, Side.SALESFORCE, error)
        for pair in pairs:
            if pair.id in names:
                pair.end(outcome_of_error(ctx, error, pair.id))
    return Twins()


def _name_to_look_for(pair: Pair) -> str:
    """The name of a ticked opportunity that was never looked at, or is asked about; empty for any other one."""
    one = pair.opportunity
    if one is None or pair.outcome or pair.interrupted.effects or not one.flagged or one.referral_id or pair.link.lead:
        return ""
    link = pair.link
    was_looked_at = link.state is not State.LIVE or link.cause or link.reported or link.refused or link.waiting
    return "" if was_looked_at and not is_asked(link) else str(one.deal.get("name") or "")


def note_untick(ctx: Context, pair: Pair) -> bool:
    """Note that a person cleared the tick of an opportunity that was asked about; whether it was."""
    noted = unticked(pair.link, ctx.clock.now())
    if noted is not None:
        record_intent(ctx, pair, link=noted.link, lines=noted.lines)
    return noted is not None


# --- a referral that exists


def adopt_for_missing(ctx: Context, pair: Pair) -> None:
    """Link a referral that was created for an opportunity that is gone since: nobody else would ever look at it."""
    if pair.existing is not None:
        adopt_referral(ctx, pair, pair.existing)
    pair.end(RECONCILED)


def adopt_named_referral(ctx: Context, pair: Pair, referral_id: str) -> None:
    """Link an opportunity that carries a referral id but has no link; never create. The caller merges both sides.

    The referral's pointer is read first (docs/protocol.md#events-overtake-replies): an instance may have created it.
    """
    pointer = ctx.store.pointer(referral_id)
    if pointer is not None and pointer.value.intent is not None and pointer.age < ctx.policy.lease:
        pair.end(BUSY)
        return
    if (other := _taken_by(ctx, pair, pointer, referral_id)) is not None:
        _hold(ctx, pair, {"identifier": cause("referral_taken", "identifier", opportunity=other)})
        return
    referral = None
    with suppress(NotFound):
        referral = ctx.translation.referral(ctx.partner_center.get(referral_id))
    if referral is None or ctx.scope.exclusion_reason(referral.organization_id, referral.external_reference):
        _hold(ctx, pair, {"identifier": cause("unknown_referral", "identifier")})
        return
    intended, now = pointer.value.intended_opportunity if pointer else None, ctx.clock.now()
    arrival = ctx.translation.arrival(referral, (intended and intended.decided) or now)
    adopted = adopted_opportunity(pair.link, referral, intended, ctx.translation.rules, arrival, now)
    link = link_of_lead(ctx, referral, adopted.link, pointer.value.lead if pointer else None)
    record_intent(ctx, pair, link=link, lines=adopted.lines)
    point_to_link(ctx, referral.id, pair.id)
    pair.take_referral(referral)
    ctx.log("referral_adopted", correlation_id=ctx.correlation_id, opportunity_id=pair.id, referral_id=referral.id)


def _taken_by(ctx: Context, pair: Pair, pointer: Entry[Pointer] | None, referral_id: str) -> str | None:
    """The other opportunity that is linked to this referral; None if there is none, or if it is gone."""
    other = pointer.value.opportunity_id if pointer else None
    known = ctx.store.link(other) if other and other != pair.id else None
    return other if known is not None and is_referral_taken(known.value, referral_id) else None


def _hold(ctx: Context, pair: Pair, causes: Mapping[str, Cause]) -> None:
    """Hold a pair that cannot be sent; the causes are by field."""
    hold = held(pair.link, causes, ctx.clock.now())
    record_intent(ctx, pair, link=hold.link, lines=hold.lines)
    codes = [one.code for one in causes.values()]
    ctx.log("opportunity_held", correlation_id=ctx.correlation_id, opportunity_id=pair.id, causes=codes)
