"""Check that Salesforce lets the integration user create the records of a deal that arrives, with what a deal has.

Source: docs/reference/salesforce.md#standard-objects. What a layout or a validation rule demands, `describe` does not
say: the inbox tells it with the first deal.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from shared.clients.salesforce.duplicate_rules import DuplicateRule, active_rules
from shared.clients.salesforce.org_columns import active_values
from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.domain.deal import Side
from shared.mapping.company_field import CompanyField
from shared.mapping.field_base import FieldBase
from shared.mapping.new_records import ALWAYS_FILLED, NewRecord
from shared.mapping.paths import own_name
from shared.mapping.people import CONTACT_FIELDS
from shared.mapping.people_fields import ContactsField
from shared.mapping.schema import DEFAULT, MappingFile
from shared.mapping.source import MappingSource

ROLE = "OpportunityContactRole"
FIXED = {
    "Opportunity": ("AccountId",),
    "Contact": ("AccountId",),
    ROLE: ("OpportunityId", "ContactId", "IsPrimary"),
}
"""The columns that tie the records of a deal together. The sync fills them in each."""
_ANSWERS = {
    "Account": "an account that it names is used if it is surely the same, else the inbox shows the candidates",
    "Contact": "the match on the account is used, else the contact is saved all the same",
}
"""What the sync does where a rule stops a new record (docs/protocol.md#the-customers-account)."""
_BLOCKED_CONTACT = "the match on the account is used, else the deal arrives without the contact"
_FILL = (
    "In the mapping file, let a field travel to Salesforce into the column, or name a default for it: "
    'a table [new.OBJECT] with defaults = { Column = "value" } (docs/mapping.md).'
)
_CORRECT = "Correct the defaults in the mapping file, or give the user the right to the column."
_SHOW = "Give the integration user the right to edit the column, in a permission set of your own."


def check_new_records(installation: Installation) -> Verdict:
    """Check that every column without which a new record is refused gets a value, and may be written."""
    file = installation.app.translation.file
    unfilled = [
        fault
        for sobject in ("Opportunity", "Account", *_people(file))
        for fault in _unfilled(installation, file, sobject)
    ]
    unusable = [fault for sobject, new in file.new.by_object.items() for fault in _unusable(installation, sobject, new)]
    closed = [fault for sobject in ("Opportunity", *_people(file)) for fault in _closed(installation, sobject)]
    if faults := (*unfilled, *unusable, *closed):
        told = ((unfilled, _FILL), (unusable, _CORRECT), (closed, _SHOW))
        return failed("; ".join(faults), " ".join(remedy for found, remedy in told if found))
    return ok("a deal that arrives fills every column that a new record needs")


def _people(file: MappingFile) -> tuple[str, ...]:
    """The objects of contacts: none are made if the file has no field of contacts."""
    return ("Contact", ROLE) if any(isinstance(field, ContactsField) for field in file.fields.values()) else ()


def _unusable(installation: Installation, sobject: str, new: NewRecord) -> Iterator[str]:
    """Yield what is wrong with the defaults of the mapping file. The sync leaves such a default out, or is refused."""
    visible = installation.visible_fields(sobject)
    for name, value in new.defaults.items():
        column, key = visible.get(name.casefold(), {}), f"new.{sobject}.defaults: {name}"
        if not column.get("createable"):
            yield f"{key} does not exist, or the user may not write it"
        elif column.get("restrictedPicklist") and str(value) not in active_values(column):
            yield f"{key} is a picklist without the value {value!r}"


def _closed(installation: Installation, sobject: str) -> Iterator[str]:
    visible = installation.visible_fields(sobject)
    for name in FIXED[sobject]:
        if not visible.get(name.lower(), {}).get("createable"):
            yield f"{sobject}.{name} does not exist, or the user may not write it"


def _unfilled(installation: Installation, file: MappingFile, sobject: str) -> Iterator[str]:
    always, sometimes, never = _filled_columns(file, sobject)
    table = file.new.by_object.get(sobject, NewRecord())
    defaults = {name.casefold() for name in table.defaults}
    for key, column in installation.visible_fields(sobject).items():
        if not _is_required(column) or key in always or key in defaults:
            continue
        name = f"{sobject}.{column['name']}"
        if key in never:
            yield f"{name} is required, and fields.{never[key]} ({_place(installation, never[key])}) does not fill it"
        elif key in sometimes:
            yield f"{name} is required, and fields.{sometimes[key]} leaves it empty where the referral has no value"
        else:
            yield f"{name} is required, and nothing fills it"


def _is_required(column: Mapping[str, Any]) -> bool:
    """Whether a new record needs a value in the column. A checkbox always has one."""
    needs_none = column.get("nillable") or column.get("defaultedOnCreate") or column.get("type") == "boolean"
    return bool(column.get("createable")) and not needs_none


def _filled_columns(file: MappingFile, sobject: str) -> tuple[Collection[str], dict[str, str], dict[str, str]]:
    """Return the columns, in lower case, that are always filled; and what fills others sometimes, or never."""
    always = {name.lower() for name in FIXED.get(sobject, ())}
    if sobject == "Opportunity":
        always |= {file.ours.flag.lower(), file.ours.identifier.lower()}
    sometimes, never = dict[str, str](), dict[str, str]()
    for name, field in file.fields.items():
        for column, is_sure in _columns_of(name, field, sobject):
            if not (field.direction.owns(Side.PARTNER_CENTER) and "create" in field.when):
                never.setdefault(column.lower(), name)
            elif is_sure:
                always.add(column.lower())
            else:
                sometimes.setdefault(column.lower(), name)
    return always, sometimes, never


def _columns_of(name: str, field: FieldBase, sobject: str) -> Iterator[tuple[str, bool]]:
    """Yield the columns of an object that a field maps, and whether every deal that arrives has a value for each."""
    if isinstance(field, CompanyField):
        if sobject == "Account":
            names = {path: own_name(path) for path in field.columns()}
            yield from ((column, path == field.salesforce.name) for path, column in names.items())
    elif isinstance(field, ContactsField):
        if sobject == "Contact":
            yield from ((column, part == "last_name") for part, column in CONTACT_FIELDS.items())
    elif sobject == "Opportunity":
        yield from ((path, name in ALWAYS_FILLED) for path in field.columns() if "." not in path)


def _place(installation: Installation, name: str) -> str:
    """Return where the mapping file says how far a field travels."""
    source = MappingSource(installation.settings.sync.mapping or DEFAULT)
    places = [("fields", name, key) for key in ("direction", "when")]
    found = next((place for place in places if source.lines.has(place)), ("fields", name))
    return f"{source.name}, line {source.lines.line_of(found)}"


def check_duplicate_rules(installation: Installation) -> Verdict:
    """Say which duplicate rules are active, and what the sync does about them: none of them loses a deal.

    Source: docs/protocol.md#the-customers-account.
    """
    rules = {sobject: active_rules(installation.salesforce, sobject) for sobject in ("Account", "Contact")}
    untold = [sobject for sobject, found in rules.items() if found is None]
    if untold:
        return skipped(f"the user may not read the rules of {', '.join(untold)}: look at Setup, Duplicate Rules")
    active = [rule for found in rules.values() for rule in found or ()]
    return ok("; ".join(map(_told, active)) or "no duplicate rule is active for accounts and contacts")


def _told(rule: DuplicateRule) -> str:
    is_blocked_contact = rule.blocks and rule.sobject == "Contact"
    answer = _BLOCKED_CONTACT if is_blocked_contact else _ANSWERS[rule.sobject]
    return f"{rule.name} {'blocks' if rule.blocks else 'alerts'}: {answer}"
