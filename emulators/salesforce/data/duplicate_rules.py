"""The standard duplicate rules of a new org, for accounts, contacts and leads: a creation that finds a twin is alerted.

The rules: docs/reference/salesforce.md#duplicate-rules. The equations are those of the standard matching rules, but
values match when they are equal without case, punctuation and legal form. The service also finds similar ones.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emulators.salesforce.data.errors import Matches, duplicates_detected
from emulators.salesforce.data.org_switch import OrgSwitch, Save
from emulators.salesforce.data.person_accounts import is_person
from emulators.salesforce.data.schema import Record

type Compared = dict[str, str]
_LEGAL_FORMS = re.compile(r"\b(inc|incorporated|corp|corporation|co|company|llc|ltd|limited|gmbh|ag|sa|sas|bv|plc)\b")
_US_ZIP = re.compile(r"\d{5}(-?\d{4})?")

_ACCOUNT_EQUATION = (
    ("name", "street"), ("name", "city", "state"), ("name", "zip"), ("name", "phone"),
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


@dataclass(frozen=True, slots=True)
class DuplicateRules(OrgSwitch):
    """The rules with their actions as shipped: on create *allow* with an alert, on edit *allow* without one."""

    def check(self, save: Save) -> None:
        """Raise DUPLICATES_DETECTED if a new record has a twin and the caller does not allow that."""
        name = save.definition.name
        if save.old is not None or save.caller.allows_duplicates or name not in _COMPARED_OBJECTS:
            return
        if is_person(save.new):
            return  # the rule for person accounts is not active in a new org
        found = [matches for each in _COMPARED_OBJECTS[name] if (matches := _find_matches(save, each)).ids]
        if found:
            raise duplicates_detected(name, found, save.caller.version)


def _find_matches(save: Save, sobject: str) -> Matches:
    values = _COMPARED_VALUES[save.definition.name](save, save.new)
    records = (each for each in save.tables.stored_records(sobject) if not each["IsDeleted"])
    # As shipped, the rules enforce sharing: they find only what the caller may read.
    readable = (each for each in records if save.is_readable(sobject, each))
    twins = (each for each in readable if _are_twins(sobject, values, _COMPARED_VALUES[sobject](save, each)))
    return Matches(sobject, _MATCHING_RULES[sobject], tuple(each["Id"] for each in twins))


def _are_twins(sobject: str, left: Compared, right: Compared) -> bool:
    """Whether all parts of one line of the equation are filled and equal. Two first names must agree."""
    if left.get("first") and right.get("first") and left["first"] != right["first"]:
        return False
    equation = _ACCOUNT_EQUATION if sobject == "Account" else _PERSON_EQUATION
    return any(all(left.get(part) and left[part] == right.get(part) for part in line) for line in equation)


def _account_values(_: Save, record: Record) -> Compared:
    zip_code = record["BillingPostalCode"] or ""
    return {
        "name": _company(record["Name"]), "street": _plain(record["BillingStreet"]),
        "city": _plain(record["BillingCity"]), "state": _plain(record["BillingState"]),
        "zip": zip_code if _US_ZIP.fullmatch(zip_code) else "", "phone": _digits(record["Phone"]),
        "website": _plain(re.sub(r"^(https?://)?(www\.)?", "", (record["Website"] or "").lower())),
    }  # fmt: skip


def _contact_values(save: Save, record: Record) -> Compared:
    account = save.tables.stored_record("Account", record["AccountId"]) if record["AccountId"] else None
    return _person_values(record, account["Name"] if account else None, "Mailing")


def _lead_values(_: Save, record: Record) -> Compared:
    return _person_values(record, record["Company"], "")


def _person_values(record: Record, company: str | None, prefix: str) -> Compared:
    return {
        "first": _plain(record["FirstName"]), "last": _plain(record["LastName"]), "title": _plain(record["Title"]),
        "email": (record["Email"] or "").casefold(), "phone": _digits(record["Phone"]), "company": _company(company),
        "street": _plain(record[f"{prefix}Street"]), "city": _plain(record[f"{prefix}City"]),
        "zip": _plain(record[f"{prefix}PostalCode"]),
    }  # fmt: skip


_COMPARED_VALUES: dict[str, Callable[[Save, Record], Compared]] = {
    "Account": _account_values,
    "Contact": _contact_values,
    "Lead": _lead_values,
}


def _words(text: str | None) -> Iterator[str]:
    yield from re.findall(r"\w+", (text or "").casefold())


def _plain(text: str | None) -> str:
    return " ".join(_words(text))


def _company(name: str | None) -> str:
    return " ".join(_LEGAL_FORMS.sub(" ", _plain(name)).split())


def _digits(phone: str | None) -> str:
    return re.sub(r"\D", "", phone or "").removeprefix("1")
