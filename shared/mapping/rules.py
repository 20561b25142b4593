"""The rules of a mapping file that its schema cannot express.

The rules read the content as it is written, so that a file with other faults is checked too. A value of a wrong kind is
left to the schema.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.field_rules import Direction
from shared.mapping.attribute_violations import attribute_violations
from shared.mapping.lead_violations import lead_violations
from shared.mapping.location_violations import location_violations
from shared.mapping.new_record_violations import new_record_violations
from shared.mapping.outbound import ALSO_INBOUND_ONLY
from shared.mapping.owner_violations import owner_violations
from shared.mapping.schema import LEGAL_STATUSES, REQUIRED_FIELDS
from shared.mapping.source import MappingSource
from shared.mapping.violations import Place, Violation, describe_value, expectation, nearest, one_of, quote

type Table = Mapping[str, Any]

_PARENT_TYPES = ("company", "contacts", "seller")
"""The types whose columns belong to parent records: they are written on create only, or never."""

_REQUIRED_DIRECTIONS: Mapping[str, tuple[str, ...]] = {
    "status": ("both", "to_salesforce", "to_partner_center"),
    "team": ("both", "to_partner_center"),
    **dict.fromkeys(ALSO_INBOUND_ONLY, ("both", "to_salesforce", "to_partner_center")),
}
"""The directions that a required field can have, if they are not those that reach Partner Center."""


def rule_violations(document: Table, source: MappingSource) -> Iterator[Violation]:
    """Yield every violation of a rule beyond the schema (docs/mapping.md#when-the-file-is-wrong)."""
    stages = [_table(entry) for entry in _list(document.get("stages"))]
    if stages:
        yield from _stage_name_violations(stages, source)
        yield from _status_violations(stages)
    yield from new_record_violations(document, source)
    yield from owner_violations(document, source)
    yield from attribute_violations(document, source)
    yield from location_violations(document)
    yield from lead_violations(document)
    if not isinstance(document.get("fields"), Mapping):
        return
    fields = {name: _table(field) for name, field in document["fields"].items()}
    for name in REQUIRED_FIELDS:
        yield from _required_field_violations(name, fields, source)
    named = {key: column for key, column in _table(document.get("ours")).items() if isinstance(column, str)}
    yield from _own_column_violations(named, source)
    connector_columns = {column.casefold(): key for key, column in named.items()}
    for name, field in fields.items():
        yield from _parent_column_violations(name, field)
        yield from _mark_violations(name, field)
        yield from _value_violations(name, field)
        yield from _connector_column_violations(name, field, connector_columns, source)


def _table(value: object) -> Table:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [item for item in _list(value) if isinstance(item, str)]


# --- stages -----------------------------------------------------------------------------------------------------------


def _stage_name_violations(stages: list[Table], source: MappingSource) -> Iterator[Violation]:
    first: dict[str, int] = {}
    for number, stage in enumerate(stages):
        name = stage.get("name")
        if not isinstance(name, str):
            continue
        place: Place = ("stages", number, "name")
        if first.setdefault(name.casefold(), number) != number:
            line = source.lines.line_of(("stages", first[name.casefold()], "name"))
            yield Violation(place, expectation("each stage once", f"{quote(name)} again, after line {line}"))


def _status_violations(stages: list[Table]) -> Iterator[Violation]:
    first = stages[0].get("status")
    on_hold = [status for status in LEGAL_STATUSES if status.startswith("New/")]
    if first in LEGAL_STATUSES and first not in on_hold:
        expected = f"{one_of(on_hold)}, because the first stage is the on-hold stage"
        yield Violation(("stages", 0, "status"), expectation(expected, describe_value(first)))
    shown = {status for stage in stages for status in (*_texts([stage.get("status")]), *_texts(stage.get("also")))}
    # A status with a typing error is reported at its place, so it is not reported as missing too.
    shown |= {nearest(status, LEGAL_STATUSES) or status for status in shown if status not in LEGAL_STATUSES}
    missing = [status for status in LEGAL_STATUSES if status not in shown]
    if missing:
        problem = f"expected a stage for every status; no stage shows {', '.join(missing)}."
        yield Violation(("stages",), f"{problem} Add it to `also` of a stage.")


# --- fields -----------------------------------------------------------------------------------------------------------


def _required_field_violations(name: str, fields: Mapping[str, Table], source: MappingSource) -> Iterator[Violation]:
    """Every new referral needs certain fields: of the right type, and written to Partner Center on create."""
    if name not in fields:
        problem = f"is missing: no referral can be created without it.{_similar(name, fields, source)}"
        yield Violation(("fields", name), problem)
        return
    field = fields[name]
    for key, expected in _required_values(name, field):
        reason = "because no referral can be created without this field"
        problem = expectation(f"{expected}, {reason}", describe_value(field[key]))
        yield Violation(("fields", name, key), problem)


def _required_values(name: str, field: Table) -> Iterator[tuple[str, str]]:
    """Yield each key with a value that a required field cannot have, and what was expected there."""
    kind, direction, when = field.get("type"), field.get("direction"), field.get("when")
    if isinstance(kind, str) and kind not in REQUIRED_FIELDS[name]:
        yield "type", one_of(REQUIRED_FIELDS[name])
    directions = _REQUIRED_DIRECTIONS.get(name, ("both", "to_partner_center"))
    if direction in tuple(Direction) and direction not in directions:
        yield "direction", one_of(directions)
    if isinstance(when, list) and "create" not in when and name != "status":
        yield "when", "a list with create"
    if field.get("optional") is True:
        yield "optional", "false"


def _similar(name: str, fields: Mapping[str, Table], source: MappingSource) -> str:
    similar = nearest(name, fields.keys() - REQUIRED_FIELDS.keys())
    if similar is None:
        return ""
    return f" The table fields.{similar} on line {source.lines.line_of(('fields', similar))} has a similar name."


def _columns(field: Table) -> Iterator[str]:
    """Yield the columns of the opportunity that a field reads."""
    mapped = field.get("salesforce")
    parts = mapped if isinstance(mapped, Mapping) else {"": mapped}
    for part, column in parts.items():
        if isinstance(column, str) and part != "fixed_currency":
            yield column


def _parent_column_violations(name: str, field: Table) -> Iterator[Violation]:
    """A column of a parent record, such as the account, cannot be written through the opportunity."""
    is_written = field.get("direction", "both") in ("both", "to_salesforce")
    parents = [column for column in _columns(field) if "." in column]
    if parents and is_written and field.get("type") not in _PARENT_TYPES:
        expected = "a column of the opportunity itself, because a column of another record cannot be written"
        remedy = 'Set direction = "to_partner_center", or choose another column.'
        place: Place = ("fields", name, "salesforce")
        yield Violation(place, f"{expectation(expected, ', '.join(parents))} {remedy}")


def _mark_violations(name: str, field: Table) -> Iterator[Violation]:
    """Only the name of an opportunity has a mark in front of it."""
    column = field.get("salesforce")
    if field.get("mark") is True and not (isinstance(column, str) and column.casefold() == "name"):
        problem = expectation("false, because only the column Name has a mark in front of it", "true")
        yield Violation(("fields", name, "mark"), problem)
    if field.get("signs", "own") != "own" and field.get("mark") is not True:
        problem = expectation("`mark = true` beside it, or no `signs`", describe_value(field["signs"]))
        yield Violation(("fields", name, "signs"), problem)


def _value_violations(name: str, field: Table) -> Iterator[Violation]:
    """Each value of a text has one counterpart, in both directions: else a value comes back as another one."""
    values = _table(field.get("values")) if field.get("type") == "text" else {}
    first, sent = dict[str, str](), dict[str, str]()
    for value, other in values.items():
        place: Place = ("fields", name, "values", value)
        if not isinstance(other, str):
            continue
        if not (value.strip() and other.strip()):
            yield Violation(place, expectation("a value on both sides", "an empty text"))
        elif (known := first.setdefault(value.casefold(), value)) != value:
            yield Violation(
                place, expectation("each value once, in any letter case", f"it again, after {quote(known)}")
            )
        elif (known := sent.setdefault(other.casefold(), value)) != value:
            found = f"{quote(other)}, which {quote(known)} has too"
            yield Violation(place, expectation("a value of Partner Center that no other value has", found))


def _own_column_violations(named: Mapping[str, str], source: MappingSource) -> Iterator[Violation]:
    """Each field of the connector has a column of its own, in any letter case: else one overwrites the other."""
    first: dict[str, str] = {}
    for key, column in named.items():
        other = first.setdefault(column.casefold(), key)
        if other != key:
            own, before = (key, other) if source.lines.has(("ours", key)) else (other, key)
            found = f"{named[own]}, which ours.{before} names"
            yield Violation(("ours", own), expectation("a column that no other key of ours names", found))


def _connector_column_violations(
    name: str, field: Table, connector_columns: Mapping[str, str], source: MappingSource
) -> Iterator[Violation]:
    """The fields of the connector itself cannot be mapped. The place is the one that the file itself has."""
    for column in _columns(field):
        role = connector_columns.get(column.casefold())
        if role is None:
            continue
        place: Place = ("fields", name, "salesforce")
        ours: Place = ("ours", role)
        if source.lines.has(ours) and not source.lines.has(place):
            found = f"{column}, which fields.{name} maps"
            yield Violation(ours, expectation("a column that no field maps", found))
        else:
            found = f"{column}, which ours.{role} names"
            yield Violation(place, expectation("a column that is not the connector's own", found))
