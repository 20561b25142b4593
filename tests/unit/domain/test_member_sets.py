"""Lists merge member by member (docs/protocol.md#lists-merge-as-sets): each rule by one example."""

from copy import replace

import pytest

from shared.domain.deal import Person, Side, Value
from shared.domain.member_sets import (
    DETAILS_STAY,
    DOES_NOT_FIT,
    NO_ADDRESS,
    SAME_ADDRESS,
    STAYS,
    TOO_MANY,
    Left,
    MergedSet,
    SetRule,
    agreed_members,
    has_address,
    has_same_details,
    has_same_members,
    key_of,
    keys_of,
    lacks_details,
    members_of,
    merge_sets,
    needs_replacement,
    repeated,
    with_edits,
    without_details,
    without_members,
)

OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
KIM = Person("Berg", "Kim", "kim@example.com", "+45 1", "CTO")
LEE = Person("Moss", "Lee", "lee@example.com", "+45 2")
NOBODY = Person("Vale", "Jo")
ONLY_OURS, ONLY_THEIRS = SetRule(frozenset({OURS})), SetRule(frozenset({THEIRS}))


def merged(base: str, ours: str, theirs: str, rule: SetRule = SetRule()) -> MergedSet:  # noqa: B008 - frozen
    return merge_sets(rule, tuple(base), tuple(ours), tuple(theirs))


def letters(value: Value | None) -> str:
    return "".join(map(str, value)) if isinstance(value, tuple) else ""


def test_a_person_is_known_by_the_address_or_else_by_the_name() -> None:
    assert key_of(replace(KIM, email=" Kim@Example.com ")) == "kim@example.com"
    assert key_of(NOBODY) == "name:jo vale"
    assert key_of(replace(KIM, email="kim@example")) == "name:kim berg"
    assert key_of(" SOL-1 ") == "sol-1"
    assert has_address("SOL-1")
    assert has_address(replace(KIM, email=" kim@example.com "))
    assert not has_address(NOBODY)
    assert not has_address(replace(KIM, email="kim@example.com or lee@example.com"))


def test_the_first_of_several_with_one_key_counts() -> None:
    twin = replace(LEE, email="KIM@example.com")
    assert members_of((KIM, twin, LEE)) == {"kim@example.com": KIM, "lee@example.com": LEE}
    assert list(repeated((KIM, twin, LEE, KIM))) == [twin]
    assert members_of(("a", "", "A")) == {"a": "a"}
    assert members_of("text") == {}
    assert list(repeated(("a", "A"))) == []
    assert list(repeated(None)) == []
    assert keys_of((LEE, KIM), None, ("b", "B")) == ("b", "kim@example.com", "lee@example.com")


def test_details_that_only_one_side_has_are_no_difference() -> None:
    bare = Person("Berg", "Kim", "kim@example.com")
    assert has_same_details(KIM, bare)
    assert has_same_details(KIM, replace(KIM, phone="(+45)-1", first_name="KIM"))
    assert not has_same_details(KIM, replace(KIM, phone="+45 3"))
    assert not has_same_details(KIM, replace(KIM, title="CEO"))
    assert has_same_details("a", "b")
    assert has_same_details(KIM, "b")
    assert lacks_details(bare, KIM)
    assert not lacks_details(KIM, bare)
    assert not lacks_details("a", "b")


def test_lists_have_the_same_members_in_any_order() -> None:
    assert has_same_members((KIM, LEE), (LEE, replace(KIM, phone="x")))
    assert not has_same_members((KIM,), (KIM, LEE))


def test_a_list_must_be_sent_whole_if_a_member_is_removed_or_changed() -> None:
    assert not needs_replacement((KIM, LEE), (KIM,))
    assert needs_replacement((LEE,), (KIM, LEE))
    assert needs_replacement((replace(KIM, phone="x"),), (KIM,))
    assert not needs_replacement((KIM,), None)


def test_a_list_without_details_has_the_keys_only() -> None:
    assert without_details((KIM, NOBODY)) == (Person("", email="kim@example.com"), NOBODY)
    assert without_details(("a",)) == ("a",)
    assert without_details(()) is None
    assert without_members((KIM, LEE), ["kim@example.com"]) == (LEE,)
    assert without_members(("a",), iter(["a"])) is None


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "agreed"),
    [
        ("", "ab", "bc", "b"),
        ("a", "ab", "bc", "ba"),
        ("c", "ab", "bc", "bc"),
        ("d", "ab", "ab", "ab"),
        ("b", "b", "", "b"),
    ],
)
def test_the_base_has_what_both_hold_and_what_still_has_to_travel(
    base: str, ours: str, theirs: str, agreed: str
) -> None:
    assert letters(agreed_members(tuple(base), tuple(ours), tuple(theirs))) == agreed


@pytest.mark.parametrize(
    ("base", "old", "new", "held", "after"),
    [
        ("ab", "ab", "abc", "abc", "abc"),
        ("ab", "ab", "abc", "ab", "ab"),
        ("ab", "ab", "a", "a", "a"),
        ("ab", "ab", "a", "ab", "ab"),
        ("ab", "ab", "bc", "bcd", "bc"),
    ],
)
def test_the_base_takes_the_edits_that_took_effect(base: str, old: str, new: str, held: str, after: str) -> None:
    assert letters(with_edits(tuple(base), tuple(old), tuple(new), tuple(held))) == after


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "value", "edited"),
    [
        ("ab", "ab", "ab", "ab", ()),
        ("a", "ab", "a", "ab", (OURS,)),
        ("a", "a", "ab", "ab", (THEIRS,)),
        ("ab", "a", "ab", "a", (OURS,)),
        ("ab", "ab", "b", "b", (THEIRS,)),
        ("a", "ab", "ac", "abc", (OURS, THEIRS)),
        ("abc", "ab", "ac", "a", (OURS, THEIRS)),
        ("", "a", "b", "ab", (OURS, THEIRS)),
        ("ab", "a", "b", "b", (OURS, THEIRS)),
        ("ab", "abc", "abc", "abc", ()),
    ],
)
def test_each_member_is_merged_by_itself(
    base: str, ours: str, theirs: str, value: str, edited: tuple[Side, ...]
) -> None:
    found = merged(base, ours, theirs)
    assert (letters(found.value), found.edited, found.left) == (value, frozenset(edited), ())
    assert (letters(found.salesforce) == value) is (set(ours) == set(value))
    assert (letters(found.partner_center) == value) is (set(theirs) == set(value))


def test_a_member_stays_on_the_side_that_does_not_own_the_list() -> None:
    assert merged("a", "ab", "a", ONLY_THEIRS).left == (Left(OURS, STAYS, "b"),)
    assert merged("a", "a", "ab", ONLY_OURS).left == (Left(THEIRS, STAYS, "b"),)
    assert letters(merged("ab", "a", "ab", ONLY_THEIRS).value) == "ab"
    assert letters(merged("ab", "ab", "a", ONLY_OURS).value) == "ab"
    stays = merged("a", "ab", "a", ONLY_THEIRS)
    assert (stays.value, stays.salesforce, stays.partner_center) == (("a",), ("a",), ("a",))


def test_what_partner_center_does_not_get_stays_in_salesforce() -> None:
    found = merged("", "ab", "", SetRule(unsendable={"a": "inactive"}))
    assert (found.left, letters(found.value)) == ((Left(OURS, "inactive", "a"),), "b")


def test_a_member_that_is_fixed_in_salesforce_is_put_back() -> None:
    assert letters(merged("ab", "ab", "a", SetRule(fixed=frozenset("b"))).value) == "ab"
    assert letters(merged("ab", "a", "ab", SetRule(fixed=frozenset("b"))).value) == "a"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "at_most", "too_many"),
    [
        ("a", "abc", "a", 3, ""),
        ("a", "abc", "a", 2, "c"),
        ("a", "abc", "a", 1, "bc"),
        ("ab", "acd", "ab", 2, "d"),
        ("", "bc", "a", 2, "c"),
    ],
)
def test_partner_center_takes_only_so_many(base: str, ours: str, theirs: str, at_most: int, too_many: str) -> None:
    found = merged(base, ours, theirs, SetRule(at_most=at_most))
    assert found.left == tuple(Left(OURS, TOO_MANY, one) for one in too_many)


def test_salesforce_takes_what_fits_beside_what_it_has() -> None:
    rule = SetRule(fits=lambda members: len(list(members)) <= 2)
    assert merged("a", "a", "abc", rule).left == (Left(THEIRS, DOES_NOT_FIT, "c"),)
    assert merged("ax", "ax", "abc", rule).left == (Left(THEIRS, DOES_NOT_FIT, "c"),)
    assert merged("ax", "ax", "axbc", rule).left == (Left(THEIRS, DOES_NOT_FIT, "b"), Left(THEIRS, DOES_NOT_FIT, "c"))


def test_a_person_without_an_address_stays_where_they_are() -> None:
    ours, theirs = (
        merge_sets(SetRule(), None, (KIM, NOBODY), (KIM,)),
        merge_sets(SetRule(), None, (KIM,), (KIM, NOBODY)),
    )
    assert (ours.left, ours.value) == ((Left(OURS, NO_ADDRESS, NOBODY),), (KIM,))
    assert (theirs.left, theirs.value) == ((Left(THEIRS, NO_ADDRESS, NOBODY),), (KIM,))
    both = merge_sets(SetRule(), None, (KIM, NOBODY), (KIM, NOBODY))
    assert (both.left, both.value) == ((), (KIM, NOBODY))


def test_a_second_person_with_one_address_stays_and_is_told() -> None:
    twin = replace(LEE, email="kim@example.com")
    found = merge_sets(SetRule(), (KIM,), (KIM, twin), (KIM,))
    assert (found.left, found.value) == ((Left(OURS, SAME_ADDRESS, twin),), (KIM,))
    other = merge_sets(SetRule(), (KIM,), (KIM,), (KIM, twin))
    assert other.left == (Left(THEIRS, SAME_ADDRESS, twin),)
    assert merge_sets(SetRule(), (KIM, LEE), (LEE,), (KIM, twin, LEE)).left == ()


def test_a_detail_that_was_edited_in_salesforce_travels() -> None:
    edited = replace(KIM, phone="+45 9")
    found = merge_sets(SetRule(), (KIM, LEE), (edited, LEE), (LEE, KIM))
    assert (found.value, found.left, found.edited) == ((edited, LEE), (), frozenset({OURS}))
    assert (found.salesforce, found.partner_center) == ((edited, LEE), (LEE, KIM))


def test_a_detail_that_was_not_edited_in_salesforce_stays_and_is_told() -> None:
    there = replace(KIM, phone="+45 9")
    found = merge_sets(SetRule(), (KIM,), (KIM,), (there,))
    assert (found.value, found.left, found.edited) == ((there,), (Left(THEIRS, DETAILS_STAY, there),), frozenset())
    for rule, base in ((ONLY_THEIRS, KIM), (SetRule(), Person("", email=KIM.email))):
        stays = merge_sets(rule, (base,), (there,), (KIM,))
        assert (stays.value, stays.left) == ((KIM,), (Left(THEIRS, DETAILS_STAY, KIM),))


def test_an_emptied_detail_and_one_that_says_the_same_do_not_travel() -> None:
    for ours in (replace(KIM, phone=None), replace(KIM, phone="(45) 1"), replace(KIM, first_name="KIM")):
        found = merge_sets(SetRule(), (KIM,), (ours,), (KIM,))
        assert (found.value, found.left, found.edited) == ((KIM,), (), frozenset())


@pytest.mark.parametrize("who", [0, 1])
def test_one_edited_person_among_others_travels_and_one_changed_there_is_told(who: int) -> None:
    people = [KIM, LEE]
    people[who] = edited = replace(people[who], phone="+45 9")
    sent = merge_sets(SetRule(), (KIM, LEE), tuple(people), (KIM, LEE))
    assert (sent.value, sent.partner_center, sent.edited) == (tuple(people), (KIM, LEE), frozenset({OURS}))
    stays = merge_sets(SetRule(), (KIM, LEE), (KIM, LEE), tuple(people))
    assert stays.left == (Left(THEIRS, DETAILS_STAY, edited),)


def test_an_edit_that_partner_center_has_in_another_form_does_not_travel() -> None:
    there = replace(KIM, phone="(45) 9")
    assert merge_sets(SetRule(), (KIM,), (replace(KIM, phone="+45 9"),), (there,)).value == (there,)


def test_the_order_of_members_means_nothing_and_that_of_salesforce_is_kept() -> None:
    found = merged("ab", "ba", "ab")
    assert (found.value, found.partner_center, found.salesforce) == (("b", "a"), ("b", "a"), ("b", "a"))
    assert merged("a", "ca", "ab").value == ("c", "a", "b")


def test_if_both_sides_removed_all_that_the_other_holds_those_of_partner_center_with_an_address_stay() -> None:
    found = merge_sets(SetRule(), (KIM, NOBODY, LEE), (LEE,), (NOBODY, KIM))
    assert found.value == (KIM,)


def test_a_text_lacks_what_is_said_of_a_person() -> None:
    assert lacks_details("a", KIM)
