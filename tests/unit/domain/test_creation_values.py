"""Values that travel only when a deal is created: a later difference stays, and is told.

Source: docs/protocol.md#values-that-travel-once.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from shared.domain.audit import cause_line
from shared.domain.cause import Cause
from shared.domain.creation_values import (
    LOCATION_FIXED,
    PART_LEFT_OUT,
    SOLUTIONS_CUT,
    TEXT_CUT,
    Compared,
    compare_creation_values,
    cut_texts,
    readable_lists,
    unreadable_lists,
)
from shared.domain.deal import Company, Deal, Person, Side, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.hidden_columns import HIDDEN_COLUMN
from shared.domain.link import SET_AT_CREATION, Difference, Link
from shared.domain.merge import Merged
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection

NOW, BEFORE = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
ONCE = Rule("solutions", "Products", on_update=False)
BAD = Cause("bad_solutions", "solutions", "No ids.", "Enter ids.")
CUT = Cause(TEXT_CUT, "solutions", "It is longer.", "Shorten it.")
ABSENT = object()
KEY = "partner_center.solutions"


def compared(
    ours: object,
    theirs: object,
    base: object = ABSENT,
    refused: Mapping[str, Difference] = {},
    rule: Rule = ONCE,
    *,
    problem: Cause | None = None,
    problem_there: Cause | None = None,
) -> Compared:
    """What is found about one field; a side that is absent was not read."""
    found = tuple({} if value is ABSENT else {"solutions": value} for value in (ours, theirs, base))
    deals = [Deal(one) for one in found]  # type: ignore[arg-type] # values, as the tests give them
    link = Link("006", base=deals[2], refused=refused)
    seen = Opportunity("006", deals[0], flagged=True, modified=NOW, problems={"solutions": problem} if problem else {})
    read = Referral("ref", "1", deals[1], NOW, problems={"solutions": problem_there} if problem_there else {})
    [one] = compare_creation_values(link, seen, read, Rules({"solutions": rule, "notes": Rule("notes", "Notes")}), NOW)
    return one


def record(code: str, value: Value | None = "x") -> Difference:
    return Difference(fingerprint(value), code, BEFORE)


KNOWN = {KEY: record(SET_AT_CREATION), "salesforce.solutions": record(SET_AT_CREATION)}
PART = {"salesforce.solutions": record(PART_LEFT_OUT)}


def test_an_edit_in_salesforce_is_a_difference_for_partner_center() -> None:
    edited = Merged(ONCE, ("b",), ("b",), ("a",), OURS)
    assert compared(("b",), ("a",), ("a",)) == Compared(difference=edited)
    assert compared(("b",), ABSENT, ("a",)) == Compared(difference=edited)
    assert compared(("b",), ("a",)) == Compared(difference=edited)


def test_an_edit_in_partner_center_is_a_difference_for_salesforce() -> None:
    edited = Merged(ONCE, ("b",), ("a",), ("b",), THEIRS)
    assert compared(("a",), ("b",), ("a",)) == Compared(side=OURS, difference=edited)


def test_an_edit_of_a_location_is_told_as_fixed() -> None:
    fixed = Rule("solutions", "Location", on_update=False, is_fixed=True)
    assert compared("b", "a", "a", rule=fixed).code == LOCATION_FIXED


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("a", "a"),
        (("a", "b"), ("B", "a")),
        (Company("Northwind", "US"), Company("NORTHWIND", "US", city="Bonn")),
        (Company("Northwind", "US"), Company("Northwind", "")),
        (Company("Northwind", ""), Company("Northwind", "US")),
    ],
    ids=str,
)
def test_values_that_name_the_same_are_agreed_as_partner_center_has_them(ours: Value, theirs: Value) -> None:
    assert compared(ours, theirs, "old", KNOWN) == Compared({"solutions": theirs})
    assert compared(ours, ABSENT, theirs, {KEY: record(SET_AT_CREATION)}) == Compared()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("a",), ("a", "b")),
        (Company("Northwind", "US"), Company("Northwind", "DE")),
        (Company("Northwind", "US"), Company("Southwind", "US")),
        (Company("Northwind", "US"), "Northwind"),
        (("a",), None),
    ],
    ids=str,
)
def test_values_that_name_others_differ(ours: Value, theirs: Value | None) -> None:
    assert compared(ours, theirs).difference is not None


def test_what_was_not_read_is_as_it_was() -> None:
    assert compared(ABSENT, ("a",), refused=KNOWN) == Compared(kept=KNOWN)
    assert compared(("a",), ABSENT, refused=KNOWN) == Compared(kept=KNOWN)
    fixed = Rule("solutions", "Location", on_update=False, is_fixed=True)
    assert compared("a", ABSENT, refused=KNOWN, rule=fixed) == Compared(kept=KNOWN)
    assert compared(ABSENT, "a", refused=KNOWN, rule=fixed) == Compared()


def test_a_referral_that_was_not_read_does_not_end_a_colleagues_edit_that_is_on_record() -> None:
    assert compared(("a",), ABSENT, ("a",), KNOWN) == Compared(kept=KNOWN)
    assert compared(("a",), ABSENT, ("a",), PART) == Compared()


def test_a_column_that_is_visible_again_is_compared_anew() -> None:
    hidden = {"salesforce.solutions": record(HIDDEN_COLUMN)}
    assert compared(("a",), ABSENT, refused=hidden) == Compared()
    assert compared(("a",), ABSENT, ("a",), hidden) == Compared()


ADA, ADA_LIND = Person("Lind", email="ada@x.example"), Person("Lind", "Ada", "ada@x.example")


def test_people_are_completed_by_both_systems_so_a_difference_is_no_edit() -> None:
    both = {**KNOWN, **PART}
    assert compared((ADA,), (ADA_LIND,), refused=both) == Compared(kept=both)
    assert compared((ADA,), None, refused=both) == Compared(kept=both)
    assert compared(None, (ADA,), refused=both) == Compared(kept=both)
    assert compared((ADA,), (ADA,), refused=both) == Compared(kept={KEY: record(SET_AT_CREATION)})


def test_a_part_that_salesforce_refused_stays_on_record_while_the_company_lacks_it() -> None:
    here, there = Company("Northwind", "US"), Company("Northwind", "US", city="Bonn")
    assert compared(here, there, refused=PART) == Compared({"solutions": there}, PART)
    assert compared(there, there, refused=PART) == Compared({"solutions": there})


def test_a_list_that_was_cut_on_arrival_is_no_edit_while_it_names_no_other() -> None:
    cut = {"salesforce.solutions": record(SOLUTIONS_CUT)}
    assert compared(("a",), ("A", "b"), refused=cut) == Compared(kept=cut)
    assert compared(("c",), ("a", "b"), refused=cut).difference is not None
    assert compared(("a",), ("a", "b"), refused=KNOWN).difference is not None


# --- texts of which one side holds the beginning


@pytest.mark.parametrize("side", list(Side))
def test_a_text_of_which_a_side_holds_the_beginning_is_agreed_and_told_once(side: Side) -> None:
    here, there = (CUT, None) if side is THEIRS else (None, CUT)
    key, new = f"{side}.solutions", Difference(fingerprint("a"), TEXT_CUT, NOW)
    line = cause_line(NOW, side, "solutions", CUT, LineDirection.NOTE)
    found = compared("a", "a", problem=here, problem_there=there)
    assert found == Compared({"solutions": "a"}, {key: new}, lines=(line,))
    known = {key: record(TEXT_CUT, "a")}
    again = compared("a", "a", refused=known, problem=here, problem_there=there)
    assert again == Compared({"solutions": "a"}, known)
    for other in (record(TEXT_CUT, "b"), record("other", "a")):
        assert compared("a", "a", refused={key: other}, problem=here, problem_there=there).lines == (line,)


def test_another_problem_of_a_text_is_no_cut() -> None:
    other = Cause("other", "solutions", "No.", "")
    assert compared("a", "a", problem=other) == Compared({"solutions": "a"})
    assert cut_texts({"solutions": other, "notes": CUT}, Deal(notes="n"), OURS, NOW).keys() == {"salesforce.notes"}
    assert cut_texts({"solutions": CUT, "notes": CUT}, Deal(), OURS, NOW, "notes").keys() == {"salesforce.notes"}


# --- lists that a seller typed


TYPED = Difference(fingerprint(BAD.key), BAD.code, NOW)
LINE = cause_line(NOW, THEIRS, "solutions", BAD, LineDirection.NOTE)


def test_words_that_are_no_ids_are_told_once_and_sent_to_nobody() -> None:
    assert compared(("words",), ("a",), problem=BAD) == Compared(kept={KEY: TYPED}, lines=(LINE,))
    assert compared(ABSENT, ("a",), problem=BAD) == Compared(kept={KEY: TYPED}, lines=(LINE,))
    known = {KEY: Difference(TYPED.value, TYPED.code, BEFORE)}
    assert compared(("words",), ("a",), refused=known, problem=BAD) == Compared(kept=known)
    for other in (Difference("x", TYPED.code, BEFORE), Difference(TYPED.value, "other", BEFORE)):
        both = {**PART, KEY: other}
        again = compared(("words",), ("a",), refused=both, problem=BAD)
        assert again == Compared(kept={**PART, KEY: TYPED}, lines=(LINE,))


def test_words_that_both_sides_hold_are_agreed() -> None:
    assert compared(("words",), ("WORDS",), problem=BAD) == Compared({"solutions": ("WORDS",)})


def test_a_list_that_cannot_be_read_whole_is_not_merged() -> None:
    seen = Opportunity(
        "006", Deal(solutions=("words",), team=None, notes="n"), flagged=True, modified=NOW,
        problems={"solutions": BAD, "notes": Cause("other", "notes", "No.", "")}, partial=("team",),
    )  # fmt: skip
    assert readable_lists(seen, Deal(solutions=("a",))) == Deal(notes="n")
    assert readable_lists(seen, Deal(solutions=("Words",))) == Deal(solutions=("words",), notes="n")


def test_a_typed_list_that_is_compared_later_is_told_once_too() -> None:
    rules = Rules({"notes": Rule("notes", "Notes"), "solutions": Rule("solutions", "Products", is_set=True)})
    seen = Opportunity(
        "006", Deal(solutions=("words",)), flagged=True, modified=NOW,
        problems={"solutions": BAD, "notes": Cause("other", "notes", "No.", "")},
    )  # fmt: skip
    there = Deal(solutions=("a",))
    [first] = unreadable_lists(Link("006", refused=PART), seen, there, rules, NOW)
    assert first == Compared(kept={KEY: TYPED}, lines=(LINE,))
    known = {KEY: Difference(TYPED.value, TYPED.code, BEFORE)}
    [again] = unreadable_lists(Link("006", refused=known), seen, there, rules, NOW)
    assert again == Compared(kept=known)
    assert list(unreadable_lists(Link("006"), seen, seen.deal, rules, NOW)) == []


@pytest.mark.parametrize(("cut", "keys"), [(("notes",), []), (("notes", "solutions"), ["salesforce.solutions"])])
def test_a_text_of_another_field_that_was_cut_says_nothing_of_this_one(cut: tuple[str, ...], keys: list[str]) -> None:
    seen = Opportunity("006", Deal(solutions=("a",)), flagged=True, modified=NOW)
    read = Referral("ref", "1", Deal(solutions=("a",)), NOW, problems=dict.fromkeys(cut, CUT))
    [one] = compare_creation_values(Link("006"), seen, read, Rules({"solutions": ONCE}), NOW)
    assert list(one.kept) == keys
