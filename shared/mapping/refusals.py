"""What a deal can do without: the value or contact that Salesforce refused when the opportunity was to be created.

Source: docs/protocol.md#creating-an-opportunity.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import replace
from typing import Any

from shared.domain.arrival import CONTACT_REFUSED, Arrival, Gap
from shared.domain.cause import Cause
from shared.domain.org_shape import OrgShape
from shared.domain.sentences import cause
from shared.foundation.errors import Rejected
from shared.mapping.field_base import FieldBase
from shared.mapping.money_field import ForeignMoneyField
from shared.mapping.new_records import NewRecords, default_path
from shared.mapping.people import CONTACT_FIELDS
from shared.mapping.schema import MappingFile

PERSON_STEP = re.compile("(?:contact|role)([0-9]*)")
"""The step of a graph that creates a contact or its role."""
ESSENTIAL = frozenset({"name", "stagename", "closedate", "account.name"})
"""Columns without a value of which Salesforce makes no record."""
_NEEDED = frozenset({"account", "contacts", "team", "identifier"})
"""What makes the other records of a graph, or finds them."""
_OBJECTS = {"opportunity": "Opportunity", "account": "Account"}
_MISSING, _RULE = "REQUIRED_FIELD_MISSING", "FIELD_CUSTOM_VALIDATION_EXCEPTION"
_NO_VALUE = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
_ADD_STAGE = "Add the stage in Salesforce, or change its name under [[stages]] in the mapping file."
_NAME_OWNER = "Name an owner whom Salesforce takes under [[owners]] in the mapping file."
_CHANGE_REFERRAL = "Change the value in Partner Center."
_EXCEPT = "Or let the rule except the integration user."
_WRONG_TYPE = "JSON_PARSER_ERROR"
"""A value of another type than its column. Salesforce does not name the column, and our own values have the types."""
_LISTED = re.compile(r"\[([\w, ]+)\]")
"""Where the text of an error lists the columns that are empty."""
_BY_DEFAULT = ("first_name", "phone", "title")
"""The parts of a contact that a contact can do without; by its address it is found again."""


def without_refused(
    fields: Mapping[str, FieldBase], file: MappingFile, arrival: Arrival, error: Rejected, tries: int
) -> Arrival:
    """Leave out the value or contact that Salesforce refuses, so that it stops no deal; after `tries`, all contacts.

    Where a rule names none of them, all that the opportunity can do without is left out. Raises the error again if
    Salesforce refuses something else, or if the record needs what was left out before.
    """
    try:
        return _without_named(fields, file, arrival, error, tries)
    except Rejected:
        bare = _bare(fields, file, arrival, error.cause)
        if error.step != "opportunity" or error.cause.code != _RULE or bare == arrival:
            raise
        return bare


def _without_named(
    fields: Mapping[str, FieldBase], file: MappingFile, arrival: Arrival, error: Rejected, tries: int
) -> Arrival:
    """Leave out what the refusal names."""
    step, column, found, new = error.step or "", error.cause.field or "", error.cause, file.new
    if found.code == _WRONG_TYPE and (paths := _default_paths(new, step, arrival)):
        return _without_defaults(arrival, paths, found)
    if person := PERSON_STEP.fullmatch(step):
        return _without_of_person(new, arrival, int(person[1] or 0), found, tries)
    path = default_path(_OBJECTS.get(step, step), column)
    if found.code == _MISSING and (before := _refused_before(arrival, column, path)):
        raise Rejected(before, error.step)
    if not column or path.casefold() in ESSENTIAL or path.casefold() in arrival.left_out or found.code == _MISSING:
        raise error
    if step == "opportunity" and (own := _shown_column(file, column)) and own not in arrival.unshown:
        return replace(arrival, unshown={**arrival.unshown, own: found})
    for name, field in fields.items():
        if step == "opportunity" and name in arrival.deal and _has_column(field, column):
            if isinstance(field, ForeignMoneyField):
                return arrival.without_value(name)  # a pull writes and tells it
            return arrival.without_refused(Gap(name, _refused(field.label, found), refusal=found))
    if new.has_default(path):
        return _without_default(arrival, path, found)
    raise error


def _bare(fields: Mapping[str, FieldBase], file: MappingFile, arrival: Arrival, refusal: Cause) -> Arrival:
    """The arrival without all that it can do without, if a rule names none of it: any of it may be the guilty one.

    A pull writes each value by itself afterwards, so that only the guilty one stays behind.
    """
    column = refusal.field or ""
    given = {name: field for name, field in fields.items() if name in arrival.deal and name not in _NEEDED}
    ours = (file.ours.status, file.ours.audit, file.ours.link, file.ours.answer_by)
    if any(_has_column(field, column) for field in given.values()) or _shown_column(file, column):
        return arrival
    for name, field in given.items():
        if not ESSENTIAL.intersection(map(str.casefold, field.columns())):
            arrival = arrival.without_value(name)
    return replace(arrival, unshown={**dict.fromkeys(ours, refusal), **arrival.unshown})


def _refused_before(arrival: Arrival, column: str, path: str) -> Cause | None:
    """Return why the value of a column was left out before, which the record turns out to need."""
    refused = {(gap.refusal.field or "").casefold(): gap.refusal for gap in arrival.gaps if gap.refusal}
    return arrival.left_out.get(path.casefold()) or refused.get(column.casefold())


def _default_paths(new: NewRecords, step: str, arrival: Arrival) -> list[str]:
    """Return the paths of the defaults that the record of a step still has."""
    sobject = "Contact" if step.startswith("contact") else _OBJECTS.get(step, "")
    paths = [default_path(sobject, column) for column in (new.by_object[sobject].defaults if sobject else ())]
    return [path for path in paths if path.casefold() not in arrival.left_out]


def _without_default(arrival: Arrival, path: str, found: Cause) -> Arrival:
    return arrival.without_column(path, Gap(path, _refused(f"The default of {path}", found), refusal=found))


def _without_defaults(arrival: Arrival, paths: Iterable[str], found: Cause) -> Arrival:
    for path in paths:
        arrival = _without_default(arrival, path, found)
    return arrival


def _without_of_person(new: NewRecords, arrival: Arrival, number: int, found: Cause, tries: int) -> Arrival:
    person, column = arrival.people[number], found.field or ""
    part = next((part for part in _BY_DEFAULT if CONTACT_FIELDS[part].casefold() == column.casefold()), None)
    if part and getattr(person, part):
        nothing: dict[str, Any] = {part: "" if part == "first_name" else None}
        people = (*arrival.people[:number], replace(person, **nothing), *arrival.people[number + 1 :])
        gap = Gap("contacts", _refused(f"{column} of {person}", found))
        return replace(arrival, people=people, gaps=(*arrival.gaps, gap))
    path = default_path("Contact", column)
    if new.has_default(path) and path.casefold() not in arrival.left_out:
        return _without_default(arrival, path, found)
    fewer = arrival.without_person(number, found)
    refused = sum(gap.cause.code == CONTACT_REFUSED for gap in fewer.gaps)
    return fewer if refused < tries else replace(fewer, people=())


def _shown_column(file: MappingFile, column: str) -> str | None:
    """Return the column of ours that has this name, if an opportunity can do without it."""
    ours = file.ours
    return next(
        (own for own in (ours.status, ours.audit, ours.link, ours.answer_by) if own.casefold() == column.casefold()),
        None,
    )


def _has_column(field: FieldBase, column: str) -> bool:
    return column.casefold() in map(str.casefold, field.columns())


def _refused(label: str, found: Cause) -> Cause:
    return cause("value_refused", found.field, label=label, reason=found.reason.rstrip("."), remedy=found.remedy)


# --- what only a person can mend


def with_mapping_lines(refusal: Cause, step: str | None, file: MappingFile, org: OrgShape | None) -> Cause:
    """Return the cause with what lets the record be made, which does not exist yet: mostly lines of the mapping file.

    The file gives none to the connector's own columns, which always have a value, and names owners in their own table.
    """
    sobject, field = _OBJECTS.get(step or "", ""), (refusal.field or "").casefold()
    if refusal.code == _NO_VALUE and field == "stagename":
        return replace(refusal, remedy=_ADD_STAGE)
    if not sobject or refusal.code not in (_MISSING, _RULE):
        return refusal
    if field == "ownerid":
        return replace(refusal, remedy=_NAME_OWNER)
    filled = ESSENTIAL | {column.casefold() for column in file.ours.by_role.values()}
    if columns := [name for name in _empty_columns(refusal) if default_path(sobject, name).casefold() not in filled]:
        return replace(refusal, remedy=_lines(refusal, sobject, columns, file.new, org))
    return replace(refusal, remedy=_of_rule(sobject, field)) if refusal.code == _RULE else refusal


def _lines(refusal: Cause, sobject: str, columns: list[str], new: NewRecords, org: OrgShape | None) -> str:
    known = org.required if org else {}
    wanted = {name: known.get(default_path(sobject, name).casefold(), "…") for name in columns}
    listed = ", ".join(columns)
    remedy = f"Give {listed} a value by the mapping file, or a default in Salesforce. The value here is an example."
    if refusal.code == _RULE:
        remedy = f"If the rule asks for a value of {listed}, the mapping file can give it. {_EXCEPT}"
    return f"{remedy}\n{new.by_object[sobject].lines(sobject, wanted)}"


def _of_rule(sobject: str, field: str) -> str:
    """Return what helps against a rule of a whole record, or of a column that always has a value."""
    if not field:
        return f"Give the column that the rule asks for a default under [new.{sobject}] in the mapping file. {_EXCEPT}"
    source = "Change the stage under [[stages]] in the mapping file." if field == "stagename" else _CHANGE_REFERRAL
    return f"{source} {_EXCEPT}"


def _empty_columns(refusal: Cause) -> Iterator[str]:
    listed = _LISTED.search(refusal.reason) if refusal.code == _MISSING else None
    names: Iterable[str] = listed[1].split(",") if listed else [refusal.field or ""]
    yield from (name.strip() for name in names if name.strip())
