"""What the owner of a new deal is told, and the audit line that says why they were not told.

Source: docs/protocol.md#the-owner-of-a-new-deal.
"""

from datetime import UTC, date, datetime

from msgspec import Struct

from shared.domain.answer_clock import AnswerTime, answer_by
from shared.domain.arrival_texts import NOTICE
from shared.domain.audit import Line, cause_line
from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection, cause


class OwnerNotice(Struct, frozen=True):
    """One notice about an opportunity. `due` is the day until which Microsoft awaits an answer, if it does.

    `type_id` is the notification type; None makes a task.
    """

    opportunity_id: str
    title: str
    body: str
    due: date | None = None
    type_id: str | None = None


NOT_CONFIRMED = Cause("not_confirmed", None, "", "")
"""In place of a refusal: nobody knows whether the owner was told."""


def owner_notice(referral: Referral, opportunity_id: str, type_id: str | None) -> OwnerNotice:
    """The notice of a deal that has arrived."""
    known, until = _deal_text(referral), answer_by(referral)
    title = NOTICE["title"].format(name=_name(referral))
    if referral.is_open_lead:
        return OwnerNotice(opportunity_id, title, NOTICE["lead"].format(deal=known), type_id=type_id)
    if until is None:
        return OwnerNotice(opportunity_id, title, NOTICE["answered"].format(deal=known), type_id=type_id)
    body = NOTICE["unanswered"].format(deal=known, until=f"{until.astimezone(UTC):%Y-%m-%d %H:%M}")
    return OwnerNotice(opportunity_id, title, body, until.astimezone(UTC).date(), type_id)


def answer_warning(referral: Referral, opportunity_id: str, until: AnswerTime, type_id: str | None) -> OwnerNotice:
    """The warning of a deal that nobody has answered. Each has a title of its own, by which its task is found."""
    title = NOTICE[f"warning_{until.warned}"].format(name=_name(referral))
    body = NOTICE["unanswered"].format(deal=_deal_text(referral), until=until.shown_until)
    return OwnerNotice(opportunity_id, title, body, until.until.astimezone(UTC).date(), type_id)


def _name(referral: Referral) -> str:
    return str(referral.deal.get("name") or referral.id)


def _deal_text(referral: Referral) -> str:
    return ", ".join(str(value) for value in (referral.deal.get("account"), referral.deal.get("money")) if value)


def not_told(now: datetime, refusal: Cause) -> Line:
    """The line that says why the owner was not told."""
    found = cause("owner_maybe_told")
    if refusal is not NOT_CONFIRMED:
        found = cause("owner_not_told", reason=refusal.reason.rstrip("."))
    return cause_line(now, Side.SALESFORCE, None, found, LineDirection.NOTE)
