"""Check the mapping file against the live org and the rules of Partner Center: what `cosell mapping check` adds.

The other checks of the command are those of the doctor. Source: docs/reference/salesforce.md#standard-objects.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared import __version__
from shared.clients.salesforce.org_columns import active_values
from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.domain.deal import Side
from shared.domain.field_rules import Direction
from shared.mapping.attribute_field import AttributeField
from shared.mapping.field_base import FieldBase
from shared.mapping.field_types import DateField, LimitedText, StatusField
from shared.mapping.money_field import MoneyField
from shared.mapping.sales_stage_field import PERCENTAGES, SalesStageField
from shared.mapping.solution_ids import spell_id, split_ids
from shared.mapping.solutions_field import SolutionsField

MOST_OPPORTUNITIES = 2000
"""So many ticked opportunities are read for their solution ids, the last saved ones first."""
SHOWN = 5
"""So many wrong values are named."""
_TEXTS = frozenset({"string", "textarea", "picklist", "combobox", "phone", "url", "email", "encryptedstring"})
_NUMBERS = frozenset({"currency", "double", "int"})
_TYPES: tuple[tuple[type[FieldBase], frozenset[str]], ...] = (
    (LimitedText, _TEXTS),
    (DateField, frozenset({"date", "datetime"})),
    (MoneyField, _NUMBERS),
    (StatusField, frozenset({"picklist"})),
    (AttributeField, frozenset({"picklist", "string"})),
    (SalesStageField, frozenset({"picklist", "string", "double", "int", "percent"})),
    (SolutionsField, frozenset({"string", "textarea"})),
)
"""The types that the first column of each type of field may have, as `describe` names them."""
_CHANGE_COLUMN = "Name another column in the mapping file (docs/mapping.md#types), or a lower length."
_LIST_BOTH = (
    "In the mapping file, list each value of the picklist under `values` of the field; or, in Setup, deactivate the "
    "values that nobody may choose. Each value needs its counterpart in both directions."
)
_NAME_IDS = "Correct the ids in the opportunities, or the file's catalog (docs/mapping.md#solution-ids)."


def check_column_types(installation: Installation) -> Verdict:
    """Check that each mapped column of the opportunity can hold the values of its field, at their full length."""
    faults = [
        f"{name}: {fault}" for name, field, column in _mapped(installation) for fault in _type_faults(field, column)
    ]
    return failed("; ".join(faults), _CHANGE_COLUMN) if faults else ok("each column can hold what its field writes")


def _mapped(installation: Installation) -> Iterator[tuple[str, FieldBase, Mapping[str, Any]]]:
    """Yield the fields that travel, each with the description of its first column, if that is the opportunity's own."""
    visible = installation.visible_fields("Opportunity")
    for name, field in installation.translation.fields.items():
        column = next(iter(field.columns()), "")
        if field.direction is not Direction.OFF and column.casefold() in visible:
            yield name, field, visible[column.casefold()]


def _type_faults(field: FieldBase, column: Mapping[str, Any]) -> Iterator[str]:
    known = next((types for kind, types in _TYPES if isinstance(field, kind)), None)
    if known and column.get("type") not in known:
        yield f"{column['name']} is of type {column.get('type')}, not {' or '.join(sorted(known))}"
        return
    longest, limit = getattr(field, "length", None), column.get("length")
    if field.direction.owns(Side.PARTNER_CENTER) and longest and limit and longest > limit:
        yield f"length = {longest}, but {column['name']} holds {limit} characters"


def check_value_lists(installation: Installation) -> Verdict:
    """Check that every value of a picklist has its counterpart in Partner Center, and the reverse.

    What a restricted picklist lacks, another check says (`picklist_checks`).
    """
    faults = [
        f"{name}: {fault}" for name, field, column in _mapped(installation) for fault in _list_faults(field, column)
    ]
    return failed("; ".join(faults), _LIST_BOTH) if faults else ok("each listed value has its counterpart")


def _list_faults(field: FieldBase, column: Mapping[str, Any]) -> Iterator[str]:
    listed = _listed_values(field)
    if listed is None or column.get("type") != "picklist":
        return
    offered = {value.casefold(): value for value in active_values(column)}
    known = {value.casefold(): value for value in listed}
    if field.direction.owns(Side.SALESFORCE) and (unknown := offered.keys() - known.keys()):
        yield f"{column['name']} offers {_quoted(offered[key] for key in unknown)}, which the file does not list"
    if field.direction.owns(Side.PARTNER_CENTER) and (lacking := known.keys() - offered.keys()):
        yield f"{column['name']} does not offer {_quoted(known[key] for key in lacking)}, which the file lists"


def _listed_values(field: FieldBase) -> tuple[str, ...] | None:
    """Return the only values that a field can have in Salesforce; None if it takes any."""
    if isinstance(field, SalesStageField):
        return PERCENTAGES
    values = getattr(field, "values", None)
    return tuple(values) if isinstance(values, Mapping) else None


def _quoted(values: Iterator[str]) -> str:
    return ", ".join(map(repr, sorted(values)))


def check_solution_ids(installation: Installation) -> Verdict:
    """Check that the ids of the catalogue in the file, and those that sellers typed, have a known form."""
    field = next(each for each in installation.translation.fields.values() if isinstance(each, SolutionsField))
    wrong = [f"fields.solutions.catalog: {key!r}" for key in field.catalog if spell_id(key) is None]
    count = 0
    if field.related_list is None:
        typed = _typed_ids(installation, field.salesforce)
        count = len(typed)
        wrong += [f"{len(ids)} x {text!r}, such as {ids[0]}" for text, ids in typed.items() if spell_id(text) is None]
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        return failed(f"no solution ids: {'; '.join(wrong[:SHOWN])}{more}", _NAME_IDS)
    return ok(f"{len(field.catalog)} ids of the catalogue and {count} of ticked opportunities have a known form")


def _typed_ids(installation: Installation, column: str) -> dict[str, list[str]]:
    """Return what sellers typed into the column, each id with the opportunities that have it."""
    flag = installation.translation.file.ours.flag
    soql = (
        f"SELECT Id, {column} FROM Opportunity WHERE {flag} = true "  # noqa: S608 - columns of the mapping file
        f"ORDER BY LastModifiedDate DESC LIMIT {MOST_OPPORTUNITIES}"
    )
    found = dict[str, list[str]]()
    for page in installation.salesforce.query(soql).pages:
        for record in page.records:
            for text in split_ids(str(record.get(column) or "")):
                found.setdefault(text, []).append(str(record["Id"]))
    return found


def check_latches(installation: Installation) -> Verdict:
    """Say which edits Partner Center takes at a new referral only, or may refuse. It never fails.

    Source: docs/reference/partner-center.md#fields-that-lock, docs/protocol.md#fixed-paths.
    """
    rules = [rule for rule in installation.app.translation.rules if rule.direction.owns(Side.SALESFORCE)]
    refused = installation.app.store.side_state(Side.PARTNER_CENTER).fixed_paths(__version__)
    groups = (
        ("sent with a new referral only", [rule.field for rule in rules if not rule.on_update]),
        ("locked once Microsoft sees the deal", [rule.field for rule in rules if rule.is_locked_by_sharing]),
        ("Partner Center's list of changes does not name", [r.field for r in rules if r.on_update and r.unlisted]),
        ("Partner Center took no change of", [r.field for r in rules if not r.unlisted.isdisjoint(refused)]),
    )
    return ok("; ".join(f"{meaning}: {', '.join(names)}" for meaning, names in groups if names) or "none applies")
