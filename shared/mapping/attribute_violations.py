"""The rules for attributes that the schema cannot express (docs/mapping.md#attributes)."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.mapping.source import MappingSource
from shared.mapping.violations import Place, Violation, describe_place, expectation, nearest, quote

type Table = Mapping[str, Any]


def attribute_violations(document: Table, source: MappingSource) -> Iterator[Violation]:
    """Yield what is wrong with the attributes beyond the schema."""
    fields = document.get("fields")
    tables = fields.items() if isinstance(fields, Mapping) else ()
    attributes = {name: one for name, one in tables if isinstance(one, Mapping) and one.get("type") == "attribute"}
    yield from _kind_violations(attributes, source)
    for name, field in attributes.items():
        yield from _constant_violations(name, field)


def _kind_violations(attributes: Mapping[str, Table], source: MappingSource) -> Iterator[Violation]:
    """Two fields of one type would write the same entry of the referral."""
    first: dict[str, Place] = {}
    for name, field in attributes.items():
        kind, place = field.get("kind"), ("fields", name, "kind")
        if not isinstance(kind, str) or (other := first.setdefault(kind.casefold(), place)) == place:
            continue
        own, before = (place, other) if source.lines.has(place) else (other, place)
        found = f"{quote(kind)}, which {describe_place(before[:2])} has too"
        yield Violation(own, f"{expectation('a type that no other field has', found)} Choose one of the two.")


def _constant_violations(name: str, field: Table) -> Iterator[Violation]:
    constant, values = field.get("constant"), field.get("values")
    if not isinstance(constant, str) or not isinstance(values, Mapping):
        return
    known = [*values, *(sent for sent in values.values() if isinstance(sent, str))]
    if constant.casefold() not in map(str.casefold, known):
        expected = "a value that values lists"
        yield Violation(("fields", name, "constant"), expectation(expected, quote(constant), nearest(constant, known)))
