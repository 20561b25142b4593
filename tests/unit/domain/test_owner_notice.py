"""What the owner of a new deal is told (docs/protocol.md#the-owner-of-a-new-deal)."""

from copy import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from shared.domain.answer_clock import AnswerTime, warning_line
from shared.domain.audit import cause_line
from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Money, Side, Status
from shared.domain.owner_notice import NOT_CONFIRMED, OwnerNotice, answer_warning, not_told, owner_notice
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection, cause

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DEAL = Deal(name="Robots", account=Company("Northwind", "US"), money=Money(Decimal(5), "USD"))
IN_TOKYO = datetime(2026, 12, 7, 8, 30, tzinfo=timezone(timedelta(hours=9)))
NEW = Referral("r-1", '"1"', DEAL, NOW, Status("New", "Pending"), expires=IN_TOKYO)
pytestmark = pytest.mark.usefixtures("machine_in_tokyo")
DEAL_TEXT = f"{DEAL['account']}, {DEAL['money']}"


def test_the_owner_of_an_unanswered_deal_is_told_until_when_to_answer_and_how() -> None:
    assert owner_notice(NEW, "006", "type") == OwnerNotice(
        "006",
        "New deal from Partner Center: Robots",
        f"{DEAL_TEXT}. Please answer by 2026-12-06 23:30 UTC: an active Stage accepts it, the Stage of a lost or "
        "declined deal with a Closing Reason declines it.",
        date(2026, 12, 6),
        "type",
    )


@pytest.mark.parametrize("type_id", ["type", None])
def test_the_owner_of_an_answered_deal_has_no_day_to_keep(type_id: str | None) -> None:
    body = f"{DEAL_TEXT}. It is answered already, and belongs to you now."
    answered = replace(NEW, status=Status("Active", "Accepted"))
    assert owner_notice(answered, "006", type_id) == OwnerNotice(
        "006", "New deal from Partner Center: Robots", body, None, type_id
    )


def test_the_owner_of_a_lead_is_told_to_answer_in_partner_center() -> None:
    body = f"{DEAL_TEXT}. It is a lead, and read-only here. Please accept or decline it in Partner Center."
    notice = OwnerNotice("006", "New deal from Partner Center: Robots", body, None, "type")
    assert owner_notice(replace(NEW, is_lead=True), "006", "type") == notice


def test_a_deal_without_a_name_is_named_by_its_id_and_told_without_what_it_lacks() -> None:
    notice = owner_notice(replace(NEW, deal=Deal(name=None, money=DEAL["money"])), "006", None)
    assert notice.title == "New deal from Partner Center: r-1"
    assert notice.body.startswith(f"{DEAL['money']}. Please")


@pytest.mark.parametrize(("days", "title"), [(3, "Answer within 3 days: Robots"), (1, "Answer within 1 day: Robots")])
def test_the_owner_is_warned_of_the_end(days: int, title: str) -> None:
    body = f"{DEAL_TEXT}. Please answer by 2026-12-06 23:30 UTC: "
    warning = answer_warning(NEW, "006", AnswerTime(IN_TOKYO, warned=days), "type")
    assert warning == OwnerNotice("006", title, warning.body, date(2026, 12, 6), "type")
    assert warning.body.startswith(body)
    line = warning_line(AnswerTime(IN_TOKYO), NOW)
    assert (line.at, line.code, line.direction, line.side, line.field, line.values) == (
        NOW, "answer_due", LineDirection.NOTE, Side.PARTNER_CENTER, "status", {"until": "2026-12-06 23:30"}
    )  # fmt: skip


def test_the_audit_says_why_the_owner_was_not_told_or_that_nobody_knows() -> None:
    told = cause("owner_not_told", reason="No such user")
    refusal = Cause("INVALID", None, "No such user.", "")
    assert not_told(NOW, refusal) == cause_line(NOW, Side.SALESFORCE, None, told, LineDirection.NOTE)
    unknown = cause("owner_maybe_told")
    assert not_told(NOW, NOT_CONFIRMED) == cause_line(NOW, Side.SALESFORCE, None, unknown, LineDirection.NOTE)
