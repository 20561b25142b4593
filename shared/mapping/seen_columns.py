"""Adapt a mapping file to the columns of an org: in its own spelling, and without those that the user may not see.

One hidden column makes Salesforce refuse a whole query, and with it all deals. Salesforce ignores the letter case of a
name in a query, and answers with the name as it was made. Source: docs/protocol.md#hidden-and-read-only-columns.
"""

import hashlib
from collections.abc import Mapping
from copy import replace
from typing import Any

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.field_rules import Direction, Rules
from shared.domain.org_shape import OrgShape
from shared.mapping.field_base import FieldBase, MappingTable
from shared.mapping.field_types import StatusField
from shared.mapping.schema import MappingFile
from shared.mapping.solutions_field import SolutionsField

type Fields = Mapping[str, FieldBase]


class SeenFields(Struct, frozen=True):
    """The fields of a mapping file as an org has their columns.

    fields     every field, without the columns that are hidden
    left_out   why a field is left out: a column that it needs is hidden
    hidden     the cause of each field with hidden columns, those of `left_out` among them
    absent     the optional fields whose columns the org lacks: they are not among `fields`
    """

    fields: Fields
    left_out: Mapping[str, Cause] = {}
    hidden: tuple[tuple[str, Cause], ...] = ()
    absent: tuple[str, ...] = ()

    def mapping_of(self, file: str) -> str:
        """Return what identifies the mapping of this org; `file` is the hash of the file.

        Once the org has the column of a field that was absent, nothing of that field was read: the mapping is another.
        It is another too if the org lets a field be read in another way.
        """
        variants = tuple(f"{name}={field.variant}" for name, field in self.fields.items() if field.variant)
        differing = (*self.absent, *variants)
        return f"{file}-{hashlib.sha256(repr(differing).encode()).hexdigest()[:4]}" if differing else file


def spelled_as_in_org(file: MappingFile, org: OrgShape | None) -> MappingFile:
    """Return the file with each column as the org spells it."""
    paths = file.question.paths if org else ()
    if org is None or all((column := org.column(path)) is None or column.path == path for path in paths):
        return file
    fields = {
        name: field.model_copy(update={"salesforce": _spelled(getattr(field, "salesforce", None), org)})
        for name, field in file.fields.items()
    }
    own = {"ours": _spelled(file.ours, org), "fields": fields, "location": _spelled(file.location, org)}
    return file.model_copy(update=own)


def _spelled(value: Any, org: OrgShape) -> Any:  # noqa: ANN401 - a column, or a table of columns
    if isinstance(value, MappingTable):
        parts = {name: _spelled(getattr(value, name), org) for name in type(value).model_fields}
        return value.model_copy(update=parts)
    column = org.column(value) if isinstance(value, str) else None
    return column.path if column else value


def seen_fields(fields: Fields, org: OrgShape | None) -> SeenFields:
    """Return the fields with only the columns that the integration user sees."""
    limited, left_out, hidden, absent = dict(fields), dict[str, Cause](), list[tuple[str, Cause]](), list[str]()
    if org is None:
        return SeenFields(fields)
    for name, field in fields.items():
        unseen = [column for column in field.columns() if org.column(column) is None]
        if field.optional and not frozenset(field.needed_columns()).isdisjoint(unseen):
            absent.append(name)
            del limited[name]
            continue
        written = (column for column in field.written_columns() if column not in unseen)
        fixed = [column for column in written if not _is_createable(org, column)]
        if unseen or fixed:
            limited[name] = field.limited_to(frozenset(unseen), frozenset(fixed))
        if helpful := tuple(column for column in field.helpful_columns() if column.casefold() in org.columns):
            limited[name] = limited[name].helped_by(helpful)
        if unseen and field.direction is not Direction.OFF:
            hidden.append((name, limited[name].hidden_cause(unseen)))
            if not frozenset(field.needed_columns()).isdisjoint(unseen):
                left_out[name] = hidden[-1][1]
    return SeenFields(limited, left_out, tuple(hidden), tuple(absent))


def rules_of(seen: SeenFields, loaded: MappingFile, spelled: MappingFile, mapping: str) -> Rules:
    """Return the rules of these fields; `loaded` is the file as it is written, and `mapping` identifies it.

    A field that is left out travels nowhere. How a value is read does not depend on the letter case of its columns.
    """
    rules = {name: field.to_rule(name) for name, field in seen.fields.items()}
    rules |= {name: replace(rules[name], direction=Direction.OFF) for name in seen.left_out}
    for name, written in loaded.fields.items() if spelled is not loaded else ():
        if name not in rules:
            continue  # the org lacks its column
        rules[name] = replace(rules[name], source=written.to_rule(name).source + seen.fields[name].variant)
    answers = next(field.answers for field in seen.fields.values() if isinstance(field, StatusField))
    solutions = [field for field in seen.fields.values() if isinstance(field, SolutionsField)]
    not_ready = frozenset(one for field in solutions for one in field.not_co_sell_ready)
    return Rules(rules, mapping, seen.hidden, answers, not_ready)


def _is_createable(org: OrgShape, path: str) -> bool:
    column = org.column(path)
    return column is not None and column.createable
