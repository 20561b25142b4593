"""Checks of the fields: our own, and those that the mapping file names (reference/salesforce.md 2.17, 5.2)."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.doctor.salesforce_checks import PERMISSIONS
from shared.domain.deal import Side
from shared.domain.field_rules import Direction
from shared.mapping.field_types import FieldBase, MoneyField
from shared.mapping.people_fields import CompanyField, ContactsField

DEPLOY = "Run `cosell salesforce deploy`, then assign the permission set Cosell_Integration to the integration user."
KINDS: Mapping[str, frozenset[str]] = {
    "flag": frozenset({"boolean"}),
    "identifier": frozenset({"string"}),
    "link": frozenset({"url", "string"}),
    "status": frozenset({"string", "picklist"}),
    "audit": frozenset({"textarea"}),
    "help": frozenset({"picklist", "string"}),
}
"""The types, as describe names them, that each of our own fields may have."""


def check_our_fields(patient: Installation) -> Verdict:
    """Our own fields are there, of the right type, writable, and the identifier is an external id and unique."""
    ours = patient.app.translation.file.ours.model_dump()
    columns = patient.visible_fields("Opportunity")
    faults = [fault for role, name in ours.items() for fault in _faults(role, name, columns)]
    if faults:
        return failed("; ".join(faults), DEPLOY)
    return ok(f"all {len(ours)} are there; {ours['identifier']} is an external id and unique")


def _faults(role: str, name: str, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    column = columns.get(name.lower())
    if column is None:
        yield f"{name} is not there, or the user may not see it"
        return
    if column.get("type") not in KINDS[role]:
        yield f"{name} is of type {column.get('type')}, not {' or '.join(sorted(KINDS[role]))}"
    if role == "identifier" and not (column.get("externalId") and column.get("unique")):
        yield f"{name} is not both an external id and unique"
    if not (column.get("createable") and column.get("updateable")):
        yield f"{name} may not be written by the user"


def check_mapped_fields(patient: Installation) -> Verdict:
    """Every column that the mapping file reads is visible; what travels to Salesforce is writable."""
    used = {name: f for name, f in patient.app.translation.fields.items() if f.direction is not Direction.OFF}
    faults = [fault for name, field in used.items() for fault in _unmapped(patient, name, field)]
    if faults:
        return failed("; ".join(faults), f"Mend the mapping file (docs/mapping.md), or: {PERMISSIONS}")
    return ok(f"the columns of {len(used)} mapped fields are there")


def _unmapped(patient: Installation, name: str, field: FieldBase) -> Iterator[str]:
    written = field.direction.owns(Side.PARTNER_CENTER) and not isinstance(field, CompanyField | ContactsField)
    for item in field.selects():
        if item.startswith("(") or (isinstance(field, MoneyField) and item == field.salesforce.currency):
            continue  # children come with their own object; the currency has a check of its own
        column = _column(patient, "Opportunity", item)
        if column is None:
            yield f"{name}: {item} is not there, or the user may not see it"
        elif written and not column.get("updateable") and "." not in item:
            yield f"{name}: {item} may not be written by the user"


def _column(patient: Installation, sobject: str, path: str) -> Mapping[str, Any] | None:
    """The description of a column, reached through parents where the path has dots."""
    parent, dot, rest = path.partition(".")
    if not dot:
        return patient.visible_fields(sobject).get(path.lower())
    for column in patient.visible_fields(sobject).values():
        if str(column.get("relationshipName")).lower() == parent.lower() and column.get("referenceTo"):
            # An owner may be a queue too: the user is what we read.
            targets = column["referenceTo"]
            return _column(patient, "User" if "User" in targets else targets[0], rest)
    return None


def check_currency_field(patient: Installation) -> Verdict:
    """The currency comes from a field only where the org has several."""
    money = next(f for f in patient.app.translation.fields.values() if isinstance(f, MoneyField))
    there = "currencyisocode" in patient.visible_fields("Opportunity")
    named = money.salesforce.currency
    if named is None and there:
        return failed(
            f"the org has several currencies, but the mapping file says {money.salesforce.fixed_currency} for all",
            'Set currency = "CurrencyIsoCode" for the money field in the mapping file.',
        )
    if named and patient.visible_fields("Opportunity").get(named.lower()) is None:
        return failed(
            f"the currency field {named} is not there: the org has one currency",
            "Set fixed_currency instead of currency for the money field in the mapping file (docs/mapping.md).",
        )
    return ok(f"read from {named}" if named else f"always {money.salesforce.fixed_currency}")
