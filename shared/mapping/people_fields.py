"""The kinds of fields that are people and companies: shared records, written only when we create them."""

from collections.abc import Callable
from typing import Any, Literal, override

from pydantic import Field

from shared.domain.deal import Company, Person
from shared.domain.field_rules import Direction
from shared.domain.iso_codes import COUNTRIES
from shared.domain.sentences import cause
from shared.mapping.field_types import FieldBase, MappingTable, ReferralPath, SalesforcePath, UnreadableValue
from shared.mapping.paths import Json, in_referral, in_row, normal_text, set_value

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
MAX_LENGTHS = {"first_name": 40, "last_name": 80, "email": 80, "phone": 40, "title": 128} | {
    "name": 255,
    "street": 255,
    "city": 40,
    "state": 80,
    "postal_code": 20,
}
"""What Salesforce's Contact and Account hold: a longer value is cut, so that it does not stop the whole deal."""


class CompanyPaths(MappingTable):
    """Where each part of the customer is."""

    name: ReferralPath
    country: ReferralPath
    street: ReferralPath
    city: ReferralPath
    state: ReferralPath
    postal_code: ReferralPath


class CompanyColumns(MappingTable):
    """Where each part of the account is, seen from the opportunity."""

    name: SalesforcePath
    country: SalesforcePath
    street: SalesforcePath
    city: SalesforcePath
    state: SalesforcePath
    postal_code: SalesforcePath


ADDRESS_PARTS = ("street", "city", "state", "postal_code")


class _CreateOnlyField(FieldBase):
    """A field that is written when its record is made, and never after: others share the record (protocol.md 4)."""

    when: tuple[Literal["create"], ...] = ("create",)


class CompanyField(_CreateOnlyField):
    """The customer: name and address with a two-letter country."""

    type: Literal["company"]
    referral: CompanyPaths
    salesforce: CompanyColumns

    @override
    def select_items(self) -> tuple[str, ...]:
        return tuple(getattr(self.salesforce, part) for part in ("name", "country", *ADDRESS_PARTS))

    @override
    def read_record(self, row: Json) -> Company | None:
        return _company_from(self.salesforce, lambda column: in_row(row, column))

    @override
    def read_referral(self, referral: Json) -> Company | None:
        return _company_from(self.referral, lambda path: in_referral(referral, path))

    def account_values(self, value: Company) -> dict[str, Any]:
        """The values of a new Account, by its own field names."""
        parts = {part: getattr(value, part) for part in ("name", "country", *ADDRESS_PARTS)}
        named = {getattr(self.salesforce, part).rpartition(".")[2]: item for part, item in parts.items()}
        return {name: item for name, item in named.items() if item}

    @override
    def add_to_body(self, value: Company | None, body: dict[str, Any]) -> None:
        if value is None:
            return
        set_value(body, self.referral.name, value.name)
        set_value(body, self.referral.country, value.country)
        for part in ADDRESS_PARTS:
            item = getattr(value, part)
            if item:
                set_value(
                    body, getattr(self.referral, part), ", ".join(filter(None, map(str.strip, item.splitlines())))
                )


def _company_from(places: CompanyColumns | CompanyPaths, value_at: Callable[[str], object]) -> Company | None:
    """The customer, each part of it `found` at its place; None without a name."""
    name = normal_text(value_at(places.name), MAX_LENGTHS["name"])
    if name is None:
        return None
    country = _checked_country(value_at(places.country), places.country)
    parts = {part: normal_text(value_at(getattr(places, part)), MAX_LENGTHS[part]) for part in ADDRESS_PARTS}
    return Company(name, country, **parts)


def _checked_country(value: object, field: str) -> str:
    country = (normal_text(value) or "").upper()
    if not country:
        raise UnreadableValue(cause("missing_country", field))
    if country not in COUNTRIES:
        raise UnreadableValue(cause("bad_country", field, value=country))
    return country


class ContactsField(_CreateOnlyField):
    """The customer's contacts: contact roles of the opportunity, the primary one first."""

    type: Literal["contacts"]
    referral: ReferralPath
    salesforce: Literal["OpportunityContactRoles"]

    @override
    def select_items(self) -> tuple[str, ...]:
        wanted = ", ".join(f"Contact.{column}" for column in CONTACT_FIELDS.values())
        return (f"(SELECT IsPrimary, {wanted} FROM OpportunityContactRoles)",)  # noqa: S608 - names of ours only

    @override
    def read_record(self, row: Json) -> tuple[Person, ...] | None:
        roles = (in_row(row, self.salesforce) or {}).get("records") or []
        primary_first = sorted(roles, key=lambda role: not role.get("IsPrimary"))
        people = (person_from(role.get("Contact") or {}, CONTACT_FIELDS) for role in primary_first)
        return tuple(found for found in people if found) or None

    @override
    def read_referral(self, referral: Json) -> tuple[Person, ...] | None:
        return _people_in(in_referral(referral, self.referral))

    def contact_values(self, value: Person) -> dict[str, Any]:
        """The values of a new Contact."""
        values = {CONTACT_FIELDS[part]: getattr(value, part) for part in CONTACT_FIELDS}
        return {name: item for name, item in values.items() if item}

    @override
    def add_to_body(self, value: tuple[Person, ...] | None, body: dict[str, Any]) -> None:
        whole = [member_from(found) for found in value or () if self.is_complete(found)]
        if whole:
            set_value(body, self.referral, whole)

    @staticmethod
    def is_complete(found: Person) -> bool:
        """Whether both names, e-mail and phone are there.

        A create is asked for them of sellers, and so, we take it, of contacts (reference/partner-center.md 5.1).
        """
        return bool(found.first_name and found.last_name and found.email and found.phone)


class SellerColumns(MappingTable):
    """Where the owner's name, e-mail and phone are, seen from the opportunity."""

    first_name: SalesforcePath
    last_name: SalesforcePath
    email: SalesforcePath
    phone: SalesforcePath


class SellerField(_CreateOnlyField):
    """Our own team: the opportunity's owner, with a default phone. Salesforce's owners are never written."""

    type: Literal["seller"]
    direction: Literal[Direction.TO_PARTNER_CENTER, Direction.OFF] = Direction.TO_PARTNER_CENTER
    referral: ReferralPath
    salesforce: SellerColumns
    default_phone: str = Field(default="", max_length=40)

    @override
    def select_items(self) -> tuple[str, ...]:
        columns = self.salesforce
        return (columns.first_name, columns.last_name, columns.email, columns.phone)

    @override
    def read_record(self, row: Json) -> tuple[Person, ...] | None:
        columns = self.salesforce
        last_name, email = normal_text(in_row(row, columns.last_name)), normal_text(in_row(row, columns.email))
        phone = normal_text(in_row(row, columns.phone)) or normal_text(self.default_phone)
        if last_name is None:
            return None
        if email is None:
            raise UnreadableValue(cause("missing_email", columns.email))
        if phone is None:
            raise UnreadableValue(cause("missing_phone", columns.phone))
        first_name = normal_text(in_row(row, columns.first_name))
        if first_name is None:
            raise UnreadableValue(cause("missing_first_name", columns.first_name))
        return (Person(last_name, first_name, email, phone),)

    @override
    def read_referral(self, referral: Json) -> tuple[Person, ...] | None:
        return _people_in(in_referral(referral, self.referral))

    @override
    def add_to_body(self, value: tuple[Person, ...] | None, body: dict[str, Any]) -> None:
        set_value(body, self.referral, [member_from(found) for found in value or ()])


def _people_in(value: object) -> tuple[Person, ...] | None:
    """The people of a list of Partner Center's Members; what is none is passed over."""
    listed = value if isinstance(value, list) else []
    people = (person_from(entry, MEMBER_KEYS) for entry in listed if isinstance(entry, dict))
    return tuple(found for found in people if found) or None


def person_from(record: Json, names: dict[str, str]) -> Person | None:
    """A person from a contact or a team member; one without any name goes by the e-mail address."""
    parts = {part: normal_text(record.get(name), MAX_LENGTHS[part]) for part, name in names.items()}
    if len(normal_text(record.get(names["email"])) or "") > MAX_LENGTHS["email"]:
        parts["email"] = None  # a shortened address is another address
    first_name, last_name = parts.pop("first_name"), parts.pop("last_name")
    if last_name is not None:
        return Person(last_name, first_name or "", **parts)
    known_as = first_name or parts["email"]
    return Person(known_as, "", **parts) if known_as else None


def member_from(found: Person) -> dict[str, Any]:
    """A person as Partner Center's Member."""
    values = {MEMBER_KEYS[part]: getattr(found, part) for part in MEMBER_KEYS}
    return {name: item for name, item in values.items() if item}
