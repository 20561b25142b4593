"""The values that travel, read from the raw records of both systems and brought into one form.

Written apart from the product: an error in the product's mapping must not repeat itself here. A value is a text; None
is an empty value.

name     without a mark in front of it
money    "1000.00 USD"; None without an amount
closing  "2027-01-31"
notes    the text without spaces around it
status   what a stage or a status means: "New/Pending", "Active/Accepted", "Closed/Won" or "Closed/Lost"
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

Record = Mapping[str, Any]
Values = Mapping[str, str | None]

SALESFORCE, PARTNER_CENTER = "salesforce", "partner_center"
FIELDS = ("name", "money", "closing", "notes", "status")
NAME_MARK = re.compile("[✔⚠✘] ")
OPEN, UNANSWERED, WON, LOST = "Active/Accepted", "New/Pending", "Closed/Won", "Closed/Lost"
HELP_COLUMN = "How_can_Microsoft_help__c"
STAGES = {"On Hold": UNANSWERED, "Closed Won": WON, "Closed Lost": LOST}
"""The stages that do not mean an open deal."""


@dataclass(frozen=True)
class Edit:
    """One value that a person changed on one side; `before` is what the person saw there."""

    at: datetime
    side: str
    record: str
    field: str
    before: str | None
    after: str | None


def of_opportunity(record: Record) -> Values:
    """The values that an opportunity holds."""
    return {
        "name": NAME_MARK.sub("", record["Name"], count=1),
        "money": _money(record["Amount"], record["CurrencyIsoCode"]),
        "closing": record["CloseDate"],
        "notes": _text(record["Description"]),
        "status": STAGES.get(record["StageName"], OPEN),
    }


def of_referral(record: Record) -> Values:
    """The values that a referral holds."""
    details = record["details"]
    return {
        "name": record["name"],
        "money": _money(details["dealValue"], details["currency"]),
        "closing": str(details["closingDateTime"])[:10] if details["closingDateTime"] else None,
        "notes": _text(details["notes"]),
        "status": _status(record["status"], record["substatus"]),
    }


def _money(amount: object, currency: object) -> str | None:
    return None if amount is None else f"{Decimal(str(amount)):.2f} {currency}"


def _text(text: str | None) -> str | None:
    return (text or "").replace("\r\n", "\n").strip() or None


def _status(status: str, substatus: str) -> str:
    if status == "New":
        return UNANSWERED
    if status == "Active":
        return OPEN
    return WON if substatus == "Won" else LOST


def holds(field: str, current: str | None, value: str | None) -> bool:
    """Whether a value stands in `current`: notes may be part of a longer text, all other values must be equal."""
    if field == "notes" and current is not None and value is not None:
        return value in current
    return current == value


def sets_back(edit: Edit, earlier: Edit) -> bool:
    """Whether an edit sets back what an earlier one of the same record changed."""
    is_same_field = (edit.side, edit.record, edit.field) == (earlier.side, earlier.record, earlier.field)
    return is_same_field and edit.after == earlier.before


def has_set_back(edits: Sequence[Edit], side: str) -> bool:
    """Whether somebody changed a value of a side and set it back."""
    there = [edit for edit in edits if edit.side == side]
    return any(sets_back(edit, one) for number, edit in enumerate(there) for one in there[:number])


def is_replaced(edit: Edit, log: Sequence[Edit]) -> bool:
    """Whether a person replaced a value, on whichever side: they saw it there, and entered another one.

    Whoever sets a value back leaves an edit of the other side that replaced it before.
    """
    place = log.index(edit)
    is_way_back = any(sets_back(edit, one) for one in log[:place])
    before = [one for one in log[:place] if is_way_back and one.side != edit.side]
    return any(holds(edit.field, one.before, edit.after) for one in (*before, *log[place + 1 :]))


def takes(referral: Record, field: str, value: str | None) -> bool:
    """Whether Partner Center takes a value of a seller, in the present status of the referral."""
    status = _status(referral["status"], referral["substatus"])
    if status == UNANSWERED:
        return field == "status"
    return status == OPEN and value is not None and not value.startswith("-") and value != UNANSWERED


def belongs_to(opportunity: Record, referral: Record) -> bool:
    """Whether one of the two records names the other."""
    named = str(opportunity["Referral_Identifier__c"] or "").lower() == str(referral["id"]).lower()
    return named or referral["externalReferenceId"] == opportunity["Id"]
