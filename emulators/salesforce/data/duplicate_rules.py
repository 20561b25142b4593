"""The standard duplicate rules of a new org, for accounts, contacts and leads: a creation that finds a twin is alerted.

The rules and their equations: docs/reference/salesforce.md#duplicate-rules. `matching_methods.py` compares the values.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulators.salesforce.data.errors import Matches, duplicates_detected
from emulators.salesforce.data.matching_methods import (
    Method,
    exact,
    same_city,
    same_company,
    same_first_name,
    same_phone,
    same_street,
    same_text,
    same_zip,
)
from emulators.salesforce.data.org_switch import OrgSwitch, Save
from emulators.salesforce.data.person_accounts import is_person
from emulators.salesforce.data.schema import Record

type Compared = dict[str, str]
_METHODS: Mapping[str, Method] = {
    "city": same_city, "company": same_company, "email": exact, "first": same_first_name, "phone": same_phone,
    "street": same_street, "website": exact, "zip": same_zip,
}  # fmt: skip
"""The parts of an equation that match by a method of their own; all others have the same words."""
_ACCOUNT_EQUATION = (
    ("company", "street"), ("company", "city", "state"), ("company", "zip"), ("company", "phone"),
    ("website", "phone"), ("website", "street"),
)  # fmt: skip
_PERSON_EQUATION = (
    ("first", "last", "title", "company"), ("last", "email"), ("first", "last", "phone"),
    ("first", "last", "street", "city"), ("first", "last", "street", "zip"), ("first", "last", "street", "title"),
)  # fmt: skip
_MATCHING_RULES = {
    "Account": "Standard_Account_Match_Rule_v1_0",
    "Contact": "Standard_Contact_Match_Rule_v1_1",
    "Lead": "Standard_Lead_Match_Rule_v1_0",
}
_COMPARED_OBJECTS = {"Account": ("Account",), "Contact": ("Contact", "Lead"), "Lead": ("Lead", "Contact")}
"""The objects in which each rule looks for twins, by the object of the record that is created."""


def compared_parts(sobject: str) -> tuple[str, ...]:
    """The parts that the rule of an object compares; none for an object without a standard rule."""
    lines = {"Account": _ACCOUNT_EQUATION, "Contact": _PERSON_EQUATION, "Lead": _PERSON_EQUATION}.get(sobject, ())
    return tuple(dict.fromkeys(part for line in lines for part in line))


@dataclass(frozen=True, slots=True)
class DuplicateRules(OrgSwitch):
    """The rules with their actions as shipped: on create *allow* with an alert, on edit *allow* without one.

    The rules of the objects `blocks` have the action *block* on create, which nobody passes.
    """

    blocks: frozenset[str] = frozenset()

    def check(self, save: Save) -> None:
        """Raise DUPLICATES_DETECTED if a new record has a twin and the caller does not, or may not, allow that."""
        name, is_blocking = save.definition.name, save.definition.name in self.blocks
        if save.old is not None or name not in _COMPARED_OBJECTS or (save.caller.allows_duplicates and not is_blocking):
            return
        if is_person(save.new):
            return  # the rule for person accounts is not active in a new org
        found = [matches for each in _COMPARED_OBJECTS[name] if (matches := _find_matches(save, each)).ids]
        if found:
            raise duplicates_detected(name, found, save.caller.version, may_save=not is_blocking)


def _find_matches(save: Save, sobject: str) -> Matches:
    values = _COMPARED_VALUES[save.definition.name](save, save.new)
    records = (each for each in save.tables.stored_records(sobject) if not each["IsDeleted"])
    # As shipped, the rules enforce sharing: they find only what the caller may read.
    readable = (each for each in records if save.is_readable(sobject, each))
    if sobject == "Account":
        readable = (each for each in readable if not is_person(each))  # people have a rule of their own
    twins = (each for each in readable if _are_twins(sobject, values, _COMPARED_VALUES[sobject](save, each)))
    return Matches(sobject, _MATCHING_RULES[sobject], tuple(each["Id"] for each in twins))


def _are_twins(sobject: str, left: Compared, right: Compared) -> bool:
    """Whether all parts of one line of the equation are filled and match. Two first names must agree."""
    if left.get("first") and right.get("first") and not same_first_name(left["first"], right["first"]):
        return False
    equation = _ACCOUNT_EQUATION if sobject == "Account" else _PERSON_EQUATION
    return any(all(_match(part, left, right) for part in line) for line in equation)


def _match(part: str, left: Compared, right: Compared) -> bool:
    return bool(left[part] and right[part]) and _METHODS.get(part, same_text)(left[part], right[part])


def _account_values(_: Save, record: Record) -> Compared:
    return _filled({
        "company": record["Name"], "street": record["BillingStreet"], "city": record["BillingCity"],
        "state": record["BillingState"], "zip": record["BillingPostalCode"], "phone": record["Phone"],
        "website": re.sub(r"^(https?://)?(www\.)?", "", (record["Website"] or "").lower()),
    })  # fmt: skip


def _contact_values(save: Save, record: Record) -> Compared:
    account = save.tables.stored_record("Account", record["AccountId"]) if record["AccountId"] else None
    return _person_values(record, account["Name"] if account else None, "Mailing")


def _lead_values(_: Save, record: Record) -> Compared:
    return _person_values(record, record["Company"], "")


def _person_values(record: Record, company: str | None, prefix: str) -> Compared:
    return _filled({
        "first": record["FirstName"], "last": record["LastName"], "title": record["Title"], "company": company,
        "email": record["Email"], "phone": record["Phone"], "street": record[f"{prefix}Street"],
        "city": record[f"{prefix}City"], "zip": record[f"{prefix}PostalCode"],
    })  # fmt: skip


def _filled(values: Mapping[str, str | None]) -> Compared:
    return {part: value or "" for part, value in values.items()}


_COMPARED_VALUES: dict[str, Callable[[Save, Record], Compared]] = {
    "Account": _account_values,
    "Contact": _contact_values,
    "Lead": _lead_values,
}
