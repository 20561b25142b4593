"""A change of one attribute is read back, loses nothing that is not ours, and commutes with changes of others."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.mapping.attribute_field import ATTRIBUTES, AttributeField, attribute_operations
from shared.mapping.paths import set_value
from tests.property.generated_deals import ATTRIBUTES as VALUES
from tests.property.generated_deals import TRANSLATION

FIELDS = {name: one for name, one in TRANSLATION.fields.items() if isinstance(one, AttributeField)}
names = st.sampled_from(sorted(FIELDS))
KINDS = [field.kind for field in FIELDS.values()]

foreign = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["Other", "", "role"]), "id": st.text(max_size=3)}),
    st.none(),
    st.text(max_size=3),
)
own = st.fixed_dictionaries(
    {"type": st.sampled_from([*KINDS, *map(str.upper, KINDS)]), "id": st.text(max_size=5), "more": st.integers(0, 3)}
)
raw_lists = st.lists(st.one_of(foreign, own), max_size=8)


@st.composite
def edits(draw: st.DrawFn) -> tuple[AttributeField, str | None]:
    name = draw(names)
    return FIELDS[name], draw(st.one_of(st.none(), st.sampled_from(VALUES[name])))


def referral_with(entries: list[Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    set_value(body, ATTRIBUTES, entries)
    return body


def others(entries: list[Any], *fields: AttributeField) -> list[Any]:
    kinds = {field.kind.casefold() for field in fields}
    return [one for one in entries if not (isinstance(one, dict) and str(one.get("type")).casefold() in kinds)]


@given(raw_lists, edits())
def test_a_change_is_read_back_and_loses_nothing_that_is_not_of_its_kind(
    entries: list[Any], edit: tuple[AttributeField, str | None]
) -> None:
    field, value = edit
    changed = field.changed(entries, value)
    assert field.read_referral(referral_with(changed)) == value
    assert others(changed, field) == others(entries, field)
    assert field.changed(changed, value) == changed


@given(raw_lists, edits(), edits())
def test_changes_of_two_attributes_commute(
    entries: list[Any], one: tuple[AttributeField, str | None], other: tuple[AttributeField, str | None]
) -> None:
    if one[0].kind == other[0].kind:
        return
    results = []
    for changes in ([one, other], [other, one]):
        [operation] = attribute_operations(changes, referral_with(entries))
        results.append(operation["value"])
    first, second = (sorted(map(repr, listed)) for listed in results)
    assert first == second
    assert others(results[0], one[0], other[0]) == others(entries, one[0], other[0])


@given(edits())
def test_a_value_is_read_back_from_its_column_in_any_letter_case(edit: tuple[AttributeField, str | None]) -> None:
    field, value = edit
    written = field.record_values(value)
    assert field.read_record(written) == value
    upper = {column: text and text.upper() for column, text in written.items()}
    assert field.read_record(upper) == value
