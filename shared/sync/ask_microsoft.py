"""Asks Microsoft for help with a deal: a second create in the engagement of our referral, exactly once.

known of the request             what is done
none, our referral is new        sent
none                             the engagement is listed; sent if it shows no part of Microsoft, or cannot be listed
sent, outcome unknown            after the settle time, the engagement is listed; what is found is adopted.
                                 Else it is sent again where lists have ever shown Microsoft's records in this tenant,
                                 and a person is asked where they have not

The request is stored before it is sent. Source: docs/protocol.md#asking-microsoft-for-help.
"""

from collections.abc import Sequence
from copy import replace
from datetime import datetime, timedelta

from shared.domain.cause import Cause
from shared.domain.deal import VISIBILITY, VISIBLE, Deal
from shared.domain.help_outcomes import (
    about_to_ask,
    asked,
    ended,
    forgotten,
    help_confirmed,
    questioned,
    refused_request,
    takes_part,
    unsure,
)
from shared.domain.help_request import HELP, AskedBy, HelpStep
from shared.domain.link import TRY_AGAIN, Intent
from shared.domain.microsoft_record import MicrosoftRecord, notes_mark
from shared.domain.plan_help import settled_at, shares_by_help
from shared.domain.records import Opportunity, Referral
from shared.domain.transitions import Transition
from shared.foundation.errors import Ambiguous, CosellError, Rejected, Unavailable
from shared.mapping.other_parties import is_sent_by_microsoft, microsoft_in, microsoft_record
from shared.mapping.request_to_microsoft import request_body
from shared.sync.hear_microsoft import fill_help, take_record
from shared.sync.pair_lease import Pair, end_parked, record_intent, record_writes
from shared.sync.ports import Context, Json, Outcome, Result

LISTED = "microsoft_listed"
"""The cursor with the time at which a list last showed Microsoft's record of a deal in this tenant."""
LATE = timedelta(days=1)
"""For how long a list that lacks our own referral, or a refused one, is only late."""
A_PARTY = "target"
"""What a refusal names where Microsoft takes part in the engagement already."""


def ask_microsoft(ctx: Context, pair: Pair, *, is_new: bool) -> None:
    """Do what the plan decided about the request for help. Nobody can know of a deal whose referral is new.

    Raises the client's errors; the request is known not to have been sent then.
    """
    if pair.plan is None or pair.opportunity is None or pair.referral is None:
        return
    if pair.plan.help is HelpStep.FORGET:
        _store(ctx, pair, forgotten(pair.link, ctx.clock.now(), is_told=True), "forgotten")
    elif pair.plan.help is HelpStep.ASK and pair.referral.deal.get(VISIBILITY) != VISIBLE:
        return  # Partner Center refused to share the deal, which is told
    elif is_new:
        _send(ctx, pair, pair.opportunity, pair.referral)
    else:
        _look(ctx, pair, pair.opportunity, pair.referral)


def _look(ctx: Context, pair: Pair, opportunity: Opportunity, referral: Referral) -> None:
    """Look for Microsoft's part in the engagement; ask if it has none, as far as that can be known."""
    request, now, listed = pair.link.help, ctx.clock.now(), _records(ctx, pair)
    is_late = listed is not None and not any(str(each.get("id")).lower() == referral.id for each in listed)
    # A list that lacks our own referral says nothing: only the referral itself does, of who sent the deal.
    records = (ctx.partner_center.get(referral.id),) if listed is None or is_late else listed
    if _adopt_what_is_shown(ctx, pair, records):
        return
    is_silent, has_listed = listed is None or is_late, ctx.store.cursor(LISTED) is not None
    if (is_late or (is_silent and has_listed and request is None)) and now - _decided(pair, now) < LATE:
        pair.end(Outcome(Result.RETRY, "not_listed"))
    elif request is None and not ((is_silent or not has_listed) and ctx.recent_copy):
        _send(ctx, pair, opportunity, referral)
    elif request is None:  # the store is from a copy: Microsoft may have been asked after it, and no list tells
        pair.take_link(about_to_ask(pair.link, opportunity.sharing, now))
        _ask_a_person(ctx, pair, opportunity, referral)
    elif is_silent or not has_listed:
        _ask_a_person(ctx, pair, opportunity, referral)
    elif _still_wants(ctx, pair, opportunity, referral):
        _send(ctx, pair, opportunity, referral)
    else:
        _store(ctx, pair, forgotten(pair.link, now, is_told=False), "not_found")


def _decided(pair: Pair, now: datetime) -> datetime:
    """When the request was sent, or else when its seller chose the help."""
    wait = pair.link.waiting.get(HELP)
    return pair.link.help.decided if pair.link.help else wait.since if wait else now


def _ask_a_person(ctx: Context, pair: Pair, opportunity: Opportunity, referral: Referral) -> None:
    """Ask whether Microsoft was asked; nobody where the seller wants no help any more, or the deal is closed."""
    now = ctx.clock.now()
    if not opportunity.sharing.help:
        _store(ctx, pair, forgotten(pair.link, now, is_told=True), "forgotten")
    elif referral.status is not None and referral.status.is_final:
        _store(ctx, pair, ended(pair.link, now), "ended")
    else:
        _store(ctx, pair, Transition(questioned(pair.link)), "question")


def _still_wants(ctx: Context, pair: Pair, opportunity: Opportunity, referral: Referral) -> bool:
    """Whether the same request may be sent again. Another one waits its own two minutes first.

    It was sent with a visible deal, which stays visible.
    """
    request, sharing = pair.link.help, opportunity.sharing
    is_same = request is not None and (request.code, request.notes) == (sharing.code, notes_mark(sharing.notes))
    return is_same and shares_by_help(opportunity, referral, ctx.translation.rules, ctx.policy)


def _records(ctx: Context, pair: Pair) -> Sequence[Json] | None:
    """What the list shows of the engagement; None where the service refuses to filter by it."""
    try:
        return ctx.partner_center.in_engagement(pair.link.engagement_id or "")
    except Rejected:
        return None


def _adopt_what_is_shown(ctx: Context, pair: Pair, records: Sequence[Json]) -> bool:
    """Take Microsoft's part in the engagement as it is shown; whether there is one."""
    now, found = ctx.clock.now(), microsoft_in(records)
    if found is not None:
        ctx.store.move_cursor(LISTED, now)
    if is_sent_by_microsoft(records):
        _store(ctx, pair, takes_part(pair.link, AskedBy.MICROSOFT, now), "takes_part")
        return True
    if found is not None:
        take_record(ctx, pair, found)
        _store(ctx, pair, help_confirmed(pair.link, found, now), "found")
        fill_help(pair, found)
        ctx.store.keep_party(pair.link.engagement_id or "", found.id, (pair.id,))
    return found is not None


def _send(ctx: Context, pair: Pair, opportunity: Opportunity, referral: Referral) -> None:
    """Send the request, which is stored first. Only a lost or unreadable answer leaves its outcome unknown."""
    before = pair.link.help
    pair.take_link(about_to_ask(pair.link, opportunity.sharing, ctx.clock.now()))
    # A related event may come before the answer, or in its place: it must find the deal.
    ctx.store.keep_party(pair.link.engagement_id or "", None, (pair.id,))
    record_writes(ctx, pair)
    try:
        record = _record_in(ctx.partner_center.create(_body(ctx, pair, opportunity, referral)))
    except Ambiguous:
        _note_unknown(ctx, pair)
    except Rejected as error:
        _take_refusal(ctx, pair, opportunity, error.cause)
    except CosellError:
        pair.take_link(replace(pair.link, help=before))
        raise
    else:
        take_record(ctx, pair, record)
        _store(ctx, pair, asked(pair.link, record, ctx.clock.now()), "asked")
        ctx.store.keep_party(pair.link.engagement_id or "", record.id, (pair.id,))


def _record_in(answer: Json) -> MicrosoftRecord:
    """Microsoft's record in the answer to the request. Raises Ambiguous for an answer that cannot be read."""
    try:
        return microsoft_record(answer)
    except Unavailable as error:
        raise Ambiguous(str(error)) from None


def _body(ctx: Context, pair: Pair, opportunity: Opportunity, referral: Referral) -> Json:
    """The body of the request. It tells Microsoft the values that our own referral has."""
    rules = ctx.translation.rules
    fixed = (rule for rule in rules.set_at_creation if rule.is_fixed)
    names = (rule.field for rule in (*rules.updatable, *fixed))
    told = {name: referral.deal[name] for name in names if referral.deal.get(name)}
    deal = Deal({**opportunity.deal, **told})
    body = ctx.translation.new_referral(deal, ctx.scope.reference(pair.id))
    return request_body(body, opportunity.sharing, pair.link.engagement_id or "", ctx.scope.organization_id)


def _note_unknown(ctx: Context, pair: Pair) -> None:
    if (request := pair.link.help) is not None:
        until = settled_at(request, ctx.policy)
        _store(ctx, pair, unsure(pair.link, until, ctx.clock.now()), "unknown")


def _take_refusal(ctx: Context, pair: Pair, opportunity: Opportunity, cause: Cause) -> None:
    """Take a refusal. One that names the target says that Microsoft takes part, also where no list shows it yet."""
    now = ctx.clock.now()
    if cause.field == A_PARTY:
        if not _adopt_what_is_shown(ctx, pair, _records(ctx, pair) or ()):
            _store(ctx, pair, takes_part(pair.link, AskedBy.COLLEAGUE, now), "takes_part")
        return
    _store(ctx, pair, refused_request(pair.link, opportunity.deal, opportunity.sharing, cause, now), "refused")
    end_parked(ctx, pair, cause, now + TRY_AGAIN)


def _store(ctx: Context, pair: Pair, outcome: Transition, name: str) -> None:
    """Store what became of the request, with the plan's notes that are not stored yet."""
    effects = (pair.link.intent or Intent()).effects
    lines = (*outcome.lines, *pair.pending.dated_notes(ctx.clock.now()))
    record_intent(ctx, pair, *effects, link=outcome.link, lines=lines)
    pair.pending.drop_notes()
    ids = {"correlation_id": ctx.correlation_id, "opportunity_id": pair.id, "referral_id": pair.link.referral_id}
    ctx.log("help_request", **ids, outcome=name)
