"""Define the field type for the contacts of the customer: the contact roles of the opportunity.

Source: docs/protocol.md#customer-contacts.
"""

from collections.abc import Iterable, Mapping
from copy import replace
from typing import Any, Literal, override

from shared.domain.deal import Person
from shared.domain.field_rules import Rule
from shared.domain.member_sets import Member
from shared.domain.records import Row
from shared.mapping.paths import Json, rows_in, value_in_record
from shared.mapping.people import (
    CONTACT_ACCOUNT,
    CONTACT_FIELDS,
    MOST_MEMBERS,
    PERSON,
    PeopleField,
    person_from,
    person_key,
)
from shared.mapping.polls import CONTACT, ROLE, PollQuery
from shared.mapping.related_list import ContactRows

_ADDRESS = f"Contact.{CONTACT_FIELDS['email']}"


class ContactsField(ContactRows, PeopleField):
    """The contacts of the customer: the contact roles of the opportunity, the primary one first.

    Without a role, a person account is its own contact.
    """

    type: Literal["contacts"]
    salesforce: Literal["OpportunityContactRoles"]

    @override
    def to_rule(self, name: str) -> Rule:
        return replace(super().to_rule(name), is_locked_by_sharing=True, fits=_fits)

    @property
    @override
    def related_list(self) -> str | None:
        return self.salesforce if "update" in self.when else None

    @property
    @override
    def _sees_accounts(self) -> bool:
        return CONTACT_ACCOUNT in self._helpful

    @property
    @override
    def makes_contacts(self) -> bool:
        return self.related_list is None or self.is_writable(_ADDRESS)

    @property
    @override
    def read_only_columns(self) -> frozenset[str]:
        """The columns that are told as such; people whose address cannot be written are left out, and told so."""
        return super().read_only_columns - (frozenset() if self.makes_contacts else {_ADDRESS})

    @property
    @override
    def _has_person_accounts(self) -> bool:
        return any(column.startswith(PERSON) for column in self._helpful)

    @override
    def select_items(self) -> tuple[str, ...]:
        columns = ", ".join(column for column in self.columns() if column not in self._hidden)
        person = (column for column in self._helpful if column.startswith(PERSON))
        return (f"(SELECT Id, ContactId, IsPrimary, {columns} FROM OpportunityContactRoles)", *person)  # noqa: S608 - our own names only

    @override
    def columns(self) -> tuple[str, ...]:
        return tuple(f"Contact.{column}" for column in CONTACT_FIELDS.values())

    @override
    def helpful_columns(self) -> tuple[str, ...]:
        return CONTACT_ACCOUNT, *(f"{PERSON}.{column}" for column in CONTACT_FIELDS.values())

    @override
    def needed_columns(self) -> tuple[str, ...]:
        """Return the last name, and for a list that is compared the address, by which people are matched."""
        parts = ("last_name", "email") if "update" in self.when else ("last_name",)
        return tuple(f"Contact.{CONTACT_FIELDS[part]}" for part in parts)

    @override
    def is_partial_in(self, record: Json) -> bool:
        """Whether the contact of a role cannot be seen: its role is no removal of the person."""
        return self.has_unseen_in(record)

    @override
    def has_unseen_in(self, record: Json) -> bool:
        return any(not role.get("Contact") for role in rows_in(record, self.salesforce))

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
        people = (person_from(role.get("Contact") or {}, CONTACT_FIELDS) for role in self._roles(record))
        listed = tuple(person for person in people if person)
        own = None if self._roles(record) else person_from(value_in_record(record, PERSON) or {}, CONTACT_FIELDS)
        return listed or ((own,) if own else None)

    def _roles(self, record: Json) -> list[Json]:
        """Return the contact roles, the primary one first."""
        return sorted(rows_in(record, self.salesforce), key=lambda role: not role.get("IsPrimary"))

    @override
    def read_rows(self, record: Json) -> tuple[Row, ...]:
        people = ((role, person_from(role.get("Contact") or {}, CONTACT_FIELDS)) for role in self._roles(record))
        return tuple(Row(str(role.get("Id")), person_key(person)) for role, person in people if person)

    @override
    def read_unsendable(self, record: Json) -> Mapping[str, str]:
        return self.unsendable_people(self.read_record(record) or ())

    def contact_values(self, value: Person) -> dict[str, Any]:
        """Return the values of a new Contact."""
        values = {CONTACT_FIELDS[part]: getattr(value, part) for part in CONTACT_FIELDS}
        return {name: item for name, item in values.items() if item and self.is_writable(f"Contact.{name}")}


def _fits(members: Iterable[Member]) -> bool:
    """Whether a deal takes over all these contacts."""
    return sum(1 for _ in members) <= MOST_MEMBERS
