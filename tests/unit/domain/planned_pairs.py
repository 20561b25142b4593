"""The plan of one small pair, which agrees apart from what a test says."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.deal import (
    STATUS,
    VISIBILITY,
    Deal,
    Side,
    Status,
    Value,
)
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Link
from shared.domain.plan import plan_pair
from shared.domain.planned import Plan
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
WAIT = timedelta(minutes=2)
THEIRS = Side.PARTNER_CENTER
NEW, ACTIVE, WON, LOST = (
    Status("New", "Pending"), Status("Active", "Accepted"), Status("Closed", "Won"), Status("Closed", "Lost"),
)  # fmt: skip
NOTES, STAGE, SHOWN = Rule("notes", "Notes"), Rule(STATUS, "Stage"), Rule(VISIBILITY, "Visible")
RULES = Rules({"notes": NOTES, STATUS: STAGE}, "m")
AGREED = Deal(notes="old", status=ACTIVE)
LINK = Link("006", referral_id="ref", base=AGREED, mapping="m")


def plan_with(  # noqa: PLR0913 - what may differ from a pair that agrees
    ours: dict[str, Value | None] | None = None,
    theirs: dict[str, Value | None] | None = None,
    *,
    link: Link = LINK,
    rules: Rules = RULES,
    policy: Policy = Policy(irreversible_wait=WAIT),  # noqa: B008 # frozen
    is_question: bool = False,
    seen: dict[str, Any] | None = None,
    read: dict[str, Any] | None = None,
) -> Plan:
    """The plan of a pair that agrees apart from these values; `seen` and `read` change the two records."""
    opportunity = Opportunity("006", AGREED.with_values(ours or {}), flagged=True, modified=BEFORE, stage="Stage")
    deal = AGREED.with_values(theirs or {})
    status = deal[STATUS]
    referral = Referral("ref", "1", deal, BEFORE, status if isinstance(status, Status) else None, raw={})
    return plan_pair(
        link, replace(opportunity, **seen or {}), replace(referral, **read or {}), rules, NOW, policy,
        is_question=is_question,
    )  # fmt: skip


def codes(found: Plan) -> list[str]:
    return [line.code for line in found.lines]
