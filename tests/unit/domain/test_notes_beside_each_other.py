"""What is told of one field hides nothing that is told of another (docs/protocol.md#audit-lines)."""

from copy import replace
from datetime import timedelta

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import STATUS, TEAM, Change, Deal, Person, display_text, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.joined_texts import join_texts
from shared.domain.link import Difference
from shared.domain.mapping_change import MAPPING_CHANGE
from shared.domain.member_sets import Left
from shared.domain.merge import Decision, Merged
from shared.domain.plan_notes import OVERRULED, PlanNotes
from shared.domain.records import Opportunity, Referral
from tests.unit.domain.noted_plans import (
    ACTIVE,
    ADA,
    BEN,
    EDIT,
    LOST,
    NEW,
    NOTES,
    NOW,
    OURS,
    STAGE,
    TEAM_RULE,
    THEIRS,
    WON,
    a_note,
    notes_of,
    record,
)

EARLIER = Line(NOW, "earlier")
SEEN = Opportunity("006", Deal(), flagged=True, modified=NOW)
TITLE = replace(NOTES, field="title", label="Title")
LONG = "long " * 40
PROBLEM = Cause("no_date", "notes", "Not a date.", "Enter one.")
CONFLICT = Merged(NOTES, "theirs", "ours", "theirs", THEIRS, conflict=True, decision=Decision.WINNER)


def after_another() -> PlanNotes:
    """The notes of a pair of which something was told already."""
    notes = notes_of()
    notes.lines, notes.losses, notes.reported = [EARLIER], [EARLIER], ["earlier"]
    notes.ends = [NOW + timedelta(days=30)]
    return notes


def codes(lines: list[Line]) -> list[str]:
    return [line.code for line in lines]


def test_a_value_that_waits_for_the_mapping_is_told_beside_the_others_and_shortened() -> None:
    notes = after_another()
    notes.wait_for_mapping(replace(EDIT, partner_center=LONG))
    told = a_note(MAPPING_CHANGE, THEIRS, display_text(LONG), "new", MAPPING_CHANGE)
    assert notes.lines == [EARLIER, told]
    assert len(display_text(LONG)) < len(LONG)


def test_the_end_of_a_deal_is_named_beside_the_others() -> None:
    notes = after_another()
    notes.base, notes.status = {STATUS: ACTIVE}, LOST
    notes.note_end(Merged(STAGE, WON, WON, WON), WON)
    assert codes(notes.lines) == ["earlier", "closed_as"]


def test_each_list_that_rests_is_told_and_our_team_hides_none_before_the_answer() -> None:
    rules = Rules({TEAM: TEAM_RULE, "notes": NOTES, "title": TITLE})
    notes = after_another()
    notes.status = NEW
    notes.warn_of_unreadable_values(replace(SEEN, unseen=(TEAM, "notes", "title")), rules)
    assert list(notes.refused) == ["salesforce.notes:unseen", "salesforce.title:unseen"]
    assert [line.field for line in notes.lines[1:]] == ["notes", "title"]


def test_each_value_that_cannot_be_read_is_told() -> None:
    other = replace(PROBLEM, field="title", reason="Another.")
    notes = notes_of()
    notes.causes = {PROBLEM.key: PROBLEM}
    problems = {"notes": PROBLEM, "title": other}
    notes.warn_of_unreadable_values(replace(SEEN, problems=problems), Rules({"notes": NOTES, "title": TITLE}))
    assert notes.reported == [other.key]


def test_each_text_that_was_cut_is_told() -> None:
    short, other = replace(NOTES, length=10), replace(TITLE, length=10)
    rules = Rules({"notes": short, "title": other, "more": replace(other, field="more")})
    there = Referral("ref", "1", Deal(), NOW, cut=frozenset({"notes", "title", "more"}))
    notes = after_another()
    notes.writes[THEIRS].append(Change("notes", "Notes", "old", "new"))
    notes.warn_of_cut_texts(SEEN, there, rules)
    assert codes(notes.losses) == ["earlier", "longer_text_replaced"]
    assert [line.field for line in notes.lines[1:]] == ["title", "more"]
    here = notes_of()
    here.warn_of_cut_texts(replace(SEEN, cut=frozenset({"title"})), Referral("ref", "1", Deal(), NOW), rules)
    assert codes(here.lines) == ["longer_text_here"]


def test_the_next_warning_is_one_of_the_times_at_which_the_pair_is_looked_at() -> None:
    notes, until = after_another(), NOW + timedelta(days=10)
    notes.warn_of_end(AnswerTime(until), is_answered=False)
    assert notes.ends == [NOW + timedelta(days=30), until - timedelta(days=3)]


def test_a_team_that_is_left_alone_leaves_what_was_reported() -> None:
    notes = after_another()
    assert notes.leaves_team_alone(Merged(TEAM_RULE, (ADA,), (ADA,), (BEN,), whole=((BEN,), (ADA,))), WON)
    assert (notes.reported[0], len(notes.reported)) == ("earlier", 3)


def test_what_a_field_that_only_shows_another_loses_is_told_whole_and_beside_the_others() -> None:
    rows = replace(NOTES, shows="solutions", in_rows=True)
    notes = after_another()
    notes.report_losses(Merged(rows, "a", LONG, "a", OURS, conflict=True, decision=Decision.OWNER))
    assert notes.losses == [EARLIER, a_note("rows_only_shown", OURS, LONG, "a", "owner")]
    listed = notes_of()
    stays = (Left(OURS, "member_stays", "SOL-3"),)
    listed.report_losses(
        Merged(rows, ("SOL-1",), ("SOL-2",), ("SOL-1",), THEIRS, conflict=True, decision=Decision.OWNER, left=stays)
    )
    assert [(line.before, line.after) for line in listed.losses] == [("SOL-2, SOL-3", "SOL-1, SOL-3")]


def test_joined_texts_are_told_once_when_neither_side_holds_them() -> None:
    text = join_texts("ours", "theirs", NOW, NOW)
    new = Merged(NOTES, text, "ours", "theirs", OURS, conflict=True, decision=Decision.BOTH_TEXTS)
    notes = after_another()
    notes.report_losses(new)
    assert codes(notes.losses) == ["earlier", "both_texts"]
    notes.report_losses(replace(new, partner_center=text))
    assert len(notes.losses) == 2, "one side got the text before"
    notes.report_losses(replace(new, value="ours theirs", salesforce="ours theirs"))
    assert len(notes.losses) == 3, "a text that holds the other one is not joined"


# --- refusals


def refused(side: object, merged: Merged, known: dict[str, Difference] = {}) -> PlanNotes:  # noqa: B006 # not changed
    notes = notes_of(known)
    notes.record_refusal(side, "closed_is_final", merged)  # type: ignore[arg-type] # a side
    return notes


def test_the_value_that_lost_against_one_that_salesforce_does_not_take_stays_on_record() -> None:
    first = refused(OURS, CONFLICT)
    overruled = Difference(fingerprint("ours"), OVERRULED, NOW)
    assert first.refused["partner_center.notes"] == overruled
    known = record("ours", OVERRULED)
    assert refused(OURS, CONFLICT, {"partner_center.notes": known}).refused["partner_center.notes"] == known
    for other in (record("ours", "closed_is_final"), record("before", OVERRULED)):
        assert refused(OURS, CONFLICT, {"partner_center.notes": other}).refused["partner_center.notes"] == overruled


def test_nothing_is_overruled_without_a_conflict_or_where_partner_center_refuses() -> None:
    assert list(refused(OURS, replace(CONFLICT, conflict=False)).refused) == ["salesforce.notes"]
    ours = replace(CONFLICT, value="ours", edited=OURS)
    assert refused(THEIRS, ours).refused["partner_center.notes"].code == "closed_is_final"


def test_a_refused_list_is_told_with_the_members_that_stay_beside_it() -> None:
    stays = (Left(THEIRS, "member_stays", Person("Ray", "Kim", "kim@x.example")),)
    merged = Merged(TEAM_RULE, (ADA, BEN), (ADA, BEN), (ADA,), OURS, left=stays, whole=((ADA,), (ADA, BEN)))
    [line] = refused(THEIRS, merged).lines
    assert line.before == "Ada Lind, Kim Ray"


def test_a_refused_team_that_was_told_is_not_told_again() -> None:
    team = Merged(TEAM_RULE, (ADA,), (ADA,), None, OURS)
    known = record((ADA,), "closed_is_final")
    assert refused(THEIRS, team, {"partner_center.team": known}).lines == []


def test_an_unsent_list_of_which_the_other_side_shows_nothing_is_listed_by_its_members() -> None:
    notes = notes_of()
    notes.record_refusal(THEIRS, "not_answered", Merged(NOTES, (ADA,), (ADA,), None, OURS, whole=(None, (ADA,))))
    notes.record_refusal(THEIRS, "not_answered", Merged(TITLE, (ADA,), (ADA,), (BEN,), OURS, whole=((BEN,), (ADA,))))
    assert notes.unsent == ["Notes Ada Lind", "Title Ben Berg → Ada Lind"]


def test_a_new_question_is_told_under_a_known_key_and_once() -> None:
    known, new = notes_of(reported=("key",)), notes_of()
    for notes in (known, new):
        notes.report_cause("key", "notes", PROBLEM, is_new=True)
        assert len(notes.lines) == 1
