"""Members of a list that do not travel are on record, and told once (docs/protocol.md#lists-merge-as-sets)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.audit import Line
from shared.domain.deal import Change, Deal, Person, Side, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.left_members import (
    accepted_key,
    accepted_members,
    details_of_added,
    is_known_list,
    is_same,
    left_key,
    left_records,
    locked_contacts,
    mark_of,
    refused_key,
    sendable_deal,
    told_mark,
    told_members,
    unsent_members,
)
from shared.domain.link import Difference, Link
from shared.domain.listed_texts import listed
from shared.domain.member_sets import DETAILS_STAY, Left
from shared.domain.merge import Merged
from shared.domain.sentences import LineDirection

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
RULE = Rule("contacts", "Contacts", is_set=True)
ADA, BEN = Person("Lind", "Ada", "ada@x.example", "1"), Person("Berg", "Ben", "ben@x.example")
ADA_2 = replace(ADA, phone="2")


def a_line(code: str, side: Side, value: str, **values: str) -> Line:
    named = {"label": "Contacts", "value": value, **values}
    return Line(NOW, code, LineDirection.NOTE, side, "contacts", rule=code, values=named)


def test_the_members_of_each_side_have_a_record_and_a_line_for_each_reason() -> None:
    left = [
        Left(THEIRS, "member_no_address", ADA),
        Left(THEIRS, "member_stays", BEN),
        Left(OURS, "member_incomplete", ADA, {"part": "phone"}),
        Left(OURS, "member_incomplete", BEN, {"part": "title"}),
    ]
    theirs, ours = left_records(RULE, left, NOW)
    marks = tuple(sorted(told_mark("contacts", one) for one in left[:2]))
    assert theirs == (
        left_key(OURS, "contacts"),
        Difference(mark_of([ADA, BEN]), "member_no_address", NOW, marks),
        (
            a_line("member_no_address", OURS, "Ada Lind", system="Salesforce"),
            a_line("member_stays", OURS, "Ben Berg", system="Salesforce"),
        ),
    )
    assert ours[0] == left_key(THEIRS, "contacts")
    assert ours[2] == (
        a_line("member_incomplete", THEIRS, "Ada Lind", system="Partner Center", part="phone"),
        a_line("member_incomplete", THEIRS, "Ben Berg", system="Partner Center", part="title"),
    )


def test_a_member_that_was_told_for_the_same_reason_is_on_record_without_a_line() -> None:
    one, other = Left(OURS, "member_stays", ADA), Left(OURS, "member_stays", BEN)
    told = told_members([Difference("x", "y", NOW, (told_mark("contacts", one),)), Difference("z", "y", NOW)])
    [(_, record, lines)] = left_records(RULE, [one, other], NOW, told)
    assert record.told == tuple(sorted(told_mark("contacts", each) for each in (one, other)))
    assert lines == (a_line("member_stays", THEIRS, "Ben Berg", system="Partner Center"),)


def test_people_of_whom_the_sides_say_other_things_have_a_record_of_their_own() -> None:
    left = [Left(THEIRS, DETAILS_STAY, ADA), Left(THEIRS, DETAILS_STAY, BEN)]
    line = a_line(DETAILS_STAY, OURS, "Ada Lind, Ben Berg", system="Salesforce")
    record = Difference(fingerprint(repr([ADA, BEN])), DETAILS_STAY, NOW)
    assert list(left_records(RULE, left, NOW)) == [("salesforce.contacts:details", record, (line,))]
    [(_, _, [alone])] = left_records(RULE, left[:1], NOW)
    assert alone.values["value"] == "Ada Lind"


def test_people_who_join_a_list_and_are_known_there_with_other_details_are_told() -> None:
    change = Change("contacts", "Contacts", (BEN,), (BEN, ADA_2))
    ours, theirs = Deal(contacts=(replace(BEN, phone="7"), ADA)), Deal(contacts=(replace(BEN, phone="8"), ADA_2))
    record = Difference(fingerprint(repr([ADA_2, replace(BEN, phone="8")])), DETAILS_STAY, NOW)
    told = a_line(DETAILS_STAY, OURS, "Ada Lind")
    assert list(details_of_added([change], ours, theirs, NOW)) == [("salesforce.contacts:details", record, (told,))]
    assert list(details_of_added([change], theirs, theirs, NOW)) == []
    assert list(details_of_added([change], Deal(contacts=(BEN,)), Deal(contacts=(BEN, ADA)), NOW)) == []
    assert list(details_of_added([replace(change, old=(BEN, ADA))], ours, theirs, NOW)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((ADA,), None, ("contacts_locked_empty", "")),
        ((ADA,), (ADA, BEN), ("contacts_locked", "")),
        ((ADA,), (BEN,), ("contacts_locked", "")),
        ((ADA,), (replace(ADA, email="lind@x.example"),), ("contact_address_locked", "Ada Lind")),
        ((ADA, BEN), (ADA_2, BEN), ("contact_details_locked", "Ada Lind")),
    ],
)
def test_locked_contacts_are_told_by_what_was_edited(
    before: Value, after: Value | None, expected: tuple[str, str]
) -> None:
    assert locked_contacts(Merged(RULE, after, after, before, OURS)) == expected


def test_members_that_came_with_a_deal_are_remembered_and_not_told() -> None:
    key = left_key(OURS, "team")
    accepted = accepted_key(key, Difference("mark", "member_stays", NOW))
    assert accepted == "salesforce.team:left=mark"
    assert accepted_members(Link("006", reported=(accepted, "x", "salesforce.team:left"))) == [accepted]


def test_only_members_that_partner_center_gets_are_sent() -> None:
    rules = Rules({"contacts": RULE, "team": Rule("team", "Team", is_set=True), "notes": Rule("notes", "Notes")})
    deal = Deal(contacts=(ADA, BEN), team=None, notes="n")
    assert sendable_deal(deal, {"contacts": {"ada@x.example": "x"}}, rules) == deal.with_values({"contacts": (BEN,)})
    assert sendable_deal(deal, {}, rules) == deal
    names = ("contacts", "team")
    assert unsent_members(rules) == {f"partner_center.{name}:{what}" for name in names for what in ("left", "refused")}
    assert refused_key("team") == "partner_center.team:refused"


def test_lists_are_the_same_by_members_and_details_in_any_order() -> None:
    assert is_same((ADA, BEN), (BEN, ADA))
    assert not is_same((ADA,), (ADA_2,))
    assert not is_same((ADA,), (ADA, BEN))
    assert not is_same((ADA,), None)
    assert is_same("a", "a")


def test_a_list_is_known_if_the_agreed_members_are_there_and_the_others_are_on_record() -> None:
    link = Link("006", base=Deal(contacts=(ADA,)))
    assert is_known_list(link, "contacts", (ADA,), THEIRS)
    assert not is_known_list(link, "contacts", None, THEIRS)
    assert not is_known_list(link, "contacts", (ADA, BEN), THEIRS)
    record = {"salesforce.contacts:left": Difference(mark_of([BEN]), "member_stays", NOW)}
    assert is_known_list(replace(link, refused=record), "contacts", (ADA, BEN), THEIRS)
    assert not is_known_list(replace(link, refused=record), "contacts", (ADA, BEN), OURS)
    assert not is_known_list(replace(link, refused=record), "contacts", (BEN,), THEIRS)
    other = {"salesforce.contacts:left": Difference("x", "member_stays", NOW)}
    assert not is_known_list(replace(link, refused=other), "contacts", (ADA, BEN), THEIRS)
    accepted = (f"salesforce.contacts:left={mark_of([BEN])}",)
    assert is_known_list(replace(link, reported=accepted), "contacts", (ADA, BEN), THEIRS)


def test_a_long_list_names_ten_and_counts_the_others() -> None:
    names = [str(number) for number in range(12)]
    assert listed(names) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert listed(names[:10]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
