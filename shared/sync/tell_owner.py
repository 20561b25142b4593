"""Tells the owner of an opportunity that a deal is theirs, or that its time to answer ends.

Source: docs/protocol.md#the-owner-of-a-new-deal, docs/protocol.md#clocks-of-a-deal.
"""

from copy import replace

from shared.domain.answer_clock import AnswerTime
from shared.domain.cause import Cause
from shared.domain.link import Link
from shared.domain.owner_notice import NOT_CONFIRMED, OwnerNotice, answer_warning, not_told, owner_notice
from shared.domain.records import Referral
from shared.foundation.errors import Ambiguous, NotFound, Rejected
from shared.mapping.owner_rules import NOTIFICATION_QUERY
from shared.sync.pair_lease import Pair, record_intent
from shared.sync.ports import WAITING, Context, Outcome, Result


def is_owner_untold(link: Link) -> bool:
    """Whether the owner is to be told of the deal, or of the end of its time."""
    return link.notice is not None or (link.answer_by is not None and link.answer_by.tries is not None)


def tell_owner(ctx: Context, pair: Pair) -> None:
    """Tell the owner: at least once, and again after a crash or a lost answer.

    What Salesforce refuses is not tried again, so that it holds no deal: Audit and log say it. A warning that is due
    stands for the notice of a deal of which its owner was not told yet.
    """
    ended = pair.outcome
    if ended is not None and ended.result is Result.RETRY and ended.cause != WAITING:
        return
    until = pair.answer_by if pair.answer_by is not None and pair.answer_by.tries is not None else None
    if until is not None and not until.tries:
        ids = {"opportunity_id": pair.id, "referral_id": pair.link.referral_id}
        ctx.log("answer_due", correlation_id=ctx.correlation_id, **ids, days=until.warned)
    notice = _warning(ctx, pair, until) if until else _notice_of_new_deal(ctx, pair)
    tries = ((until.tries if until else pair.link.notice) or 0) + 1
    try:
        refusal = ctx.salesforce.tell_owner(notice) if notice else None
    except Ambiguous:
        if tries < ctx.policy.tries:
            _store(ctx, pair, until, tries)
            raise
        refusal = NOT_CONFIRMED
    _store(ctx, pair, until, None, refusal)
    if refusal:
        ctx.log("owner_not_told", opportunity_id=pair.id, correlation_id=ctx.correlation_id, code=refusal.code)
        pair.end(Outcome(Result.RETRY, "owner_not_told", ctx.clock.now()))  # the next run shows the line


def _notice_of_new_deal(ctx: Context, pair: Pair) -> OwnerNotice | None:
    is_wanted, type_id = ctx.translation.file.notice_type(ctx.translation.org)
    if not is_wanted or pair.link.notice is None:
        return None
    return owner_notice(_referral(ctx, pair), pair.id, type_id)


def _warning(ctx: Context, pair: Pair, until: AnswerTime) -> OwnerNotice | None:
    """The warning; None where the mapping file lets nobody be told, or the org lacks the notification type.

    The owner is told also of a deal that no owner rule gave them. Only for its warnings, such an org is asked for the
    notification type: the hourly question stays as cheap as it is.
    """
    file = ctx.translation.file
    if file.notify_owner == "none":
        return None
    _, type_id = file.notice_type(ctx.translation.org)
    if type_id is None and file.notify_owner == "notification" and (type_id := _notification_type(ctx)) is None:
        return None
    return answer_warning(_referral(ctx, pair), pair.id, until, type_id)


def _notification_type(ctx: Context) -> str | None:
    try:
        found = ctx.salesforce.query(NOTIFICATION_QUERY).pages[0].records
    except (Rejected, NotFound):
        return None
    return str(found[0]["Id"]) if found else None


def _referral(ctx: Context, pair: Pair) -> Referral:
    return pair.read_referral or ctx.translation.referral(ctx.partner_center.get(pair.link.referral_id or ""))


def _store(ctx: Context, pair: Pair, until: AnswerTime | None, tries: int | None, refusal: Cause | None = None) -> None:
    """Store the next count of tries; a warning that was given ends the notice of the new deal too."""
    effects = pair.link.intent.effects if pair.link.intent else ()
    lines = (not_told(ctx.clock.now(), refusal),) if refusal else ()
    link = replace(pair.link, notice=tries)
    if until is not None:
        link = replace(pair.link, notice=None, answer_by=replace(until, tries=tries))
    record_intent(ctx, pair, *effects, link=link, lines=lines)
