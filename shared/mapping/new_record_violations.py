"""The rules for `[new.OBJECT]`, and for columns with two lines, that the schema cannot express."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.mapping.new_records import ALWAYS_FILLED
from shared.mapping.paths import own_name
from shared.mapping.source import MappingSource
from shared.mapping.violations import Place, Violation, describe_place, expectation, quote

type Table = Mapping[str, Any]

_COLUMN = re.compile(r"[A-Za-z]\w*", re.ASCII)
_WRITTEN_BY_US = (
    "flag", "identifier", "link", "status", "audit", "partner_center_amount", "partner_center_currency", "visible",
    "answer_by", "microsoft_status", "microsoft_crm_identifier", "microsoft_seller", "microsoft_notes",
    "microsoft_answer_by",
)  # fmt: skip
_FILLED: Mapping[str, Mapping[str, str]] = {
    "Opportunity": {"accountid": "the connector itself"},
    "Account": {},
    "Contact": {"accountid": "the connector itself", "lastname": "fields.contacts"},
}
"""By object, the columns that a new record always has, and what fills them."""


def new_record_violations(document: Table, source: MappingSource) -> Iterator[Violation]:
    """Yield what is wrong with the tables of new records beyond the schema."""
    yield from _column_violations(document, source)
    yield from _customer_violations(document, source)
    for sobject, filled in _FILLED.items():
        defaults = _table(_table(_table(document.get("new")).get(sobject)).get("defaults"))
        yield from _default_violations(
            sobject, defaults, {**filled, **dict(_filled_by_fields(document, sobject))}, source
        )


def _default_violations(
    sobject: str, defaults: Table, filled: Mapping[str, str], source: MappingSource
) -> Iterator[Violation]:
    first: dict[str, Place] = {}
    for name in defaults:
        place: Place = ("new", sobject, "defaults", name)
        if not _COLUMN.fullmatch(name):
            yield Violation(place, expectation(f"a column of {sobject}, such as Region__c", quote(name)))
        elif name.casefold() == "recordtypeid":
            yield Violation(place, "a default cannot choose the record type. Use record_type with its developer name.")
        elif name.casefold() in filled:
            found = f"{name}, which {filled[name.casefold()]} always fills"
            expected = "a column that nothing else always fills"
            yield Violation(place, f"{expectation(expected, found)} Remove this default.")
        elif first.setdefault(name.casefold(), place) != place:
            line = source.lines.line_of(first[name.casefold()])
            yield Violation(place, f"{expectation('each column once', f'{name} again, after line {line}')} Remove one.")


def _filled_by_fields(document: Table, sobject: str) -> Iterator[tuple[str, str]]:
    fields, ours = _table(document.get("fields")), _table(document.get("ours"))
    if sobject == "Opportunity":
        for role in _WRITTEN_BY_US:
            yield str(ours.get(role)).casefold(), f"ours.{role}"
        for name in ALWAYS_FILLED:
            field = _table(fields.get(name))
            if field.get("direction", "both") in ("both", "to_salesforce"):
                yield str(field.get("salesforce")).casefold(), f"fields.{name}"
    if sobject == "Account":
        company = next((_table(each) for each in fields.values() if _table(each).get("type") == "company"), {})
        yield own_name(str(_table(company.get("salesforce")).get("name"))).casefold(), "fields.account"


def _column_violations(document: Table, source: MappingSource) -> Iterator[Violation]:
    """Two fields that write one column would take turns for ever."""
    first: dict[str, Place] = {}
    for name, field in _table(document.get("fields")).items():
        place: Place = ("fields", name, "salesforce")
        for column in _written_columns(_table(field)):
            other = first.setdefault(column.casefold(), place)
            if other != place:
                own, before = (place, other) if source.lines.has(place) else (other, place)
                found = f"{column}, which {describe_place(before[:2])} writes too"
                yield Violation(
                    own, f"{expectation('a column that no other field writes', found)} Choose another column."
                )


def _customer_violations(document: Table, source: MappingSource) -> Iterator[Violation]:
    """Two parts of the customer in one column: a new account would keep only one of them."""
    for name, field in _table(document.get("fields")).items():
        columns = _table(field.get("salesforce")) if _table(field).get("type") == "company" else {}
        first: dict[str, Place] = {}
        for part, column in columns.items():
            place: Place = ("fields", name, "salesforce", part)
            other = first.setdefault(str(column).casefold(), place)
            if other != place:
                own, before = (place, other) if source.lines.has(place) else (other, place)
                found = f"{column}, which {describe_place(before)} has too"
                text = expectation("a column that no other part of the customer has", found)
                yield Violation(own, f"{text} Choose another column.")


def _written_columns(field: Table) -> Iterator[str]:
    is_written = field.get("direction", "both") in ("both", "to_salesforce")
    if not is_written or field.get("type") in ("company", "contacts", "seller", "size"):
        return
    mapped = field.get("salesforce")
    parts = mapped if isinstance(mapped, Mapping) else {"": mapped}
    yield from (column for part, column in parts.items() if isinstance(column, str) and part != "fixed_currency")


def _table(value: object) -> Table:
    return value if isinstance(value, Mapping) else {}
