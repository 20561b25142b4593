"""Whether an opportunity and its referral hold the same, and whether a run wrote.

The outside systems alone are asked; nothing of the connector's own is used, for it is what is judged.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from emulators.base.emulator import Entry

STATUSES = {
    "On Hold": {"New/Pending", "New/Received"},
    "Qualification": {"Active/Accepted"},
    "Closed Won": {"Closed/Won"},
}
"""What the stages of the story mean in Partner Center."""
READINGS = {"composite", "query", "query.all", "collections.retrieve", "read", "oauth"}
"""What Salesforce's journal calls an operation that changes nothing; any other one may."""


def differences(row: Mapping[str, Any], referral: Mapping[str, Any]) -> list[str]:
    """One phrase for each value that an opportunity and its referral do not share."""
    details, status = referral["details"], f"{referral['status']}/{referral['substatus']}"
    pairs = {
        "name": (row["Name"], referral["name"]),
        "notes": (row["Description"] or "", details["notes"] or ""),
        "amount": (row["Amount"], details["dealValue"]),
        "currency": (row["CurrencyIsoCode"], details["currency"]),
        "closing date": (row["CloseDate"], (details["closingDateTime"] or "")[:10]),
    }
    differing = [f"{what} {here!r} and {there!r}" for what, (here, there) in pairs.items() if here != there]
    agrees = status in STATUSES.get(row["StageName"], ())
    return differing if agrees else [*differing, f"status {row['StageName']} and {status}"]


def writings(salesforce: Iterable[Entry], partner_center: Iterable[Entry]) -> list[str]:
    """The calls of two journals that wrote; a read of Salesforce is a POST too, so that there its operations tell."""
    here = [f"Salesforce: {tag}" for entry in salesforce for tag in entry.tags if tag not in READINGS]
    return here + [f"Partner Center: {entry.method}" for entry in partner_center if entry.method != "GET"]
