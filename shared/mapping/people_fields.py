"""Define the field types for people. Their records are shared, so they are written on create only."""

from copy import replace
from typing import Any, Literal, override

from pydantic import Field

from shared.domain.deal import Person
from shared.domain.field_rules import Direction
from shared.domain.sentences import cause
from shared.mapping.field_base import CreateOnlyField, MappingTable, ReferralPath, SalesforcePath, UnreadableValue
from shared.mapping.paths import Json, in_referral, normal_text, set_value, value_in_record
from shared.mapping.polls import CONTACT, OWNER, ROLE, STAMP, TEAM, TEAM_USER, PollQuery

CONTACT_FIELDS = {
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "Email",
    "phone": "Phone",
    "title": "Title",
}
MEMBER_KEYS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phoneNumber",
    "title": "title",
}
MAX_LENGTHS = {"first_name": 40, "last_name": 80, "email": 80, "phone": 40, "title": 128}
"""The characters that fields of Contact hold. A longer value is cut, so that it does not stop the deal."""


CONTACT_ACCOUNT = "Contact.AccountId"
PERSON = "Account.PersonContact"
"""The contact that a person account is. Only orgs with person accounts have the path."""


class ContactsField(CreateOnlyField):
    """The contacts of the customer: the contact roles of the opportunity, the primary one first.

    Without a role, a person account is its own contact.
    """

    type: Literal["contacts"]
    referral: ReferralPath
    salesforce: Literal["OpportunityContactRoles"]

    @override
    def select_items(self) -> tuple[str, ...]:
        columns = ", ".join(column for column in self.columns() if column not in self._hidden)
        person = (column for column in self._helpful if column.startswith(PERSON))
        return (f"(SELECT IsPrimary, {columns} FROM OpportunityContactRoles)", *person)  # noqa: S608 - our own names only

    @override
    def columns(self) -> tuple[str, ...]:
        return tuple(f"Contact.{column}" for column in CONTACT_FIELDS.values())

    @override
    def helpful_columns(self) -> tuple[str, ...]:
        return CONTACT_ACCOUNT, *(f"{PERSON}.{column}" for column in CONTACT_FIELDS.values())

    @override
    def needed_columns(self) -> tuple[str, ...]:
        return (f"Contact.{CONTACT_FIELDS['last_name']}",)

    @override
    def polls(self) -> tuple[PollQuery, ...]:
        return ROLE, CONTACT

    def without_hidden(self, value: Person) -> Person:
        """Return the person without what Salesforce would hide."""
        hidden = [part for part, column in CONTACT_FIELDS.items() if f"Contact.{column}" in self._hidden]
        empty: dict[str, Any] = {part: "" if part == "first_name" else None for part in hidden}
        return replace(value, **empty) if empty else value

    @override
    def read_record(self, record: Json) -> tuple[Person, ...] | None:
        roles = (value_in_record(record, self.salesforce) or {}).get("records") or []
        primary_first = sorted(roles, key=lambda role: not role.get("IsPrimary"))
        contacts = [role.get("Contact") for role in primary_first] or [value_in_record(record, PERSON)]
        people = (person_from(contact or {}, CONTACT_FIELDS) for contact in contacts)
        return tuple(person for person in people if person) or None

    @override
    def read_referral(self, referral: Json) -> tuple[Person, ...] | None:
        return _people_in(in_referral(referral, self.referral))

    def contact_values(self, value: Person) -> dict[str, Any]:
        """Return the values of a new Contact."""
        values = {CONTACT_FIELDS[part]: getattr(value, part) for part in CONTACT_FIELDS}
        return {name: item for name, item in values.items() if item and self.is_writable(f"Contact.{name}")}

    @override
    def add_to_body(self, value: tuple[Person, ...] | None, body: dict[str, Any]) -> None:
        members = [member_from(person) for person in value or () if person.is_complete]
        if members:
            set_value(body, self.referral, members)


class SellerColumns(MappingTable):
    """The columns of the owner's name, e-mail and phone, as paths from the opportunity."""

    first_name: SalesforcePath
    last_name: SalesforcePath
    email: SalesforcePath
    phone: SalesforcePath


class SellerField(CreateOnlyField):
    """Our own team: the owner of the opportunity, with a default phone. The owner in Salesforce is never written."""

    type: Literal["seller"]
    direction: Literal[Direction.TO_PARTNER_CENTER, Direction.OFF] = Direction.TO_PARTNER_CENTER
    referral: ReferralPath
    salesforce: SellerColumns
    default_phone: str = Field(default="", max_length=40)

    @override
    def select_items(self) -> tuple[str, ...]:
        return tuple(column for column in self.columns() if column not in self._hidden)

    @override
    def columns(self) -> tuple[str, ...]:
        return (*self.needed_columns(), self.salesforce.phone)

    @override
    def polls(self) -> tuple[PollQuery, ...]:
        parent = self.salesforce.email.rpartition(".")[0]
        owner = (replace(OWNER, stamp=f"{parent}.{STAMP}"),) if parent else ()
        return (*owner, TEAM, TEAM_USER)

    @override
    def needed_columns(self) -> tuple[str, ...]:
        columns = self.salesforce
        return (columns.first_name, columns.last_name, columns.email)

    @override
    def read_record(self, record: Json) -> tuple[Person, ...] | None:
        columns = self.salesforce
        last_name, email = (
            normal_text(value_in_record(record, columns.last_name)),
            normal_text(value_in_record(record, columns.email)),
        )
        phone = normal_text(value_in_record(record, columns.phone)) or normal_text(self.default_phone)
        if last_name is None:
            return None
        if email is None:
            raise UnreadableValue(cause("missing_email", columns.email))
        if phone is None:
            self.check_seen(columns.phone)
            raise UnreadableValue(cause("missing_phone", columns.phone))
        first_name = normal_text(value_in_record(record, columns.first_name))
        if first_name is None:
            raise UnreadableValue(cause("missing_first_name", columns.first_name))
        return (Person(last_name, first_name, email, phone),)

    @override
    def read_referral(self, referral: Json) -> tuple[Person, ...] | None:
        return _people_in(in_referral(referral, self.referral))

    @override
    def add_to_body(self, value: tuple[Person, ...] | None, body: dict[str, Any]) -> None:
        set_value(body, self.referral, [member_from(person) for person in value or ()])


def _people_in(value: object) -> tuple[Person, ...] | None:
    """Return the people in a list of Partner Center's members; entries that say nothing are left out."""
    members = value if isinstance(value, list) else []
    people = (person_from(member, MEMBER_KEYS) for member in members if isinstance(member, dict))
    return tuple(person for person in people if person) or None


def person_from(record: Json, names: dict[str, str]) -> Person | None:
    """Return the person in a contact or a team member; None if it says nothing about a person.

    A person without any name is named by what is there of e-mail address, phone number and title.

    `names` gives the key of each part in `record`.
    """
    parts = {part: normal_text(record.get(name), MAX_LENGTHS[part]) for part, name in names.items()}
    if len(normal_text(record.get(names["email"])) or "") > MAX_LENGTHS["email"]:
        parts["email"] = None  # a shortened address would be another address
    first_name, last_name = parts.pop("first_name"), parts.pop("last_name")
    if last_name is not None:
        return Person(last_name, first_name or "", **parts)
    only_name = next(filter(None, (first_name, parts["email"], parts["phone"], parts["title"])), None)
    return Person(only_name, "", **parts) if only_name else None


def parts_cut(record: Json, names: dict[str, str]) -> frozenset[str]:
    """Return the parts of a person that are longer in a contact or a team member than they may be."""
    lengths = {part: len(normal_text(record.get(name)) or "") for part, name in names.items()}
    return frozenset(part for part, length in lengths.items() if length > MAX_LENGTHS[part])


def member_from(person: Person) -> dict[str, Any]:
    """Return the person as a team member of Partner Center."""
    values = {MEMBER_KEYS[part]: getattr(person, part) for part in MEMBER_KEYS}
    return {name: item for name, item in values.items() if item}
