"""What the plan of one pair notes of lists: members that do not travel, our team, and what was not read."""

from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.creation_values import CONTACTS_CUT, PART_LEFT_OUT
from shared.domain.deal import TEAM, Deal, Person, Side, Status, Value
from shared.domain.field_rules import Rule, Rules
from shared.domain.left_members import left_key, left_records, mark_of, told_mark
from shared.domain.link import Difference, Link
from shared.domain.member_sets import Left
from shared.domain.merge import Merged
from shared.domain.plan_notes import PlanNotes
from shared.domain.records import Referral

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
CONTACTS, OUR_TEAM = Rule("contacts", "Contacts", is_set=True), Rule(TEAM, "Team", is_set=True)
ADA, BEN = Person("Lind", "Ada", "ada@x.example", "1"), Person("Berg", "Ben", "ben@x.example")
STAYS = Left(THEIRS, "member_stays", BEN)
KEY = "salesforce.contacts:left"


def notes_of(refused: Mapping[str, Difference] = {}, **changes: Any) -> PlanNotes:  # noqa: ANN401 - any part of a link
    return PlanNotes(replace(Link("006"), refused=refused, **changes), NOW)


def a_list(
    *left: Left, rule: Rule = CONTACTS, ours: Value | None = (ADA,), theirs: Value | None = (ADA, BEN)
) -> Merged:
    return Merged(rule, (ADA,), (ADA,), (ADA,), left=left, whole=(theirs, ours))


def noted(merged: Merged, notes: PlanNotes) -> list[str]:
    notes.note_left_members(merged)
    return [line.code for line in notes.lines]


RECORD = next(record for _, record, _ in left_records(CONTACTS, [STAYS], NOW))


def test_a_member_that_does_not_travel_is_on_record_and_told_once() -> None:
    first = notes_of()
    assert noted(a_list(STAYS), first) == ["member_stays"]
    assert first.refused == {KEY: RECORD}
    known = replace(RECORD, since=BEFORE, told=())
    again = notes_of({KEY: known})
    assert noted(a_list(STAYS), again) == []
    assert again.refused == {KEY: known}
    other = notes_of({KEY: replace(known, value="x")})
    assert noted(a_list(STAYS), other) == ["member_stays"]
    assert other.refused == {KEY: RECORD}
    elsewhere = Difference("x", "y", BEFORE, (told_mark("contacts", STAYS),))
    assert noted(a_list(STAYS), notes_of({"other": elsewhere})) == []


def test_members_whom_an_earlier_build_counted_or_a_refusal_told_are_not_told_again() -> None:
    for code, told in ((CONTACTS_CUT, []), ("other", ["member_stays"])):
        assert noted(a_list(STAYS), notes_of({"salesforce.contacts": Difference("x", code, BEFORE)})) == told
    refused = [Left(OURS, "member_refused", BEN), Left(OURS, "member_stays", ADA)]
    assert noted(a_list(*refused), notes_of()) == ["member_stays"]


NEW = Status("New", "Pending")


@pytest.mark.parametrize(
    ("left", "status", "knows", "accepts", "codes"),
    [
        (STAYS, None, True, False, ["member_stays"]),
        (STAYS, None, True, True, []),
        (STAYS, None, False, False, []),
        (STAYS, NEW, True, False, ["member_stays"]),
        (replace(STAYS, code="member_no_address"), NEW, True, False, []),
        (replace(STAYS, code="member_no_address"), None, False, False, ["member_no_address"]),
        (replace(STAYS, code="member_no_address"), Status("Active", "Accepted"), True, False, ["member_no_address"]),
    ],
)
def test_members_of_our_team_that_came_with_the_deal_or_go_with_the_accept_are_not_told(
    left: Left, status: Status | None, codes: list[str], *, knows: bool, accepts: bool
) -> None:
    accepted = f"salesforce.team:left={mark_of([BEN])}"
    notes = notes_of(sources={TEAM: "s"} if knows else {}, reported=(accepted,) if accepts else ())
    notes.base, notes.status = ({TEAM: (ADA,)} if knows else {}), status
    assert noted(a_list(left, rule=OUR_TEAM), notes) == codes
    assert notes.reported == ([] if codes else [accepted])
    assert list(notes.refused) == ([left_key(OURS, TEAM)] if codes else [])


def test_members_of_other_lists_are_told_before_the_answer_too() -> None:
    notes = notes_of()
    notes.status = NEW
    assert noted(a_list(replace(STAYS, code="member_no_address")), notes) == ["member_no_address"]


def test_one_list_that_came_with_the_deal_does_not_hide_the_other() -> None:
    notes = notes_of()
    both = (STAYS, Left(OURS, "member_incomplete", ADA))
    assert noted(a_list(*both, rule=OUR_TEAM), notes) == ["member_incomplete"]


PART = Difference("x", PART_LEFT_OUT, BEFORE)
PARTS = {"salesforce.contacts": PART}


@pytest.mark.parametrize(
    ("ours", "theirs", "known", "kept"),
    [
        ((replace(ADA, phone=None),), (ADA,), PART, True),
        ((ADA,), (replace(ADA, phone=None),), PART, False),
        ((ADA,), (ADA,), PART, False),
        ((BEN,), (ADA,), PART, False),
        ((replace(ADA, phone=None),), (ADA,), replace(PART, code="other"), False),
    ],
)
def test_a_part_that_salesforce_refused_stays_on_record_until_both_sides_hold_the_same(
    ours: Value, theirs: Value, known: Difference, *, kept: bool
) -> None:
    notes = notes_of({"salesforce.contacts": known})
    notes.note_left_members(a_list(ours=ours, theirs=theirs))
    assert notes.refused == ({"salesforce.contacts": known} if kept else {})
    plain = notes_of({"salesforce.contacts": known})
    plain.note_left_members(replace(a_list(), whole=None))
    assert plain.refused == {}


ACCEPTED = f"{KEY}={mark_of([BEN])}"
RULES = Rules({"contacts": CONTACTS, "notes": Rule("notes", "Notes")})


def test_what_a_referral_from_the_base_does_not_show_of_its_lists_is_kept() -> None:
    refused = {**PARTS, "salesforce.notes": PART, KEY: RECORD}
    unread, read = Referral("ref", "1", Deal(), NOW), Referral("ref", "1", Deal(), NOW, raw={})
    for reported in ((ACCEPTED, "x"), ()):
        notes = notes_of(refused, reported=reported)
        notes.reported = ["before"]
        notes.keep_what_was_read(unread, RULES)
        assert (notes.refused, notes.reported) == (PARTS, ["before", *(key for key in reported if key == ACCEPTED)])
    only_told = notes_of(reported=(ACCEPTED,))
    only_told.keep_what_was_read(unread, RULES)
    assert only_told.reported == [ACCEPTED]
    for notes, referral in ((notes_of(refused, reported=(ACCEPTED,)), read), (notes_of(), unread)):
        notes.keep_what_was_read(referral, RULES)
        assert (notes.refused, notes.reported) == ({}, [])


def test_of_a_person_in_a_list_the_base_keeps_what_salesforce_says() -> None:
    later = replace(ADA, phone="2")
    assert notes_of().agreed_value(a_list(ours=(later, BEN))) == (later,)
    assert notes_of().agreed_value(replace(a_list(), value="x", whole=None)) == "x"
