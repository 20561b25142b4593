"""The object of the Salesforce package that shows the deals which cannot be made, and the values of its records."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from shared.domain.inbox import InboxItem

OBJECT = "Cosell_Inbox__c"
KEY = "Key__c"
"""The external id, which is unique: one deal never has two records."""
COLUMNS = (
    "Name", "Customer__c", "Deal_Value__c", "Deal_Currency__c", "Cause__c", "Code__c", "Refused_Field__c", "Matches__c",
    "Remedy__c", "Answer_By__c", "Link__c",
)  # fmt: skip
_NAME, _TEXT, _CODE, _LONG = 80, 255, 100, 4000
"""The characters that the columns hold. A longer text is cut, so that it does not stop the record."""
_MATCHES = 200
"""The ids of records that their column holds."""


def inbox_values(item: InboxItem) -> dict[str, Any]:
    """Return the values of an item's record, by column. A value that the item lacks is emptied."""
    cause, money = item.cause, item.money
    return {
        "Name": (item.name or item.key)[:_NAME],
        "Customer__c": item.customer and item.customer[:_TEXT],
        "Deal_Value__c": money and money.amount,
        "Deal_Currency__c": money and money.currency,
        "Cause__c": cause.reason[:_LONG],
        "Code__c": cause.code[:_CODE],
        "Refused_Field__c": cause.field and cause.field[:_TEXT],
        "Matches__c": ", ".join(cause.matches[:_MATCHES]) or None,
        "Remedy__c": cause.remedy[:_LONG],
        "Answer_By__c": item.answer_by and item.answer_by.astimezone(UTC).isoformat(timespec="seconds"),
        "Link__c": item.link[:_TEXT],
    }


def without_refused(values: Mapping[str, Any], column: str | None) -> dict[str, Any] | None:
    """Return the values with this column emptied, or without it if it is empty: it may still hold an earlier value.

    None if Salesforce names no column of the record.
    """
    if column is None or column not in values:
        return None
    if values[column] is not None:
        return {**values, column: None}
    return {name: value for name, value in values.items() if name != column}
