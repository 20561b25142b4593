"""Closes the referral of a test as an error, as `cosell close-test-referrals` has noted in its link.

The opportunity need not be ticked, and need not exist. What it shows follows as after any close in Partner Center.

row                                    referral   what the next worker does
noted                                  open       intent, PATCH, audit line
noted, with our intent                 open       the same: the PATCH did not happen
noted, with our intent                 closed     the audit line that the interrupted run did not write
noted                                  closed     forgets the note

Source: docs/protocol.md#closing-test-referrals.
"""

from copy import replace

from shared.domain.audit import RECOVERED, Line, change_lines, refusal_lines
from shared.domain.deal import STATUS, Change, Deal, Side, Status
from shared.domain.link import Effect, EffectKind
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection
from shared.domain.transitions import patched
from shared.foundation.errors import Conflict, NotFound, Rejected
from shared.sync.pair_lease import Pair, confirm_effect, record_intent
from shared.sync.ports import Context, Outcome, Result

AS_TEST = Status("Closed", "Error", "Test referral")
"""The close of a referral that was made to try something out (docs/reference/partner-center.md#closing-reasons)."""
CLOSING = Deal({STATUS: AS_TEST})


def close_test_referral(ctx: Context, pair: Pair) -> None:
    """Close the pair's referral, unless it is closed already or not of this environment, and forget the note.

    On 412 the referral is read again. Raises the client's errors; the note and the intent then stay.
    """
    for _ in range(ctx.policy.tries):
        referral = _read_own(ctx, pair)
        if referral is None:
            pair.take_link(replace(pair.link, close_as_test=False))
            return
        pair.take_referral(referral)
        try:
            if referral.status is not None and referral.status.is_final:
                _end_closed(ctx, pair, referral)
            else:
                _close(ctx, pair, referral)
        except Conflict:
            continue
        pair.take_link(replace(pair.link, close_as_test=False))
        return
    pair.end(Outcome(Result.RETRY, "referral_kept_changing"))


def _read_own(ctx: Context, pair: Pair) -> Referral | None:
    """The referral; None in production, for one of another environment, and for one that is not there."""
    if ctx.scope.tag is None or pair.link.referral_id is None:
        return None
    try:
        referral = ctx.translation.referral(ctx.partner_center.get(pair.link.referral_id))
    except NotFound:
        return None
    is_foreign = ctx.scope.exclusion_reason(referral.organization_id, referral.external_reference)
    return None if is_foreign else referral


def _close(ctx: Context, pair: Pair, referral: Referral) -> None:
    """Close an open referral. A refusal by Partner Center is told, and not tried again."""
    change, now = _change(ctx, referral), ctx.clock.now()
    displaced = Deal({STATUS: change.old})
    # The stage follows in Salesforce. So a build that knows no note takes the status for agreed only once both have it.
    effects = (
        Effect(EffectKind.PATCH_REFERRAL, CLOSING, displaced, referral.etag),
        Effect(EffectKind.WRITE_OPPORTUNITY, CLOSING, displaced),
    )
    record_intent(ctx, pair, *effects, link=replace(pair.link, unwritten=True))
    try:
        answer = ctx.partner_center.patch(referral.id, ctx.translation.operations((change,)), referral.etag)
    except Rejected as error:
        record_intent(ctx, pair, lines=refusal_lines(now, Side.PARTNER_CENTER, error.cause, (change,)))
        return
    read_back = ctx.translation.written_referral(answer)
    confirmed = patched(pair.link, (change,), read_back.deal, Deal(), now)
    lines = (*confirmed.lines, _told(ctx))
    confirm_effect(ctx, pair, EffectKind.PATCH_REFERRAL, confirmed.link, lines)
    pair.take_referral(read_back)
    _log(ctx, pair)


def _end_closed(ctx: Context, pair: Pair, referral: Referral) -> None:
    """End our own interrupted work on a referral that is closed, with the lines that it did not write."""
    interrupted = pair.interrupted
    if not interrupted.effects or any(effect.values != CLOSING for effect in interrupted.effects):
        return
    sent, lines = interrupted.find(EffectKind.PATCH_REFERRAL), tuple[Line, ...]()
    if sent is not None and referral.status == AS_TEST:
        change = replace(_change(ctx, referral), old=sent.displaced.get(STATUS))
        lines = (*change_lines(ctx.clock.now(), Side.PARTNER_CENTER, (change,), RECOVERED), _told(ctx))
        _log(ctx, pair)
    record_intent(ctx, pair, link=replace(pair.link, unwritten=True), lines=lines)


def _change(ctx: Context, referral: Referral) -> Change:
    return Change(STATUS, ctx.translation.fields[STATUS].label, referral.deal.get(STATUS), AS_TEST)


def _told(ctx: Context) -> Line:
    return Line(ctx.clock.now(), "closed_as_test", LineDirection.NOTE, Side.PARTNER_CENTER, STATUS)


def _log(ctx: Context, pair: Pair) -> None:
    ids = {"opportunity_id": pair.id, "referral_id": pair.link.referral_id}
    ctx.log("referral_patched", correlation_id=ctx.correlation_id, **ids, fields=[STATUS])
