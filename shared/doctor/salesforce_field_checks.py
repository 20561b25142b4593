"""Check the fields of the Salesforce org: our own fields, and those that the mapping file names.

The names of the types: docs/reference/salesforce.md#custom-fields-in-metadata.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared import __version__
from shared.clients.salesforce.org_shape import VERSION_COLUMN
from shared.doctor.finding import Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.doctor.salesforce_checks import PERMISSIONS
from shared.domain.currencies import CENT
from shared.domain.deal import Money, Side
from shared.domain.field_rules import Direction
from shared.domain.org_shape import MARKS, Column
from shared.foundation.errors import NotFound
from shared.mapping import inbox_record
from shared.mapping.field_base import FieldBase
from shared.mapping.money_field import CURRENCY_COLUMN, MoneyField

FIRST_WITH_VERSION = "0.4.0"
"""The first package that carries its version."""
DEPLOY = "Run `cosell salesforce deploy`, then assign the permission set Cosell_Integration to the integration user."
FIELD_TYPES: Mapping[str, frozenset[str]] = {
    "flag": frozenset({"boolean"}),
    "identifier": frozenset({"string"}),
    "link": frozenset({"url", "string"}),
    "status": frozenset({"string", "picklist"}),
    "audit": frozenset({"textarea"}),
    "help": frozenset({"picklist", "string"}),
    "partner_center_amount": frozenset({"double"}),
    "partner_center_currency": frozenset({"string", "picklist"}),
    "reason": frozenset({"picklist", "string"}),
    "reason_details": frozenset({"string", "textarea"}),
    "visible": frozenset({"boolean"}),
    "notes_to_microsoft": frozenset({"textarea", "string"}),
    "consents": frozenset({"boolean"}),
    "answer_by": frozenset({"datetime"}),
    "microsoft_status": frozenset({"picklist", "string"}),
    "microsoft_crm_identifier": frozenset({"string"}),
    "microsoft_seller": frozenset({"string", "textarea"}),
    "microsoft_notes": frozenset({"textarea"}),
    "microsoft_answer_by": frozenset({"datetime"}),
}
"""The types that each of our own fields may have, as `describe` names them."""
LOG_ONLY = "deals that cannot be made are shown in the log and by the alert only"
_INBOX_RIGHTS = ("createable", "updateable", "deletable")


def check_our_fields(installation: Installation) -> Verdict:
    """Check that our own fields exist, have the right type and are writable, and that the identifier is unique."""
    ours = installation.app.translation.file.ours.model_dump()
    visible = installation.visible_fields("Opportunity")
    faults = [fault for role, name in ours.items() for fault in _faults_of_our_field(role, name, visible)]
    if missing := MARKS.intersection(installation.org_shape.missing):
        faults.append(f"{ours['status']} lacks the value {', '.join(sorted(missing))}")
    if faults:
        return failed("; ".join(faults), DEPLOY)
    return ok(f"all {len(ours)} exist; {ours['identifier']} is an external id and unique")


def _faults_of_our_field(role: str, name: str, visible: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    description = visible.get(name.lower())
    if description is None:
        yield f"{name} does not exist, or the user may not see it"
        return
    if description.get("type") not in FIELD_TYPES[role]:
        yield f"{name} is of type {description.get('type')}, not {' or '.join(sorted(FIELD_TYPES[role]))}"
    if role == "identifier" and not (description.get("externalId") and description.get("unique")):
        yield f"{name} is not both an external id and unique"
    if not (description.get("createable") and description.get("updateable")):
        yield f"{name} may not be written by the user"


def check_package(installation: Installation) -> Verdict:
    """Check which version of the package the org has. The app runs on an earlier one, without what that one lacks.

    Source: docs/salesforce-package.md#another-version-than-the-apps.
    """
    shape = installation.org_shape
    if shape.package is None:
        found = f"the package in the org has no version, so it is earlier than {FIRST_WITH_VERSION}"
        return failed(f"{found}, or the user may not see {VERSION_COLUMN}", DEPLOY)
    if shape.package == __version__:
        return ok(f"version {shape.package}, as the app")
    found = f"version {shape.package}, and the app has {__version__}"
    if shape.missing:
        return failed(f"{found}; the org lacks {', '.join(shape.missing)}", DEPLOY)
    return ok(f"{found}; the org has all that the app uses")


def check_inbox(installation: Installation) -> Verdict:
    """Check that the org has the inbox of the package, and that the integration user may write and delete its records.

    The sync works without it (docs/salesforce-package.md#the-inbox).
    """
    try:
        description = installation.describe_object(inbox_record.OBJECT)
    except NotFound:
        finding = f"the org has no object {inbox_record.OBJECT}, or the user may not see it: {LOG_ONLY}"
        return failed(finding, DEPLOY)
    visible = installation.visible_fields(inbox_record.OBJECT)
    names = (inbox_record.KEY, *inbox_record.COLUMNS)
    faults = [f"{name} does not exist, or the user may not see it" for name in names if name.lower() not in visible]
    key = visible.get(inbox_record.KEY.lower())
    if key and not (key.get("externalId") and key.get("unique")):
        faults.append(f"{inbox_record.KEY} is not both an external id and unique")
    faults += [f"records are not {right}" for right in _INBOX_RIGHTS if not description.get(right)]
    if faults:
        return failed(f"{inbox_record.OBJECT}: {'; '.join(faults)}: {LOG_ONLY}", DEPLOY)
    return ok(f"{inbox_record.OBJECT} shows the deals that cannot be made")


def check_mapped_fields(installation: Installation) -> Verdict:
    """Check that every field in the mapping file is visible, and writable if its value goes to Salesforce.

    An optional field whose column the org lacks is off, which is no fault.
    """
    fields, absent = installation.app.translation.fields, installation.translation.absent
    used = {n: field for n, field in fields.items() if field.direction is not Direction.OFF and n not in absent}
    faults = [fault for name, field in used.items() for fault in _faults_of_mapped_field(installation, name, field)]
    if faults:
        return failed("; ".join(faults), f"Correct the mapping file (docs/mapping.md), or: {PERMISSIONS}")
    off = f"; off, because the org lacks their column: {', '.join(absent)}" if absent else ""
    return ok(f"the Salesforce fields of {len(used)} mapped fields exist{off}")


def _faults_of_mapped_field(installation: Installation, name: str, field: FieldBase) -> Iterator[str]:
    for path in field.columns():
        if path == CURRENCY_COLUMN:
            continue  # the currency has a check of its own
        column = installation.org_shape.column(path)
        if column is None:
            yield f"{name}: {path} does not exist, or the user may not see it"
        elif path in field.written_columns() and (fault := _write_fault(field, column)):
            yield f"{name}: {path} {fault}"


def _write_fault(field: FieldBase, column: Column) -> str | None:
    """Why a value from Partner Center cannot stand in the column. Records of accounts and contacts never change."""
    if not field.direction.owns(Side.PARTNER_CENTER):
        return None
    if "create" in field.when and not column.createable:
        return "may not be written by the user on a new record"
    if "update" in field.when and not column.updateable:
        return "may not be written by the user"
    return None


def check_currency_field(installation: Installation) -> Verdict:
    """Check that the org names its currencies, and that the mapping file agrees with it.

    Which orgs have a column for the currency: docs/reference/salesforce.md#currencies.
    """
    translation = installation.app.translation
    field = next(field for field in translation.fields.values() if isinstance(field, MoneyField))
    org = installation.org_shape.currencies
    _, *column = field.for_org(org).select_items()
    if column and column[0].lower() not in installation.visible_fields("Opportunity"):
        return failed(f"the currency field {column[0]} does not exist, or the user may not see it", PERMISSIONS)
    if not column and (fault := _fault_of_only_currency(org.only_one, field.salesforce.fixed_currency)):
        return fault
    if field.convert and field.for_org(org).is_foreign(Money(CENT, field.convert.to)):
        found = f"amounts are converted to {field.convert.to}, which this org does not use"
        return failed(found, "Set another currency in fields.money.convert.to in the mapping file.")
    return ok(f"read from {column[0]}" if column else f"always {org.only_one or field.salesforce.fixed_currency}")


def _fault_of_only_currency(named: str | None, fixed: str | None) -> Verdict | None:
    """The fault of an org with one currency; `named` is the org's answer, `fixed` is in the mapping file."""
    if named is None and fixed is None:
        found = "the org has one currency and does not name it"
        return failed(found, "Set fixed_currency for the money field in the mapping file (docs/mapping.md).")
    if named and fixed and named != fixed:
        found = f"the org's only currency is {named}, but the mapping file sets {fixed}"
        return failed(found, "Remove fixed_currency from the mapping file, or correct it.")
    return None
