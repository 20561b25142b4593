"""Person accounts: accounts that are people, each with a contact of its own.

The rules: docs/reference/salesforce.md#person-accounts-and-record-types.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from emulators.salesforce.data.errors import ApiError, field_not_writable
from emulators.salesforce.data.field_shapes import checkbox_field, phone_field, reference_field, text_field
from emulators.salesforce.data.org_switch import OrgSwitch, Save, Saver
from emulators.salesforce.data.record_types import OBJECT as RECORD_TYPE
from emulators.salesforce.data.record_types import add_record_type
from emulators.salesforce.data.schema import Field, Kind, Record
from emulators.salesforce.data.tables import Tables

_CONTACT_FIELDS = {
    "FirstName": "FirstName", "LastName": "LastName", "PersonEmail": "Email", "PersonTitle": "Title",
    "PersonMobilePhone": "MobilePhone", "Phone": "Phone",
}  # fmt: skip
"""The fields of the account that its contact shares, and their names there."""
_OWN = "IsPersonAccount"
"""The field of a contact that only the save of its account writes."""


@dataclass(frozen=True, slots=True)
class PersonAccounts(OrgSwitch):
    """The feature as it is after Salesforce switched it on; nobody can switch it off again."""

    def complete(self, save: Save) -> None:
        """Derive the kind and the name of an account, and refuse fields of the other kind. Raises ApiError."""
        if save.definition.name == "Contact":
            _check_contact(save)
        if save.definition.name != "Account":
            return
        save.new["IsPersonAccount"] = is_person = _is_person_type(save)
        if save.old is not None and save.old["IsPersonAccount"] is not is_person:
            message = f"Record Type ID: this ID value isn't valid for the user: {save.new['RecordTypeId']}"
            raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", message, ["RecordTypeId"])
        if is_person:
            _complete_person(save)
        elif wrong := sorted(save.written & {each.name for each in _person_fields()}):
            message = f"Account: bad field names on insert/update call: {', '.join(wrong)}"
            raise ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, wrong)

    def check_deletion(self, sobject: str, record: Record) -> None:
        """Refuse to delete the contact of a person without its account. Raises ApiError."""
        if sobject == "Contact" and is_person(record):
            raise _refusal("contact")

    def follow(self, save: Save, saver: Saver) -> None:
        """Make or change the contact of a person account."""
        if save.definition.name != "Account" or not save.new["IsPersonAccount"]:
            return
        shared = {contact: save.new[account] for account, contact in _CONTACT_FIELDS.items()} | {_OWN: True}
        if save.new["PersonContactId"]:
            saver.update("Contact", save.new["PersonContactId"], shared, save.user, system=True)
            return
        values = {**shared, "AccountId": save.new["Id"]}
        contact = saver.insert("Contact", values, save.user, system=True)
        saver.put("Account", save.new["Id"], save.new | {"PersonContactId": contact})


def _check_contact(save: Save) -> None:
    """Refuse changes of a person's contact, and contacts of a person, unless the account's own save makes them."""
    if _OWN in save.written:
        return
    if save.old is not None and is_person(save.old):
        raise _refusal("contact")
    account = save.tables.stored_record("Account", save.new["AccountId"] or "")
    if "AccountId" in save.written and account and is_person(account):
        raise _refusal("account")


def _refusal(kind: str) -> ApiError:
    return ApiError(400, "INVALID_PERSON_ACCOUNT_OPERATION", f"cannot reference person {kind}", [])


def _complete_person(save: Save) -> None:
    if "Name" in save.written:
        raise field_not_writable("Name")
    if not save.new["LastName"]:
        raise ApiError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"])
    save.new["Name"] = " ".join(part for part in (save.new["FirstName"], save.new["LastName"]) if part)


def _is_person_type(save: Save) -> bool:
    record_type = save.tables.stored_record(RECORD_TYPE, save.new["RecordTypeId"] or "")
    return bool(record_type and record_type["IsPersonType"])


def _person_fields() -> Iterator[Field]:
    yield text_field("FirstName", 40, "First Name")
    yield text_field("LastName", 80, "Last Name")
    yield Field("PersonEmail", Kind.EMAIL, "Email", 80)
    yield text_field("PersonTitle", 80, "Title")
    yield phone_field("PersonMobilePhone")


def add_person_columns(tables: Tables) -> None:
    """Add the columns of the feature to accounts, contacts and record types."""
    account = tables.model.get("Account")
    add_record_type(tables, account)
    tables.put_field(RECORD_TYPE, checkbox_field("IsPersonType"))
    for sobject in ("Account", "Contact"):
        tables.put_field(sobject, checkbox_field("IsPersonAccount", writable=False))
    for each in _person_fields():
        tables.put_field("Account", each)
    link = replace(reference_field("PersonContact", "Contact", writable=False), relationship="PersonContact")
    tables.put_field("Account", link)


def is_person(record: Record) -> bool:
    """Whether an account or a contact is one person, in an org with the feature."""
    return bool(record.get("IsPersonAccount"))
