"""A link, a few rules and values, and what the plan of one pair notes of them."""

from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime
from typing import Any

from shared.domain.audit import Line
from shared.domain.deal import STATUS, TEAM, Person, Side, Status, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference, Link
from shared.domain.merge import Merged
from shared.domain.plan_notes import PlanNotes
from shared.domain.sentences import LineDirection

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
OURS, THEIRS, NOTE = Side.SALESFORCE, Side.PARTNER_CENTER, LineDirection.NOTE
NEW, ACTIVE, WON, LOST = (
    Status("New", "Pending"), Status("Active", "Accepted"), Status("Closed", "Won"), Status("Closed", "Lost"),
)  # fmt: skip
NOTES, STAGE, TEAM_RULE = Rule("notes", "Notes"), Rule(STATUS, "Stage"), Rule(TEAM, "Team", is_set=True)
RULES = Rules({"notes": NOTES, STATUS: STAGE, TEAM: TEAM_RULE})
EDIT = Merged(NOTES, "new", "new", "old", OURS)
LINK = Link("006", referral_id="ref")
ADA, BEN = Person("Lind", "Ada", "ada@x.example"), Person("Berg", "Ben", "ben@x.example")


def notes_of(refused: Mapping[str, Difference] = {}, **changes: Any) -> PlanNotes:  # noqa: ANN401 - any part of a link
    return PlanNotes(replace(LINK, refused=refused, **changes), NOW)


def a_note(code: str, side: Side | None, before: str | None, after: str | None, why: str | None, **values: str) -> Line:
    return Line(NOW, code, NOTE, side, "notes", before, after, why, {"label": "Notes", **values})


def record(value: Value | None, code: str) -> Difference:
    return Difference(fingerprint(value), code, BEFORE)
