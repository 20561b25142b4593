"""Laws of the merge of people: nobody is lost, and details come from Salesforce only.

Source: docs/protocol.md#lists-merge-as-sets.
"""

from collections.abc import Mapping
from copy import replace

from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.domain.deal import Person, Side
from shared.domain.member_sets import (
    INCOMPLETE,
    SAME_ADDRESS,
    Left,
    MergedSet,
    SetRule,
    agreed_members,
    has_address,
    key_of,
    members_of,
    merge_sets,
    needs_replacement,
)

NAMES = ("Ada Lind", "Ben Holm", "Cai Berg", "Dag Moe")
ADDRESSES = tuple(f"{name.split()[0].lower()}@example.com" for name in NAMES)
BOTH = SetRule()
ADA = Person("Lind", "Ada", ADDRESSES[0])
NO_EMAIL = replace(ADA, email=None)


@st.composite
def _people(draw: st.DrawFn) -> Person:
    number = draw(st.integers(0, 3))
    first, last = NAMES[number].split()
    email = draw(st.sampled_from((ADDRESSES[number], ADDRESSES[number].upper(), None)))
    return Person(
        last, first, email, draw(st.sampled_from((None, "+45 1", "+452"))), draw(st.sampled_from((None, "CFO")))
    )


LISTS = st.lists(_people(), max_size=5).map(lambda people: tuple(people) or None)


def _keys(value: object) -> set[str]:
    return set(members_of(value))


def _left(merged: MergedSet, side: Side) -> set[str]:
    return {key_of(one.member) for one in merged.left if one.side is side}


def _is_emptied_by_both(base: object, ours: object, theirs: object, merged: MergedSet) -> bool:
    """Whether each side has removed all whom the other one holds: then those of Partner Center stay.

    Of two entries with one address, the second is left, but that person takes part.
    """
    left = [(one.side, key_of(one.member)) for one in merged.left if one.code != SAME_ADDRESS]
    here = {key for key in _keys(ours) if (Side.SALESFORCE, key) not in left}
    there = {key for key in _keys(theirs) if (Side.PARTNER_CENTER, key) not in left}
    return bool(here and there) and not here & there and here | there <= _keys(base)


@given(base=LISTS, ours=LISTS, theirs=LISTS)
@example(base=(ADA, NO_EMAIL), ours=(NO_EMAIL,), theirs=(ADA, replace(ADA, title="CFO")))
def test_nobody_is_lost_without_a_removal(base: object, ours: object, theirs: object) -> None:
    merged = merge_sets(BOTH, base, ours, theirs)
    assume(not _is_emptied_by_both(base, ours, theirs, merged))
    told = _left(merged, Side.SALESFORCE) | _left(merged, Side.PARTNER_CENTER)
    removed = _keys(base) & (_keys(ours) ^ _keys(theirs))
    assert _keys(ours) | _keys(theirs) == (_keys(merged.value) | told | removed)
    assert not removed & _keys(merged.value)


@given(ours=LISTS, theirs=LISTS)
def test_without_a_base_nobody_is_removed(ours: object, theirs: object) -> None:
    merged = merge_sets(BOTH, None, ours, theirs)
    for side, held in ((Side.SALESFORCE, ours), (Side.PARTNER_CENTER, theirs)):
        assert _keys(held) <= _keys(merged.value) | _left(merged, side)


@given(base=LISTS, ours=LISTS, theirs=LISTS)
def test_the_merge_of_what_was_agreed_changes_nothing(base: object, ours: object, theirs: object) -> None:
    merged = merge_sets(BOTH, base, ours, theirs)
    agreed = agreed_members(None, ours or None, merged.value)
    again = merge_sets(BOTH, agreed_members(agreed, merged.value, merged.value), merged.value, merged.value)
    assert (_keys(again.value), again.salesforce, again.partner_center) == (
        _keys(merged.value),
        again.value,
        again.value,
    )


@given(base=LISTS, ours=LISTS, theirs=LISTS)
def test_only_people_with_an_address_go_to_the_other_side(base: object, ours: object, theirs: object) -> None:
    merged = members_of(merge_sets(BOTH, base, ours, theirs).value)
    one_sided = _keys(ours) ^ _keys(theirs)
    assert all(has_address(member) for key, member in merged.items() if key in one_sided)


@given(base=LISTS, ours=LISTS, theirs=LISTS)
def test_of_a_person_on_both_sides_only_edits_in_salesforce_are_sent(
    base: object, ours: object, theirs: object
) -> None:
    merged = merge_sets(BOTH, base, ours, theirs)
    known, mine, others = members_of(base), members_of(ours), members_of(theirs)
    for key in mine.keys() & others.keys():
        sent = members_of(merged.value)[key]
        if sent != others[key]:
            said = {*_details(others[key]).items(), *_details(mine[key]).items()}  # part by part
            assert _details(sent).items() <= said
            assert _details(mine[key]) != _details(known[key])


def _details(member: object) -> Mapping[str, str]:
    assert isinstance(member, Person)
    parts = {"first": member.first_name, "last": member.last_name, "phone": member.phone, "title": member.title}
    return {name: text for name, text in parts.items() if text}


@given(base=LISTS, ours=LISTS, theirs=LISTS)
def test_only_a_removal_or_an_edit_of_details_replaces_the_list(base: object, ours: object, theirs: object) -> None:
    merged = merge_sets(BOTH, base, ours, theirs)
    is_append = _keys(merged.partner_center) <= _keys(merged.value)
    kept = members_of(merged.partner_center)
    is_same = all(members_of(merged.value).get(key) == one for key, one in kept.items())
    assert needs_replacement(merged.value, merged.partner_center) == (not (is_append and is_same))


@given(ours=LISTS, theirs=LISTS)
def test_the_owner_is_not_removed_from_salesforce_and_is_put_back(ours: object, theirs: object) -> None:
    fixed = frozenset(list(_keys(ours))[:1])
    merged = merge_sets(SetRule(fixed=fixed), ours, ours, theirs)
    assert fixed <= _keys(merged.value)


@given(ours=LISTS, theirs=LISTS)
def test_a_person_whom_partner_center_would_refuse_is_not_sent(ours: object, theirs: object) -> None:
    added = _keys(ours) - _keys(theirs)
    merged = merge_sets(SetRule(unsendable=dict.fromkeys(added, INCOMPLETE)), None, ours, theirs)
    assert _keys(merged.value) <= _keys(theirs) | (_keys(ours) & _keys(theirs))
    assert {key for key in added if has_address(members_of(ours)[key])} == {
        key_of(one.member) for one in merged.left if _is_incomplete(one)
    }


def _is_incomplete(left: Left) -> bool:
    return left.code == INCOMPLETE
