"""The laws of lists that merge as sets (docs/protocol.md#lists-merge-as-sets), and their round trips."""

from collections.abc import Iterable, Mapping
from copy import replace
from random import Random
from typing import Any, cast

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.deal import Person, Side, Value
from shared.domain.member_sets import (
    DETAILS_STAY,
    Left,
    Member,
    MergedSet,
    SetRule,
    agreed_members,
    as_value,
    key_of,
    keys_of,
    members_of,
    merge_sets,
)
from shared.mapping.schema import DEFAULT
from shared.mapping.solution_rows import RELATED_LIST, ids_in, rows_in
from shared.mapping.solutions_field import SolutionsField
from shared.mapping.validation import load_mapping

type Ids = tuple[str, ...] | None
type Triple = tuple[Value | None, Value | None, Value | None]

TEXT = cast("SolutionsField", load_mapping(DEFAULT)[0].fields["solutions"])
ROWS = TEXT.model_copy(update={"source": "rows"})
PATH = ("details", "requirements", "solutions")
BOTH = SetRule()

pool = [f"SOL-{number}-ABC" for number in range(1, 8)]
ids = st.lists(st.sampled_from(pool), unique=True, max_size=6).map(lambda listed: tuple(listed) or None)
names = st.sampled_from(["Ada", "Bo"])
people = st.lists(
    st.builds(
        Person,
        last_name=names,
        first_name=names,
        email=st.sampled_from(["a@contoso.com", "b@contoso.com", "C@contoso.com", None]),
        phone=st.sampled_from(["+45 1", "+45 2", None]),
    ),
    max_size=4,
    unique_by=key_of,
).map(lambda listed: tuple(listed) or None)
lists = st.tuples(ids, ids, ids) | st.tuples(people, people, people)
owners = st.sampled_from([frozenset(Side), frozenset({Side.SALESFORCE}), frozenset({Side.PARTNER_CENTER})])
rules = st.builds(
    SetRule,
    owners=owners,
    fits=st.none() | st.integers(0, 6).map(lambda most: lambda members: len(list(members)) <= most),
    unsendable=st.dictionaries(st.sampled_from([one.casefold() for one in pool]), st.just("solution_inactive")),
    at_most=st.none() | st.integers(1, 6),
)


def after_merge(merged: MergedSet, side: Side) -> Value | None:
    """What a side holds once the merged list is written: it keeps what the other side does not take."""
    kept = {key_of(one.member): one.member for one in merged.left if one.side is side and one.code != DETAILS_STAY}
    return as_value({**members_of(merged.value), **kept})


def in_words(left: Iterable[Left]) -> set[tuple[Side, str, str]]:
    return {(one.side, one.code, key_of(one.member)) for one in left}


# --- the merge


def is_emptied_by_both(base: Ids, ours: Ids, theirs: Ids) -> bool:
    """Whether each side has removed all that the other one holds: the one case that the table leaves open."""
    known, here, there = (frozenset(keys_of(one)) for one in (base, ours, theirs))
    return bool(here and there) and not here & there and here | there <= known


@given(lists, rules)
def test_merging_the_result_again_changes_nothing(triple: Triple, rule: SetRule) -> None:
    merged = merge_sets(rule, *triple)
    ours, theirs = after_merge(merged, Side.SALESFORCE), after_merge(merged, Side.PARTNER_CENTER)
    again = merge_sets(rule, agreed_members(triple[0], ours, theirs), ours, theirs)
    assert keys_of(again.value) == keys_of(merged.value)
    assert again.salesforce == again.value
    assert again.partner_center == again.value
    assert {one for one in in_words(again.left) if one[1] != DETAILS_STAY} <= in_words(merged.left)


@given(ids, ids, ids, owners, st.randoms())
def test_the_order_of_members_means_nothing(
    base: Ids, ours: Ids, theirs: Ids, owning: frozenset[Side], random: Random
) -> None:
    rule = SetRule(owning)
    shuffled = [tuple(random.sample(one, len(one))) if one else None for one in (base, ours, theirs)]
    merged, other = merge_sets(rule, base, ours, theirs), merge_sets(rule, *shuffled)
    assert keys_of(merged.value) == keys_of(other.value)
    assert in_words(merged.left) == in_words(other.left)


@given(ids, ids, ids, owners)
def test_the_two_sides_are_alike(base: Ids, ours: Ids, theirs: Ids, owning: frozenset[Side]) -> None:
    assume(not is_emptied_by_both(base, ours, theirs))
    merged = merge_sets(SetRule(owning), base, ours, theirs)
    mirrored = merge_sets(SetRule(frozenset(side.other for side in owning)), base, theirs, ours)
    assert keys_of(merged.value) == keys_of(mirrored.value)
    assert keys_of(merged.salesforce) == keys_of(mirrored.partner_center)
    assert in_words(merged.left) == {(side.other, code, key) for side, code, key in in_words(mirrored.left)}


@given(ids, ids, ids)
def test_every_member_ends_where_the_table_says(base: Ids, ours: Ids, theirs: Ids) -> None:
    assume(not is_emptied_by_both(base, ours, theirs))
    merged = frozenset(keys_of(merge_sets(BOTH, base, ours, theirs).value))
    known, here, there = (frozenset(keys_of(one)) for one in (base, ours, theirs))
    assert merged == (here & there) | ((here ^ there) - known)


@given(ids, st.sampled_from(pool), st.sampled_from(pool), st.booleans())
def test_an_addition_and_a_removal_on_two_sides_both_happen(base: Ids, new: str, old: str, is_ours: bool) -> None:
    held = tuple(one for one in base or () if one not in {new, old})
    adding, removing = (*held, old, new), held
    sides = (adding, removing) if is_ours else (removing, adding)
    merged = merge_sets(BOTH, (*held, old), *sides)
    assert keys_of(merged.value) == keys_of((*held, new) if new != old else held)


@given(lists, rules)
def test_no_member_is_lost_without_a_removal(triple: Triple, rule: SetRule) -> None:
    base, ours, theirs = triple
    merged = merge_sets(rule, base, ours, theirs)
    for side, held, other in ((Side.SALESFORCE, ours, theirs), (Side.PARTNER_CENTER, theirs, ours)):
        kept = set(keys_of(after_merge(merged, side)))
        removed = set(keys_of(base)) - set(keys_of(other))
        assert set(keys_of(held)) - removed <= kept


@given(lists)
def test_what_both_sides_hold_is_agreed_and_an_edit_stays_one(triple: Triple) -> None:
    base, ours, theirs = triple
    agreed = frozenset(keys_of(agreed_members(base, ours, theirs)))
    known, here, there = (frozenset(keys_of(one)) for one in (base, ours, theirs))
    assert agreed == (here & there) | ((here ^ there) & known)
    assert keys_of(merge_sets(BOTH, base, ours, theirs).value) == keys_of(
        merge_sets(BOTH, agreed_members(base, ours, theirs), ours, theirs).value
    )


# --- what Partner Center gets


def patched(tags: list[Any], operations: Iterable[Mapping[str, Any]]) -> list[Any]:
    """The list after a JSON Patch, as the service carries it out."""
    for operation in operations:
        if operation["op"] == "add":
            assert operation["path"] == "/details/requirements/solutions/-"
            tags = [*tags, operation["value"]]
        else:
            tags = list(operation["value"])
    return tags


@given(ids, ids, st.lists(st.sampled_from(["SOL-90", "SOL-91"]), unique=True))
def test_what_we_do_not_map_survives_every_change(old: Ids, new: Ids, unmapped: list[str]) -> None:
    tags = [{"id": one, "price": 7, "further": {"of": one}} for one in (*(old or ()), *unmapped)]
    referral = {"details": {"requirements": {"solutions": tags}}}
    after = patched(tags, TEXT.set_operations(new, old, referral))
    assert sorted(tag["id"].casefold() for tag in after) == sorted({*keys_of(new), *map(key_of, unmapped)})
    stayed = [tag for tag in tags if key_of(tag["id"]) in {*keys_of(new), *map(key_of, unmapped)}]
    assert all(tag in after for tag in stayed)


@given(ids, ids)
def test_additions_alone_are_appended_and_nothing_else_is_sent(old: Ids, new: Ids) -> None:
    operations = TEXT.set_operations(as_value({**members_of(old), **members_of(new)}), old, None)
    assert {operation["op"] for operation in operations} <= {"add"}
    assert len(operations) == len(set(keys_of(new)) - set(keys_of(old)))


# --- round trips


@given(st.lists(st.integers(1, 99_999).map(lambda number: f"SOL-{number}-XYZ"), unique=True, max_size=30).map(tuple))
def test_ids_that_fit_come_back_from_the_text(listed: tuple[str, ...]) -> None:
    kept = TEXT.ids_that_fit(listed)
    assert kept == listed[: len(kept)]
    assert TEXT.read_record(TEXT.record_values(kept)) == (kept or None)


@given(st.lists(st.integers(1, 99_999).map(lambda number: f"SOL-{number}-XYZ"), unique=True, max_size=30).map(tuple))
def test_a_shown_text_fits_and_has_whole_ids_only(listed: tuple[str, ...]) -> None:
    text, ordered = ROWS.shown_text(listed) or "", tuple(sorted(listed))
    assert len(text) <= ROWS.length
    assert text == (ROWS.shown_text(ordered) or "")
    shown = tuple(one for one in text.split(";") if one)
    assert shown == ordered or (shown[-1] == "…" and shown[:-1] == ordered[: len(shown) - 1])
    assert TEXT.read_record({TEXT.salesforce: text}) == (tuple(one for one in shown if one != "…") or None)


@given(ids, st.lists(st.sampled_from(pool), max_size=3))
def test_ids_come_back_from_the_rows_each_once(listed: Ids, again: list[str]) -> None:
    named = [*(listed or ()), *(one for one in again if one in (listed or ()))]
    rows = [
        {"Id": f"a0{number}", "Solution__r": {"Solution_Id__c": one, "Active__c": True}}
        for number, one in enumerate(named)
    ]
    record = {RELATED_LIST: {"records": rows} if rows else None}
    assert ROWS.read_record(record) == listed
    assert ids_in(record) == tuple(listed or ())
    assert [row.key for row in rows_in(record)] == [key_of(one) for one in named]


def test_the_details_of_a_person_do_not_change_who_is_in_the_list() -> None:
    ada = Person("Lovelace", "Ada", "ada@contoso.com", "+45 1")
    merged = merge_sets(BOTH, (ada,), (replace(ada, phone="+45 2"),), (ada,))
    changed: tuple[Member, ...] = merged.value if isinstance(merged.value, tuple) else ()
    assert [key_of(one) for one in changed] == ["ada@contoso.com"]


def test_a_list_that_both_sides_empty_together_keeps_what_partner_center_holds() -> None:
    merged = merge_sets(SetRule(), ("SOL-1", "SOL-2"), ("SOL-2",), ("SOL-1",))
    assert (merged.value, merged.salesforce, merged.partner_center) == (("SOL-1",), ("SOL-2",), ("SOL-1",))
