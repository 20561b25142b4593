"""Whether a stage is the answer of a person (docs/protocol.md#answers-that-nobody-gave)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.deal import Deal, Status, fingerprint
from shared.domain.link import Difference, Link
from shared.domain.question import (
    UNASKED,
    UNSEEN_INSERT,
    answer_key,
    is_question,
    question_key,
    question_record,
    stage_cause,
    without_questions,
)
from shared.domain.records import Opportunity
from shared.domain.sentences import cause

NOW, BEFORE = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
ACTIVE, WON = Status("Active", "Accepted"), Status("Closed", "Won")
LINK = Link("006")
BY_FLOW = Opportunity("006", Deal(status=WON), flagged=True, modified=NOW, stage="Closed Won", is_automated=True)
BY_US = replace(BY_FLOW, is_automated=False, modified_by="005")
MARK = fingerprint(WON)


@pytest.mark.parametrize(
    ("record", "asks"),
    [
        (BY_FLOW, True),
        (BY_US, True),
        (replace(BY_US, modified_by="person"), False),
        (replace(BY_US, modified_by=None), False),
    ],
    ids=["a flow", "our own user", "a person", "nobody is known"],
)
def test_a_stage_that_automation_or_the_sync_saved_last_is_a_question(record: Opportunity, *, asks: bool) -> None:
    assert is_question(LINK, record, "005") is asks


@pytest.mark.parametrize("key", [question_key("Closed Won"), UNSEEN_INSERT])
def test_a_question_stands_whoever_has_saved_since(key: str) -> None:
    person = replace(BY_US, modified_by="person")
    assert is_question(replace(LINK, reported=(key,)), person, "005")
    assert not is_question(replace(LINK, reported=(question_key("Other"),)), person, "005")


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({"reported": (answer_key(WON),)}, False),
        ({"reported": (answer_key(ACTIVE),)}, True),
        ({"waiting": {"status": Difference(MARK, "irreversible", BEFORE)}}, False),
        ({"waiting": {"status": Difference("x", "irreversible", BEFORE)}}, True),
        ({"refused": {"partner_center.status": Difference(MARK, "no_reason", BEFORE)}}, False),
        ({"refused": {"partner_center.status": Difference(MARK, UNASKED, BEFORE)}}, True),
        ({"refused": {"salesforce.status": Difference(MARK, "no_reason", BEFORE)}}, True),
    ],
    ids=str,
)
def test_a_persons_answer_that_is_not_sent_yet_is_no_question(
    changes: dict[str, tuple[str, ...] | dict[str, Difference]], *, asks: bool
) -> None:
    assert is_question(replace(LINK, **changes), BY_FLOW, "005") is asks  # type: ignore[arg-type] # parts of a link


def test_a_question_and_an_answer_are_remembered_by_stage_and_status() -> None:
    assert question_key("Closed Won") == "unasked_stage:Closed Won"
    assert answer_key(WON) == f"answer:{MARK}"
    known = replace(LINK, reported=("unasked_stage:x", "unasked_stage", "y"))
    assert without_questions(known).reported == ("unasked_stage", "y")


def test_the_question_names_the_stage_and_the_status_that_partner_center_keeps() -> None:
    expected = cause(UNASKED, "status", value="Closed Won", kept="Active/Accepted")
    assert stage_cause(BY_FLOW, ACTIVE) == expected


def test_the_record_of_a_question_keeps_its_time_for_the_same_status() -> None:
    new, known = Difference(MARK, UNASKED, NOW), Difference(MARK, UNASKED, BEFORE)
    assert question_record(known, WON, NOW) == known
    for other in (None, replace(known, value="x"), replace(known, code="x")):
        assert question_record(other, WON, NOW) == new
