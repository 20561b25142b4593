"""The three-way merge: idempotent, the same from either side, and nothing in it that nobody wrote."""

from copy import replace
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.deal import Deal, Side, Status, Value
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.merge import EditTimes, Merged, merge
from tests.property.pair_model import FIELDS, PairModel, pairs

MIRROR = {
    Direction.BOTH: Direction.BOTH,
    Direction.OFF: Direction.OFF,
    Direction.TO_SALESFORCE: Direction.TO_PARTNER_CENTER,
    Direction.TO_PARTNER_CENTER: Direction.TO_SALESFORCE,
}


def merged(pair: PairModel) -> tuple[Merged, ...]:
    edited = EditTimes(pair.modified, pair.updated)
    return merge(pair.link.base, Deal(pair.salesforce), Deal(pair.partner_center), pair.rules, edited)


def mirrored(rule: Rule) -> Rule:
    return replace(rule, direction=MIRROR[rule.direction], winner=rule.winner.other)


def from_the_other_side(pair: PairModel) -> PairModel:
    return replace(
        pair,
        rules=Rules({rule.field: mirrored(rule) for rule in pair.rules}),
        salesforce=pair.partner_center,
        partner_center=pair.salesforce,
        modified=pair.updated,
        updated=pair.modified,
    )


def renamed(value: Value | None) -> Value | None:
    """The dated line between two texts names where the later came from."""
    if not isinstance(value, str):
        return value
    return value.replace("Salesforce", "\0").replace("Partner Center", "Salesforce").replace("\0", "Partner Center")


@given(pairs())
def test_merging_what_was_merged_changes_nothing(pair: PairModel) -> None:
    agreed = {one.rule.field: one.value for one in merged(pair)}
    again = replace(pair, link=replace(pair.link, base=Deal(agreed)), salesforce={**agreed}, partner_center={**agreed})
    for one in merged(again):
        assert (one.value, one.edited, one.conflict) == (agreed[one.rule.field], None, False)


@given(pairs())
def test_a_joined_text_meets_either_of_its_parts_and_stays(pair: PairModel) -> None:
    """Whoever dies after the first of two writes finds the same text: the other side is written what was meant."""
    for one in (one for one in merged(pair) if one.keeps_both):
        name, edited = one.rule.field, EditTimes(pair.modified, pair.updated)
        for salesforce, partner_center in ((one.value, one.partner_center), (one.salesforce, one.value)):
            sides = Deal({name: salesforce}), Deal({name: partner_center})
            (again,) = merge(pair.link.base, *sides, Rules({name: one.rule}), edited)
            assert again.value == one.value


@given(pairs())
def test_it_is_the_same_from_the_other_side(pair: PairModel) -> None:
    assume(pair.modified != pair.updated)
    statuses = (pair.salesforce["status"], pair.partner_center["status"])
    assume(not all(isinstance(status, Status) and status.is_final for status in statuses))
    for here, there in zip(merged(pair), merged(from_the_other_side(pair)), strict=True):
        assert here.value == renamed(there.value)
        assert (here.conflict, here.differs_on(Side.SALESFORCE)) == (
            there.conflict,
            there.differs_on(Side.PARTNER_CENTER),
        )
        assert here.edited == (there.edited and there.edited.other) or here.keeps_both


@given(pairs())
def test_nothing_is_invented(pair: PairModel) -> None:
    for one in merged(pair):
        if one.value in (one.salesforce, one.partner_center):
            continue
        assert one.keeps_both
        assert one.rule.merges_text
        assert one.rule.length is None or len(str(one.value)) <= one.rule.length


@given(pairs())
def test_an_edit_on_one_side_only_is_taken_where_that_side_owns_the_field(pair: PairModel) -> None:
    for one in merged(pair):
        name = one.rule.field
        if name not in pair.link.base:
            continue
        changed = [side for side in Side if one.held_by(side) != pair.link.base[name]]
        if len(changed) == 1:
            owner = changed[0] if one.rule.direction.owns(changed[0]) else changed[0].other
            assert one.value == one.held_by(owner)
            assert not one.conflict


@given(pairs())
def test_final_beats_open_and_partner_centers_end_beats_all(pair: PairModel) -> None:
    for one in merged(pair):
        if not (one.conflict and one.rule.direction is Direction.BOTH and one.rule.field == "status"):
            continue
        finals = [
            status for status in (one.partner_center, one.salesforce) if isinstance(status, Status) and status.is_final
        ]
        if finals:
            assert one.value == finals[0]


@given(pairs(), st.sampled_from(FIELDS))
def test_a_field_that_one_side_could_not_read_is_left_alone(pair: PairModel, name: str) -> None:
    del pair.partner_center[name]
    assert name not in {one.rule.field for one in merged(pair)}


@given(pairs())
def test_fields_of_no_interest_are_left_alone(pair: PairModel) -> None:
    off = Rules({rule.field: replace(rule, direction=Direction.OFF) for rule in pair.rules})
    once = Rules({rule.field: replace(rule, on_update=False) for rule in pair.rules})
    assert merged(replace(pair, rules=off)) == ()
    assert merged(replace(pair, rules=once)) == ()


@given(pairs())
def test_an_empty_side_without_a_base_was_never_edited(pair: PairModel) -> None:
    pair.link = replace(pair.link, base=Deal())
    for one in merged(pair):
        if one.rule.direction is Direction.BOTH and None in (one.salesforce, one.partner_center):
            assert one.value == (one.salesforce or one.partner_center)
            assert not one.conflict


@given(pairs(), st.integers(1, 100))
def test_of_two_texts_the_later_stands_below(pair: PairModel, minutes: int) -> None:
    pair.link = replace(pair.link, base=Deal(notes="before"))
    rule = Rule("notes", "Notes", merges_text=True)
    pair.rules = Rules({"notes": rule})
    pair.salesforce["notes"], pair.partner_center["notes"] = "seller", "colleague"
    pair.updated = pair.modified + timedelta(minutes=minutes)
    (one,) = merged(pair)
    above, dated, below = str(one.value).split("\n")
    assert (above, below) == ("seller", "colleague")
    assert dated == f"--- {pair.updated:%Y-%m-%d %H:%M} UTC, Partner Center ---"
