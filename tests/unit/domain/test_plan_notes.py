"""What the plan of one pair tells, each cause and warning once (docs/protocol.md#audit-lines)."""

from copy import replace
from datetime import date

import pytest

from shared.domain.audit import Line, cause_line
from shared.domain.cause import Cause
from shared.domain.deal import STATUS, TEAM, Change, Deal, Status, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.link import Difference
from shared.domain.mapping_change import MAPPING_CHANGE
from shared.domain.member_sets import UNSEEN_MEMBER
from shared.domain.merge import Decision, Merged
from shared.domain.ping_pong import report_key
from shared.domain.records import Opportunity, Referral
from shared.domain.repeats import Repeats, Writes
from shared.domain.sentences import cause
from shared.domain.text_limits import CutText
from tests.unit.domain.noted_plans import (
    ACTIVE,
    EDIT,
    LOST,
    NEW,
    NOTE,
    NOTES,
    NOW,
    OURS,
    RULES,
    STAGE,
    THEIRS,
    WON,
    a_note,
    notes_of,
    record,
)

# --- causes and warnings


def test_a_cause_marks_the_pair_each_time_and_is_told_once() -> None:
    found = cause("missing_name", "name")
    first = notes_of()
    first.report_cause("key", "name", found)
    assert (first.causes, first.reported) == ({found.key: found}, ["key"])
    assert first.lines == [cause_line(NOW, THEIRS, "name", found)]
    again = notes_of(reported=("key",))
    again.report_cause("key", "name", found)
    assert (again.causes, again.reported, again.lines) == ({found.key: found}, ["key"], [])


def test_what_is_stopped_because_something_sets_it_back_stays_reported() -> None:
    key = report_key("partner_center.notes", "v")
    stopped = Repeats(written={"partner_center.notes": Writes("v", (NOW,), is_stopped=True)})
    assert notes_of(reported=(key,), repeats=stopped).reported == [key]


def test_only_an_agreed_status_stays_in_the_base() -> None:
    for agreed, kept in ((Deal(status=WON, notes="n"), {"notes": "x", STATUS: WON}), (Deal(), {"notes": "x"})):
        notes = notes_of()
        notes.base = {"notes": "x", STATUS: ACTIVE}
        notes.keep_status(agreed)
        assert notes.base == kept


# --- the end of a deal


@pytest.mark.parametrize(
    ("before", "there", "is_told"),
    [(ACTIVE, LOST, True), (ACTIVE, WON, False), (WON, LOST, False), (None, LOST, False), (ACTIVE, ACTIVE, False),
     (ACTIVE, None, False)],
)  # fmt: skip
def test_an_end_is_named_where_the_stage_says_less_of_it(
    before: Status | None, there: Status | None, *, is_told: bool
) -> None:
    notes = notes_of()
    notes.base, notes.status = {STATUS: before}, there
    notes.note_end(Merged(STAGE, WON, WON, WON), WON)
    line = Line(NOW, "closed_as", NOTE, None, STATUS, values={"label": "Stage", "status": "Lost"})
    assert notes.lines == ([line] if is_told else [])


@pytest.mark.parametrize(
    ("known", "warned"), [(None, True), (record("new", MAPPING_CHANGE), False), (record("x", MAPPING_CHANGE), True)]
)
def test_a_value_of_a_newly_sent_field_waits_and_is_told_once(known: Difference | None, *, warned: bool) -> None:
    notes = notes_of(waiting={"partner_center.notes": known} if known else {})
    notes.wait_for_mapping(EDIT)
    expected = Difference(fingerprint("new"), MAPPING_CHANGE, NOW) if warned else known
    assert notes.waiting == {"partner_center.notes": expected}
    assert notes.lines == ([a_note(MAPPING_CHANGE, THEIRS, "old", "new", MAPPING_CHANGE)] if warned else [])


def test_of_a_list_of_a_newly_sent_field_the_whole_one_waits() -> None:
    notes = notes_of()
    notes.wait_for_mapping(replace(EDIT, whole=(("a",), ("a", "b"))))
    assert notes.waiting["partner_center.notes"].value == fingerprint(("a", "b"))


# --- values that are discarded


LONG = "long " * 40
JOINED = "a\n--- 2026-11-22 10:00 UTC, Partner Center ---\nb"


@pytest.mark.parametrize(
    ("merged", "line"),
    [
        (
            Merged(NOTES, "new", "new", LONG, OURS, conflict=True, decision=Decision.WINNER),
            a_note("conflict", THEIRS, LONG, "new", "winner"),
        ),
        (
            Merged(NOTES, "new", LONG, "new", THEIRS, conflict=True, decision=Decision.WINNER),
            a_note("conflict", OURS, LONG, "new", "winner"),
        ),
        (
            Merged(NOTES, "new", "new", None, OURS, conflict=True, decision=Decision.TEXT_OVER_EMPTY),
            a_note("conflict_empty", THEIRS, "empty", "new", "text_over_empty", system="Partner Center"),
        ),
        (
            Merged(NOTES, "new", LONG, "new", THEIRS, conflict=True, decision=Decision.FINAL_OVER_OPEN),
            a_note("conflict_closed", OURS, LONG, "new", "final_over_open"),
        ),
        (
            Merged(NOTES, "new", "new", LONG, OURS, conflict=True, decision=Decision.FINAL_OVER_OPEN),
            a_note("conflict", THEIRS, LONG, "new", "final_over_open"),
        ),
        (
            Merged(NOTES, "a b", "a", "b", OURS, conflict=True, decision=Decision.BOTH_TEXTS),
            a_note("both_texts", None, None, None, "both_texts"),
        ),
        (Merged(NOTES, JOINED, "a", JOINED, OURS, conflict=True, decision=Decision.BOTH_TEXTS), None),
        (
            Merged(NOTES, "old", LONG, "old", OURS, decision=Decision.OWNER),
            a_note("put_back", OURS, LONG, "old", "owner", owner="Partner Center"),
        ),
        (Merged(NOTES, "new", "new", "old", OURS), None),
    ],
)
def test_a_discarded_value_is_told_whole_with_the_one_that_was_kept(merged: Merged, line: Line | None) -> None:
    notes = notes_of()
    notes.report_losses(merged)
    assert notes.losses == ([line] if line else [])


@pytest.mark.parametrize(
    ("in_rows", "held", "conflict", "code"),
    [
        (False, "typed", True, "shown_only"),
        (True, "typed", True, "rows_only_shown"),
        (False, "typed", False, "shown_only"),
        (False, None, True, None),
        (True, None, True, "rows_only_shown"),
    ],
)
def test_an_edit_of_a_field_that_only_shows_another_is_undone_and_told(
    in_rows: bool, held: str | None, conflict: bool, code: str | None
) -> None:
    rule, edited = replace(NOTES, shows="solutions", in_rows=in_rows), OURS if not conflict else THEIRS
    notes = notes_of()
    notes.report_losses(Merged(rule, "a", held, "a", edited, conflict, Decision.OWNER))
    told = a_note(code, OURS, held or "empty", "a", "owner") if code else None
    assert notes.losses == ([told] if told else [])
    shown = notes_of()
    shown.report_losses(Merged(rule, "b", "a", "b", THEIRS))
    assert shown.losses == []


# --- values that cannot be read, or not whole


PROBLEM = Cause("no_date", "notes", "Not a date.", "Enter one.")


def test_a_value_of_salesforce_that_cannot_be_read_is_told_once() -> None:
    problems = {"notes": PROBLEM, "other": replace(PROBLEM, reason="Other.")}
    seen = Opportunity("006", Deal(), flagged=True, modified=NOW, problems=problems)
    first, again = notes_of(), notes_of(reported=(PROBLEM.key,))
    for notes in (first, again):
        notes.warn_of_unreadable_values(seen, RULES)
        assert (notes.causes, notes.reported) == ({PROBLEM.key: PROBLEM}, [PROBLEM.key])
    assert (first.lines, again.lines) == ([cause_line(NOW, THEIRS, "notes", PROBLEM, NOTE)], [])
    known = notes_of()
    known.causes = {PROBLEM.key: PROBLEM}
    known.warn_of_unreadable_values(seen, RULES)
    assert (known.reported, known.lines) == ([], [])
    typed = notes_of()
    typed.warn_of_unreadable_values(replace(seen, problems={"notes": replace(PROBLEM, code="bad_solutions")}), RULES)
    assert (typed.causes, typed.lines) == ({}, [])


@pytest.mark.parametrize(
    ("known", "is_told"),
    [(None, True), (record("x", UNSEEN_MEMBER), False), (record("x", "other"), True)],
)
def test_a_list_that_names_somebody_unseen_rests_and_is_told_once(known: Difference | None, *, is_told: bool) -> None:
    key = "salesforce.team:unseen"
    seen = Opportunity("006", Deal(), flagged=True, modified=NOW, unseen=(TEAM, "other"))
    notes = notes_of({key: known} if known else {})
    notes.warn_of_unreadable_values(seen, RULES)
    assert notes.refused == {key: Difference(fingerprint(TEAM), UNSEEN_MEMBER, NOW) if is_told else known}
    line = Line(NOW, UNSEEN_MEMBER, NOTE, OURS, TEAM, rule=UNSEEN_MEMBER, values={"label": "Team"})
    assert notes.lines == ([line] if is_told else [])


def test_our_team_goes_with_the_accept_so_nobody_misses_it_before() -> None:
    seen = Opportunity("006", Deal(), flagged=True, modified=NOW, unseen=(TEAM, "notes"))
    notes = notes_of()
    notes.status = NEW
    notes.warn_of_unreadable_values(seen, RULES)
    assert list(notes.refused) == ["salesforce.notes:unseen"]


@pytest.mark.parametrize(
    ("known", "is_told"),
    [
        (None, True),
        (record(PROBLEM.key, "unreadable"), False),
        (record("x", "unreadable"), True),
        (record(PROBLEM.key, "other"), True),
    ],
)
def test_a_value_of_partner_center_that_cannot_be_read_is_told_once(known: Difference | None, *, is_told: bool) -> None:
    notes = notes_of({"salesforce.notes": known} if known else {})
    notes.record_unreadable(NOTES, PROBLEM)
    new = Difference(fingerprint(PROBLEM.key), "unreadable", NOW)
    assert notes.refused == {"salesforce.notes": new if is_told else known}
    values = {"label": "Notes", "reason": "Not a date."}
    line = Line(NOW, "left_alone", NOTE, OURS, "notes", rule="no_date", values=values)
    assert notes.lines == ([line] if is_told else [])


def test_a_text_of_which_a_side_holds_the_beginning_is_told_once_and_its_replacement_each_time() -> None:
    rule = replace(NOTES, length=10)
    seen = Opportunity("006", Deal(), flagged=True, modified=NOW)
    there = Referral("ref", "1", Deal(), NOW, cut=frozenset({"notes"}))
    cut = CutText(OURS, rule)
    first = notes_of()
    first.warn_of_cut_texts(seen, there, Rules({"notes": rule}))
    assert (first.refused, first.lines) == ({"salesforce.notes": cut.record(NOW)}, [cut.line(NOW, NOTE)])
    again = notes_of(first.refused)
    again.warn_of_cut_texts(seen, there, Rules({"notes": rule}))
    assert (again.refused, again.lines, again.losses) == (first.refused, [], [])
    replaced = notes_of(first.refused)
    replaced.writes[THEIRS].append(Change("notes", "Notes", "old", "new"))
    replaced.warn_of_cut_texts(seen, there, Rules({"notes": rule}))
    assert (replaced.refused, replaced.losses) == ({}, [cut.line_of_replacement(NOW)])
    other = notes_of({"salesforce.notes": record("x", "refused_by_salesforce")})
    other.refused = {"salesforce.notes": record("y", "kept")}
    other.writes[OURS].append(Change("notes", "Notes", "old", "new"))
    other.warn_of_cut_texts(seen, there, Rules({"notes": rule}))
    assert other.refused == {"salesforce.notes": record("y", "kept")}


def test_a_close_date_in_the_past_is_told_with_what_this_plan_writes() -> None:
    notes = notes_of()
    notes.warn_of_past_close_date(Deal(closing=date(2026, 11, 1), status=ACTIVE))
    assert [(line.code, line.values) for line in notes.lines] == [("past_closing", {"value": "2026-11-01"})]
    moved = notes_of()
    moved.writes[OURS].append(Change("closing", "Close Date", None, date(2027, 1, 1)))
    moved.writes[THEIRS].append(Change("closing", "Close Date", None, date(2026, 11, 1)))
    moved.warn_of_past_close_date(Deal(closing=date(2026, 11, 1), status=ACTIVE))
    assert moved.lines == []
