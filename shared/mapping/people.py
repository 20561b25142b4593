"""Define what the field types of people share: a person is matched by e-mail address, and completed by defaults.

Source: docs/protocol.md#lists-merge-as-sets.
"""

from collections.abc import Iterable, Sequence
from copy import replace
from typing import Any, ClassVar, Literal, override

from pydantic import Field

from shared.domain.deal import Person, Side, Value
from shared.domain.field_rules import Rule
from shared.domain.member_sets import E_MAIL_ADDRESS, INCOMPLETE, NO_ADDRESS, key_of
from shared.mapping.paths import Json, in_referral, normal_text, set_value
from shared.mapping.set_field import SetField

CONTACT_FIELDS = {
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "Email",
    "phone": "Phone",
    "title": "Title",
}
CONTACT_ACCOUNT = "Contact.AccountId"
PERSON = "Account.PersonContact"
"""The contact that a person account is. Only orgs with person accounts have the path."""
MEMBER_KEYS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phoneNumber",
    "title": "title",
}
MAX_LENGTHS = {"first_name": 40, "last_name": 80, "email": 80, "phone": 40, "title": 128}
"""The characters that fields of Contact hold. A longer value is cut, so that it does not stop the deal."""
MOST_MEMBERS = 50
"""People that a list of a referral holds (docs/reference/partner-center.md#limits-of-one-deal)."""


class PeopleField(SetField):
    """People of a deal. The defaults complete a person for Partner Center, and are no value of theirs."""

    when: tuple[Literal["create", "update"], ...] = ("create",)
    default_first_name: str = Field(default="", max_length=MAX_LENGTHS["first_name"])
    default_phone: str = Field(default="", max_length=MAX_LENGTHS["phone"])
    new_keys: ClassVar[tuple[str, ...]] = ("default_first_name", "default_phone")

    @override
    def patch_paths(self) -> tuple[str, ...]:
        return self.referral, f"{self.referral}/-"

    @override
    def to_rule(self, name: str) -> Rule:
        """Return the rule. The last row of a related list may go."""
        rule = super().to_rule(name)
        clearable = rule.clearable | {Side.SALESFORCE}
        return replace(rule, clearable=clearable, completes=self._completes, at_most=MOST_MEMBERS)

    @property
    @override
    def later_keys(self) -> set[str]:
        return super().later_keys | {key for key in self.new_keys if not getattr(self, key)}

    @property
    def _completes(self) -> frozenset[str]:
        defaults = {"first_name": self.default_first_name, "phone": self.default_phone}
        return frozenset(part for part, text in defaults.items() if normal_text(text))

    def completed(self, person: Person) -> Person:
        """Return the person as Partner Center gets them."""
        first_name, phone = normal_text(self.default_first_name), normal_text(self.default_phone)
        return replace(person, first_name=person.first_name or first_name or "", phone=person.phone or phone)

    @override
    def read_referral(self, referral: Json) -> tuple[Person, ...] | None:
        return people_in(in_referral(referral, self.referral))

    @override
    def tag_of(self, member: Person) -> Json:
        return member_from(self.completed(member))

    @override
    def key_of_tag(self, tag: Json) -> str:
        return key_of(person_from(tag, MEMBER_KEYS) or "")

    @override
    def record_values(self, value: Any) -> dict[str, Any]:
        return {}  # they are rows of a related list

    @override
    def add_to_body(self, value: tuple[Person, ...] | None, body: dict[str, Any]) -> None:
        if members := self._sendable(value):
            set_value(body, self.referral, members)

    def _sendable(self, value: Value | None) -> Sequence[Json]:
        """Return the people whom Partner Center takes, as it gets them."""
        first: dict[str, Person] = {}
        for one in value if isinstance(value, tuple) else ():
            if isinstance(one, Person) and self._reason_to_leave_out(one) is None:
                first.setdefault(person_key(one), one)
        return [self.tag_of(one) for one in first.values()][:MOST_MEMBERS]

    def unsendable_people(self, people: Iterable[Person]) -> dict[str, str]:
        """Return why Partner Center does not get a person, by key; of two with one key the first counts."""
        found: dict[str, str | None] = {}
        for one in people:
            found.setdefault(person_key(one), self._reason_to_leave_out(one))
        return {key: code for key, code in found.items() if code}

    def _reason_to_leave_out(self, person: Person) -> str | None:
        if not E_MAIL_ADDRESS.fullmatch((person.email or "").strip()):
            return NO_ADDRESS
        is_named = person.first_name or normal_text(self.default_first_name)
        return None if is_named and (person.phone or normal_text(self.default_phone)) else INCOMPLETE


def person_key(person: Person) -> str:
    """Return the key of a person (`key_of`). Each read of a deal asks for it, so the usual case enters no package."""
    address = (person.email or "").strip().casefold()
    return address if E_MAIL_ADDRESS.fullmatch(address) else key_of(person)


def people_in(value: object) -> tuple[Person, ...] | None:
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
