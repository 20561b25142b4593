"""What the plan of one pair tells of values that a side does not take.

Source: docs/protocol.md#when-a-write-is-not-allowed.
"""

from copy import replace

from shared.domain.audit import cause_line
from shared.domain.deal import TEAM, Side, fingerprint
from shared.domain.joined_texts import refusal_mark
from shared.domain.left_members import mark_of
from shared.domain.link import Difference
from shared.domain.merge import Merged
from shared.domain.ping_pong import PING_PONG, report_key
from shared.domain.plan_notes import PlanNotes
from shared.domain.sentences import cause
from tests.unit.domain.noted_plans import (
    ACTIVE,
    ADA,
    BEN,
    EDIT,
    NOTES,
    NOW,
    OURS,
    TEAM_RULE,
    THEIRS,
    WON,
    a_note,
    notes_of,
    record,
)


def refused(known: Difference | None, code: str, merged: Merged = EDIT, side: Side = THEIRS) -> PlanNotes:
    """What is noted when `side` does not take the merged value."""
    notes = notes_of({f"{side}.{merged.rule.field}": known} if known else {})
    notes.record_refusal(side, code, merged)
    return notes


def test_a_difference_is_told_once_and_again_for_another_value() -> None:
    told = a_note("closed_is_final", THEIRS, "old", "new", "closed_is_final", system="Partner Center")
    first = refused(None, "closed_is_final")
    assert first.refused == {"partner_center.notes": Difference(refusal_mark("new"), "closed_is_final", NOW)}
    assert first.lines == [told]
    known = record("new", "fixed_there")
    assert refused(known, "closed_is_final").refused == {"partner_center.notes": replace(known, code="closed_is_final")}
    assert refused(known, "closed_is_final").lines == []
    assert refused(record("other", "closed_is_final"), "closed_is_final").lines == [told]
    question = refused(record("new", "unasked_stage"), "closed_is_final")
    assert (question.refused, question.lines) == (first.refused, [told])


def test_what_a_service_refused_was_told_when_it_was_refused() -> None:
    assert refused(None, "refused_by_partner_center").lines == []


def test_an_edit_before_the_answer_is_told_and_listed_for_a_decline() -> None:
    notes = refused(None, "not_answered")
    assert notes.unsent == ["Notes old → new"]
    assert [line.code for line in notes.lines] == ["not_answered"]
    assert refused(None, "closed_is_final").unsent == []


def test_our_team_goes_with_the_accept_and_is_told_at_a_decline_only() -> None:
    team = Merged(TEAM_RULE, (ADA,), (ADA,), None, OURS)
    notes = refused(None, "not_answered", team)
    assert notes.refused == {"partner_center.team": Difference(fingerprint((ADA,)), "not_answered", NOW)}
    assert (notes.lines, notes.unsent) == ([], ["Team empty → Ada Lind"])
    known = record((ADA,), "not_answered")
    assert refused(known, "not_answered", team).refused == {"partner_center.team": known}
    assert [line.code for line in refused(known, "closed_is_final", team).lines] == ["closed_is_final"]


def test_locked_contacts_are_told_by_what_was_edited() -> None:
    later = replace(ADA, phone="2")
    contacts = Merged(NOTES, (later,), (later,), (replace(ADA, phone="1"),), OURS)
    told = a_note(
        "contact_details_locked", THEIRS, "Ada Lind", "Ada Lind", "contacts_locked", system="Partner Center",
        value="Ada Lind",
    )  # fmt: skip
    assert refused(None, "contacts_locked", contacts).lines == [told]
    emptied = replace(contacts, value=None, salesforce=None)
    [line] = refused(None, "contacts_locked", emptied).lines
    assert (line.code, line.values) == ("contacts_locked_empty", {"label": "Notes", "system": "Partner Center"})


def test_a_list_that_partner_center_refused_with_these_details_is_known() -> None:
    people = Merged(NOTES, (ADA, BEN), (ADA, BEN), (ADA,), OURS, whole=((ADA,), (ADA, BEN)))
    known = record((ADA, BEN), "refused_by_partner_center")
    assert refused(known, "refused_by_partner_center", people).refused == {"partner_center.notes": known}
    other = refused(known, "closed_is_final", people)
    assert other.refused["partner_center.notes"].since == NOW
    later = replace(people, value=(ADA, replace(BEN, phone="2")))
    assert refused(known, "refused_by_partner_center", later).refused["partner_center.notes"].since == NOW


def test_a_value_that_something_sets_back_is_parked_and_told_once() -> None:
    found = cause(PING_PONG, "notes", label="Notes", value="new", system="Partner Center")
    first = refused(None, PING_PONG)
    key = report_key("partner_center.notes", fingerprint("new"))
    assert first.refused == {"partner_center.notes": Difference(fingerprint("new"), PING_PONG, NOW)}
    assert (first.causes, first.reported) == ({found.key: found}, [key])
    assert first.lines == [cause_line(NOW, THEIRS, "notes", found)]
    known = record("new", PING_PONG)
    assert refused(known, PING_PONG).refused == {"partner_center.notes": known}
    for other in (record("x", PING_PONG), record("new", "other")):
        assert refused(other, PING_PONG).refused == first.refused
    told = notes_of()
    told.reported = [key]
    told.record_refusal(THEIRS, PING_PONG, EDIT)
    assert (told.lines, told.reported) == ([], [key])


def test_an_edit_that_another_release_could_not_send_is_not_told_again_until_it_is_taken() -> None:
    known = record("new", "fixed_there")
    for value, kept in (("new", {"partner_center.notes": known}), ("newer", {})):
        notes = notes_of({"partner_center.notes": known})
        notes.keep_while_tried("partner_center.notes", value)
        assert notes.refused == kept
    for refused_before in ({}, {"partner_center.notes": record("new", "other")}):
        notes = notes_of(refused_before)
        notes.keep_while_tried("partner_center.notes", "new")
        assert notes.refused == {}


def test_a_team_of_a_deal_that_was_closed_before_anybody_compared_it_stays_on_both_sides() -> None:
    merged = Merged(TEAM_RULE, (ADA,), (ADA,), (BEN,), whole=((ADA, BEN), (ADA,)))
    notes = notes_of()
    assert notes.leaves_team_alone(merged, WON)
    assert notes.base == {TEAM: (ADA,)}
    kept = f"salesforce.team:left={mark_of([BEN])}"
    assert notes.reported == [f"partner_center.team:left={mark_of([])}", kept]
    for status in (ACTIVE, None):
        assert not notes_of().leaves_team_alone(merged, status)
    assert not notes_of().leaves_team_alone(replace(merged, rule=NOTES), WON)
    assert not notes_of().leaves_team_alone(replace(merged, whole=None), WON)
    compared = notes_of(sources={TEAM: "s"})
    compared.base = {TEAM: (ADA,)}
    assert not compared.leaves_team_alone(merged, WON)
    accepted = notes_of(sources={TEAM: "s"}, reported=(f"partner_center.team:left={mark_of([])}",))
    accepted.base = {TEAM: (ADA,)}
    assert accepted.leaves_team_alone(merged, WON)
