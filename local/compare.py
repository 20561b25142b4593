"""Compares an opportunity with its referral, and finds the calls of a run that wrote.

It reads only what the emulated systems hold. It uses no code of the connector, because it checks the connector.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from emulators.base.journal import JournalEntry

STATUSES_OF_STAGE = {
    "On Hold": {"New/Pending", "New/Received"},
    "Qualification": {"Active/Accepted"},
    "Closed Won": {"Closed/Won"},
    "Closed Lost": {"Closed/Lost", "Closed/Declined"},
}
"""For each stage that the story uses: the statuses of Partner Center that mean the same."""
READ_OPERATIONS = {"composite", "query", "query.all", "collections.retrieve", "read", "oauth"}
"""The operations in Salesforce's journal that change nothing. Any other operation may write."""


def closing_day(details: Mapping[str, Any]) -> str:
    """The day that a person chose, as Salesforce writes it (docs/reference/partner-center.md#closing-day)."""
    moment = details["closingDateTime"]
    return f"{datetime.fromisoformat(moment) + timedelta(hours=12):%Y-%m-%d}" if moment else ""


def list_differences(opportunity: Mapping[str, Any], referral: Mapping[str, Any]) -> list[str]:
    """One phrase for each value that differs between an opportunity and its referral; empty if all values agree."""
    details, status = referral["details"], f"{referral['status']}/{referral['substatus']}"
    pairs = {
        "name": (opportunity["Name"], referral["name"]),
        "notes": (opportunity["Description"] or "", details["notes"] or ""),
        "amount": (opportunity["Amount"], details["dealValue"]),
        "currency": (opportunity["CurrencyIsoCode"], details["currency"]),
        "closing date": (opportunity["CloseDate"], closing_day(details)),
    }
    different_values = [
        f"{label} {salesforce!r} and {partner_center!r}"
        for label, (salesforce, partner_center) in pairs.items()
        if salesforce != partner_center
    ]
    same_status = status in STATUSES_OF_STAGE.get(opportunity["StageName"], ())
    return different_values if same_status else [*different_values, f"status {opportunity['StageName']} and {status}"]


def list_writes(salesforce: Iterable[JournalEntry], partner_center: Iterable[JournalEntry]) -> list[str]:
    """The calls of two journals that wrote.

    The HTTP method decides for Partner Center. For Salesforce the noted operation decides, because reads are POSTs too.
    """
    operations = [tag for entry in salesforce for tag in entry.tags]
    salesforce_writes = [f"Salesforce: {operation}" for operation in operations if operation not in READ_OPERATIONS]
    return salesforce_writes + [f"Partner Center: {entry.method}" for entry in partner_center if entry.method != "GET"]
