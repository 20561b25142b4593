"""The three-way merge is idempotent and symmetric, and it invents no value (docs/protocol.md#merge)."""

from copy import replace
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.deal import Deal, Side, Status, Value
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.merge import EditTimes, Merged, merge
from tests.property.pair_model import FIELDS, PairModel, any_pair

MIRROR = {
    Direction.BOTH: Direction.BOTH,
    Direction.OFF: Direction.OFF,
    Direction.TO_SALESFORCE: Direction.TO_PARTNER_CENTER,
    Direction.TO_PARTNER_CENTER: Direction.TO_SALESFORCE,
}


def merge_pair(pair: PairModel) -> tuple[Merged, ...]:
    edited = EditTimes(pair.modified, pair.updated)
    return merge(pair.link.base, Deal(pair.salesforce), Deal(pair.partner_center), pair.rules, edited)


def mirrored_rule(rule: Rule) -> Rule:
    clearable = frozenset(side.other for side in rule.clearable)
    return replace(rule, direction=MIRROR[rule.direction], winner=rule.winner.other, clearable=clearable)


def mirrored_pair(pair: PairModel) -> PairModel:
    return replace(
        pair,
        rules=Rules({rule.field: mirrored_rule(rule) for rule in pair.rules}),
        salesforce=pair.partner_center,
        partner_center=pair.salesforce,
        modified=pair.updated,
        updated=pair.modified,
    )


def with_names_swapped(value: Value | None) -> Value | None:
    """Swap the names of the two systems in a text: the dated line between joined texts names the later one's side."""
    if not isinstance(value, str):
        return value
    return value.replace("Salesforce", "\0").replace("Partner Center", "Salesforce").replace("\0", "Partner Center")


@given(any_pair())
def test_a_second_merge_changes_nothing(pair: PairModel) -> None:
    agreed = {merged.rule.field: merged.value for merged in merge_pair(pair)}
    again = replace(pair, link=replace(pair.link, base=Deal(agreed)), salesforce={**agreed}, partner_center={**agreed})
    for merged in merge_pair(again):
        assert (merged.value, merged.edited, merged.conflict) == (agreed[merged.rule.field], None, False)


@given(any_pair())
def test_a_merge_of_a_joined_text_with_one_of_its_parts_gives_the_joined_text(pair: PairModel) -> None:
    """A process may stop after the first of two writes. The next merge then gives the same text for the other side."""
    for merged in (merged for merged in merge_pair(pair) if merged.keeps_both):
        name, edited = merged.rule.field, EditTimes(pair.modified, pair.updated)
        for salesforce, partner_center in ((merged.value, merged.partner_center), (merged.salesforce, merged.value)):
            sides = Deal({name: salesforce}), Deal({name: partner_center})
            (again,) = merge(pair.link.base, *sides, Rules({name: merged.rule}), edited)
            assert again.value == merged.value


@given(any_pair())
def test_a_merge_with_the_sides_swapped_gives_the_same_result(pair: PairModel) -> None:
    assume(pair.modified != pair.updated)
    statuses = (pair.salesforce["status"], pair.partner_center["status"])
    assume(not all(isinstance(status, Status) and status.is_final for status in statuses))
    for original, mirrored in zip(merge_pair(pair), merge_pair(mirrored_pair(pair)), strict=True):
        assert original.value == with_names_swapped(mirrored.value)
        assert (original.conflict, original.differs_on(Side.SALESFORCE)) == (
            mirrored.conflict,
            mirrored.differs_on(Side.PARTNER_CENTER),
        )
        assert original.edited == (mirrored.edited and mirrored.edited.other) or original.keeps_both


@given(any_pair())
def test_a_merged_value_is_one_of_both_values_or_their_joined_text(pair: PairModel) -> None:
    for merged in merge_pair(pair):
        if merged.value in (merged.salesforce, merged.partner_center):
            continue
        assert merged.keeps_both
        assert merged.rule.merges_text
        assert merged.rule.length is None or len(str(merged.value)) <= merged.rule.length


@given(any_pair())
def test_an_edit_on_one_side_wins_only_if_that_side_owns_the_field(pair: PairModel) -> None:
    for merged in merge_pair(pair):
        name = merged.rule.field
        if name not in pair.link.base:
            continue
        changed = [side for side in Side if merged.held_by(side) != pair.link.base[name]]
        if len(changed) == 1:
            owner = changed[0] if merged.rule.direction.owns(changed[0]) else changed[0].other
            assert merged.value == merged.held_by(owner)
            assert not merged.conflict


@given(any_pair())
def test_a_final_status_beats_an_open_one_and_partner_centers_final_status_beats_all(pair: PairModel) -> None:
    for merged in merge_pair(pair):
        if not (merged.conflict and merged.rule.direction is Direction.BOTH and merged.rule.field == "status"):
            continue
        finals = [
            status
            for status in (merged.partner_center, merged.salesforce)
            if isinstance(status, Status) and status.is_final
        ]
        if finals:
            assert merged.value == finals[0]


@given(any_pair(), st.sampled_from(FIELDS))
def test_a_field_that_one_side_could_not_read_is_not_merged(pair: PairModel, name: str) -> None:
    del pair.partner_center[name]
    assert name not in {merged.rule.field for merged in merge_pair(pair)}


@given(any_pair())
def test_fields_that_are_off_or_sent_only_at_creation_are_not_merged(pair: PairModel) -> None:
    off = Rules({rule.field: replace(rule, direction=Direction.OFF) for rule in pair.rules})
    once = Rules({rule.field: replace(rule, on_update=False) for rule in pair.rules})
    assert merge_pair(replace(pair, rules=off)) == ()
    assert merge_pair(replace(pair, rules=once)) == ()


@given(any_pair())
def test_an_empty_value_without_a_base_does_not_count_as_an_edit(pair: PairModel) -> None:
    pair.link = replace(pair.link, base=Deal())
    for merged in merge_pair(pair):
        if merged.rule.direction is Direction.BOTH and None in (merged.salesforce, merged.partner_center):
            assert merged.value == (merged.salesforce or merged.partner_center)
            assert not merged.conflict


@given(any_pair(), st.integers(1, 100))
def test_the_later_of_two_joined_texts_stands_below_a_dated_line(pair: PairModel, minutes: int) -> None:
    pair.link = replace(pair.link, base=Deal(notes="before"))
    rule = Rule("notes", "Notes", merges_text=True)
    pair.rules = Rules({"notes": rule})
    pair.salesforce["notes"], pair.partner_center["notes"] = "seller", "colleague"
    pair.updated = pair.modified + timedelta(minutes=minutes)
    (merged,) = merge_pair(pair)
    above, dated, below = str(merged.value).split("\n")
    assert (above, below) == ("seller", "colleague")
    assert dated == f"--- {pair.updated:%Y-%m-%d %H:%M} UTC, Partner Center ---"
