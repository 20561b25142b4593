"""Three-way merge of one deal, field by field (docs/protocol.md#merge): each line of the table by one example."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from shared.domain.deal import STATUS, Change, Deal, Side, Status, Value
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.member_sets import DETAILS_STAY, STAYS, Left
from shared.domain.merge import Decision, EditTimes, Merged, merge
from shared.domain.records import Row

OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
OURS_LATER, THEIRS_LATER = EditTimes(NOW, NOW - timedelta(hours=1)), EditTimes(NOW - timedelta(hours=1), NOW)
NAME, NOTES = Rule("name", "Name"), Rule("notes", "Notes", merges_text=True)
SENT, TAKEN = Rule("name", "Name", Direction.TO_PARTNER_CENTER), Rule("name", "Name", Direction.TO_SALESFORCE)
OPEN, WON, LOST = Status("Active", "Accepted"), Status("Closed", "Won"), Status("Closed", "Lost")
ABSENT = object()


def merged(rule: Rule, base: object, ours: Value | None, theirs: Value | None, times: EditTimes = OURS_LATER) -> Merged:
    known = Deal() if base is ABSENT else Deal({rule.field: cast("Value | None", base)})
    (found,) = merge(known, Deal({rule.field: ours}), Deal({rule.field: theirs}), Rules({rule.field: rule}), times)
    return found


@pytest.mark.parametrize("base", ["a", "b", None, ABSENT])
def test_equal_values_are_agreed_whatever_the_base_is(base: object) -> None:
    assert merged(NAME, base, "a", "a") == Merged(NAME, "a", "a", "a")


@pytest.mark.parametrize("rule", [NAME, SENT, TAKEN])
@pytest.mark.parametrize(("ours", "theirs"), [("a", None), (None, "a")])
def test_without_a_base_an_empty_side_erases_nothing(rule: Rule, ours: str | None, theirs: str | None) -> None:
    holder = OURS if ours else THEIRS
    assert merged(rule, ABSENT, ours, theirs) == Merged(rule, "a", ours, theirs, holder)


@pytest.mark.parametrize("value", ["edited", None])
def test_one_edit_travels_from_a_side_that_owns_the_field(value: str | None) -> None:
    for rule in (NAME, SENT):
        assert merged(rule, "a", value, "a") == Merged(rule, value, value, "a", OURS)
    for rule in (NAME, TAKEN):
        assert merged(rule, "a", "a", value) == Merged(rule, value, "a", value, THEIRS)


def test_an_edit_on_a_side_that_does_not_own_the_field_is_put_back() -> None:
    ours, theirs = merged(TAKEN, "a", "edited", "a"), merged(SENT, "a", "a", "edited")
    assert ours == Merged(TAKEN, "a", "edited", "a", OURS, decision=Decision.OWNER)
    assert theirs == Merged(SENT, "a", "a", "edited", THEIRS, decision=Decision.OWNER)
    assert ours.is_put_back
    assert theirs.is_put_back
    for other in (merged(NAME, "a", "b", "a"), merged(NAME, "a", "a", "a"), merged(NAME, "a", "b", "c")):
        assert not other.is_put_back


def test_html_entities_of_an_older_base_are_no_edit() -> None:
    assert merged(NAME, "a &amp; b", "a & b", "c").edited is THEIRS
    assert merged(NAME, "a &amp; b", "c", "a &amp; b").edited is OURS


@pytest.mark.parametrize("winner", list(Side))
def test_of_two_different_edits_the_winner_of_the_rule_counts(winner: Side) -> None:
    rule = Rule("name", "Name", winner=winner)
    value = "b" if winner is OURS else "c"
    found = merged(rule, "a", "b", "c")
    assert found == Merged(rule, value, "b", "c", winner, conflict=True, decision=Decision.WINNER)
    assert merged(rule, ABSENT, "b", "c") == found


def test_of_two_different_edits_the_side_that_owns_the_field_wins() -> None:
    assert merged(SENT, "a", "b", "c") == Merged(SENT, "b", "b", "c", OURS, conflict=True, decision=Decision.OWNER)
    assert merged(TAKEN, "a", "b", "c") == Merged(TAKEN, "c", "b", "c", THEIRS, conflict=True, decision=Decision.OWNER)


def test_an_emptiness_that_cannot_be_written_does_not_win() -> None:
    rule = Rule("name", "Name", clearable=frozenset({OURS}))

    assert merged(Rule("name", "Name"), "a", "b", None).decision is Decision.TEXT_OVER_EMPTY
    assert merged(rule, "a", None, "c").decision is Decision.TEXT_OVER_EMPTY
    theirs = Rule("name", "Name", winner=THEIRS, clearable=frozenset({OURS}))
    assert merged(theirs, "a", "b", None).value is None
    assert merged(rule, "a", "b", None) == Merged(rule, "b", "b", None, OURS, conflict=True, decision=Decision.WINNER)
    both = Rule("notes", "Notes", merges_text=True, clearable=frozenset(Side))
    assert merged(both, "a", "b", None).decision is Decision.TEXT_OVER_EMPTY


@pytest.mark.parametrize("winner", list(Side))
def test_the_end_of_a_deal_beats_an_open_one_and_partner_centers_end_all(winner: Side) -> None:
    rule = Rule(STATUS, "Stage", winner=winner)
    new = Status("New", "Pending")
    for ours, theirs, edited in ((WON, OPEN, OURS), (OPEN, LOST, THEIRS), (WON, LOST, THEIRS)):
        value = ours if edited is OURS else theirs
        expected = Merged(rule, value, ours, theirs, edited, conflict=True, decision=Decision.FINAL_OVER_OPEN)
        assert merged(rule, new, ours, theirs) == expected
    assert merged(rule, new, OPEN, Status("Active", "Engaged")).decision is Decision.WINNER


def test_two_notes_are_joined_the_later_one_below_its_date() -> None:
    ours, theirs = merged(NOTES, "a", "b", "c", OURS_LATER), merged(NOTES, "a", "b", "c", THEIRS_LATER)
    assert ours.value == "c\n--- 2026-11-22 12:30 UTC, Salesforce ---\nb"
    assert theirs.value == "b\n--- 2026-11-22 12:30 UTC, Partner Center ---\nc"
    assert (ours.edited, ours.conflict, ours.decision) == (OURS, True, Decision.BOTH_TEXTS)
    assert ours.keeps_both
    assert merged(NOTES, "a", "b", "c", EditTimes(NOW, NOW)).value == ours.value
    assert merged(NOTES, "a", "b and c", "c").value == "b and c"
    assert merged(NOTES, "a", "b", "b and c").value == "b and c"


def test_notes_that_do_not_fit_or_are_owned_by_one_side_are_not_joined() -> None:
    joined = len(str(merged(NOTES, "a", "b", "c").value))
    fits = Rule("notes", "Notes", merges_text=True, length=joined)
    assert merged(fits, "a", "b", "c").decision is Decision.BOTH_TEXTS
    short = Rule("notes", "Notes", merges_text=True, length=joined - 1)
    assert merged(short, "a", "b", "c").decision is Decision.WINNER
    assert not merged(short, "a", "b", "c").keeps_both
    sent = Rule("notes", "Notes", Direction.TO_PARTNER_CENTER, merges_text=True)
    assert merged(sent, "a", "b", "c").decision is Decision.OWNER


def test_what_a_merge_says_of_each_side() -> None:
    found = merged(NAME, "a", "b", "a")
    assert (found.held_by(OURS), found.held_by(THEIRS)) == ("b", "a")
    assert (found.differs_on(OURS), found.differs_on(THEIRS)) == (False, True)
    assert found.change_on(THEIRS) == Change("name", "Name", "a", "b")
    assert (found.wanted_on(OURS), found.wanted_on(THEIRS)) == ("b", "b")


LIST = Rule("solutions", "Solutions", is_set=True)


def test_a_list_is_merged_member_by_member() -> None:
    assert merged(LIST, ("a",), ("a",), ("a",)) == Merged(LIST, ("a",), ("a",), ("a",))
    value, whole = ("a", "b"), (("a",), ("a", "b"))
    assert merged(LIST, ("a",), ("a", "b"), ("a",)) == Merged(LIST, value, value, ("a",), OURS, whole=whole)
    assert merged(LIST, ("a",), ("a", "b"), ("a", "c")).edited is None
    assert merged(LIST, None, None, ("a",)).edited is THEIRS


def test_a_list_that_is_put_back_says_so_and_what_stays_is_written_with_it() -> None:
    sent = Rule("solutions", "Solutions", Direction.TO_PARTNER_CENTER, is_set=True)
    back = merged(sent, ("a", "b"), ("a", "b"), ("a",))
    assert (back.edited, back.decision, back.value) == (THEIRS, Decision.OWNER, ("a", "b"))
    stays = merged(sent, ("a",), ("a", "b"), ("a", "c"))
    assert stays.left == (Left(THEIRS, STAYS, "c"),)
    assert stays.change_on(THEIRS) == Change("solutions", "Solutions", ("a", "c"), ("a", "b", "c"))
    assert stays.change_on(OURS) == Change("solutions", "Solutions", ("a", "b"), ("a", "b"))
    assert stays.wanted_on(OURS) == ("a", "b", "c")
    assert stays.wanted_on(THEIRS) == ("a", "b")


def test_a_person_of_whom_only_details_stay_is_not_written_twice() -> None:
    left = (Left(THEIRS, DETAILS_STAY, "a"),)
    found = Merged(LIST, None, None, ("a",), left=left, whole=(("a",), None))
    assert found.change_on(THEIRS) == Change("solutions", "Solutions", ("a",), None)


def test_an_emptied_list_is_written_with_what_stays() -> None:
    found = Merged(LIST, None, None, ("a",), left=(Left(THEIRS, STAYS, "b"),), whole=(("a", "b"), None))
    assert found.change_on(THEIRS) == Change("solutions", "Solutions", ("a", "b"), ("b",))


def test_a_list_keeps_to_what_each_side_can_hold() -> None:
    most = Rule("solutions", "Solutions", is_set=True, at_most=1, fits=lambda members: len(list(members)) <= 1)
    assert merged(most, ("a",), ("a", "b"), ("a",)).value == ("a",)
    assert merged(most, ("a",), ("a",), ("a", "b")).value == ("a",)


def test_what_partner_center_does_not_get_and_what_is_no_row_is_left_out() -> None:
    deals, rules = (Deal(solutions=("a", "b")), Deal(solutions=("a",))), Rules({"solutions": LIST})
    (found,) = merge(Deal(), *deals, rules, OURS_LATER, {"solutions": {"b": "inactive"}})
    assert (found.value, found.left) == (("a",), (Left(OURS, "inactive", "b"),))
    base, rows = Deal(solutions=("a", "b")), {"solutions": (Row("1", "a"),)}
    (fixed,) = merge(base, *deals, rules, OURS_LATER, {}, rows)
    assert fixed.value == ("a", "b")
    (removed,) = merge(base, *deals, rules, OURS_LATER, {}, {"solutions": (Row("1", "a"), Row("2", "b"))})
    assert removed.value == ("a",)
    (plain,) = merge(base, *deals, rules, OURS_LATER)
    assert plain.value == ("a",)
    assert merge(base, Deal(), deals[1], rules, OURS_LATER) == ()
    assert merge(base, deals[0], Deal(), rules, OURS_LATER) == ()
