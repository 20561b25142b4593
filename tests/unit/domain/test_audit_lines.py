"""What the audit says of a value that travelled, was ignored or was refused (docs/protocol.md#audit-lines)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.audit import (
    CONFIRMED,
    IGNORED,
    RECOVERED,
    Line,
    cause_line,
    change_lines,
    fold_lines,
    ignored_lines,
    refusal_lines,
    text_line,
)
from shared.domain.cause import Cause
from shared.domain.deal import SHOWN_SOLUTIONS, STATUS, VISIBILITY, VISIBLE, Change, Person, Side, Status
from shared.domain.sentences import LineDirection

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
TO, FROM = LineDirection.TO_PARTNER_CENTER, LineDirection.FROM_PARTNER_CENTER
NOTES = Change("notes", "Notes", "old", "new")
LABEL = {"label": "Notes"}


@pytest.mark.parametrize(("side", "direction"), [(OURS, FROM), (THEIRS, TO)])
def test_a_change_is_told_with_both_values_and_the_way_that_it_went(side: Side, direction: LineDirection) -> None:
    line = Line(NOW, "changed", direction, side, "notes", "old", "new", CONFIRMED, LABEL)
    assert change_lines(NOW, side, [NOTES]) == (line,)
    assert change_lines(NOW, side, [NOTES], RECOVERED) == (replace(line, rule=RECOVERED),)
    assert change_lines(NOW, side, [replace(NOTES, sent="sent")]) == (replace(line, after="sent"),)


def test_a_field_that_only_shows_another_is_not_told() -> None:
    assert change_lines(NOW, OURS, [replace(NOTES, field=SHOWN_SOLUTIONS)]) == ()


def test_a_tick_that_the_sync_sets_in_salesforce_is_told_as_one() -> None:
    tick = Change(VISIBILITY, "Visible", None, VISIBLE)
    [ours], [theirs] = change_lines(NOW, OURS, [tick]), change_lines(NOW, THEIRS, [tick])
    assert (ours.code, ours.direction) == ("ticked", LineDirection.NOTE)
    assert (theirs.code, theirs.direction) == ("changed", TO)


def person(last: str, email: str | None, phone: str | None = None) -> Person:
    return Person(last, "Ada", email, phone)


def test_people_with_one_name_are_told_with_their_addresses() -> None:
    change = Change("notes", "Notes", (person("Lind", "a@x.example"),), (person("Lind", "b@x.example"),))
    values = ("Ada Lind (a@x.example)", "Ada Lind (b@x.example)")
    assert change_lines(NOW, THEIRS, [change]) == (
        Line(NOW, "changed", TO, THEIRS, "notes", *values, CONFIRMED, LABEL),
    )
    without = replace(change, new=(person("Lind", None),))
    assert change_lines(NOW, THEIRS, [without])[0].after == "Ada Lind"


def test_other_details_of_the_same_people_are_told_as_details() -> None:
    change = Change("notes", "Notes", (person("Lind", "a@x.example", "1"),), (person("Lind", "a@x.example", "2"),))
    values = {**LABEL, "value": "Ada Lind"}
    assert change_lines(NOW, OURS, [change]) == (
        Line(NOW, "member_details", FROM, OURS, "notes", rule=CONFIRMED, values=values),
    )
    assert change_lines(NOW, OURS, [Change("notes", "Notes", "a", "a")])[0].code == "changed"


@pytest.mark.parametrize(("side", "system"), [(OURS, "Salesforce"), (THEIRS, "Partner Center")])
def test_what_a_side_ignored_or_refused_is_told_with_its_system(side: Side, system: str) -> None:
    values, direction = {"system": system, **LABEL}, LineDirection.NOT_SYNCED
    ignored = Line(NOW, "ignored", direction, side, "notes", "old", "new", IGNORED, values)
    assert ignored_lines(NOW, side, [NOTES]) == (ignored,)
    refusal = Cause("INVALID", "notes", "Too long", "Shorten it.")
    named = {"reason": "Too long.", "remedy": "Shorten it.", **values}
    refused = Line(NOW, "refused", direction, side, "notes", "old", "new", "INVALID", named)
    assert refusal_lines(NOW, side, refusal, [NOTES]) == (refused,)


@pytest.mark.parametrize(
    ("status", "code"), [(Status("New", "Pending"), "ignored_stage"), (Status("Active", "Accepted"), "ignored")]
)
def test_an_ignored_stage_that_leaves_a_deal_unanswered_says_what_answers_it(status: Status, code: str) -> None:
    assert ignored_lines(NOW, OURS, [Change(STATUS, "Stage", None, status)])[0].code == code


@pytest.mark.parametrize(
    ("reason", "told"), [("No", "No."), ("No.", "No."), ("Really?", "Really?"), ("Never!", "Never!")]
)
def test_the_reason_of_a_service_ends_as_a_sentence(reason: str, told: str) -> None:
    line = cause_line(NOW, THEIRS, "notes", Cause("INVALID", "notes", reason, "Act."))
    values = {"reason": told, "remedy": "Act."}
    expected = Line(NOW, "problem", LineDirection.NOT_SYNCED, THEIRS, "notes", rule="INVALID", values=values)
    assert line == expected


def test_a_cause_of_ours_is_stored_by_its_code_and_values() -> None:
    found = Cause("missing_name", "name", "No name.", "Enter one.", values={"k": "v"})
    line = Line(NOW, "missing_name", LineDirection.NOTE, OURS, None, rule="missing_name", values={"k": "v"})
    assert cause_line(NOW, OURS, None, found, LineDirection.NOTE) == line


def test_a_line_is_shown_with_the_values_that_it_has() -> None:
    [line] = change_lines(NOW, THEIRS, [NOTES])
    assert line.text == "To Partner Center: Notes old → new."
    assert text_line(NOW, "As it was.").text == "As it was."


def test_folded_lines_stand_behind_those_that_are_kept() -> None:
    lines = [text_line(NOW, str(number)) for number in range(4)]
    kept = fold_lines(lines, 3)
    assert [line.text for line in kept] == ["0", "1", "2 3"]
    assert kept[-1].code == "folded"
