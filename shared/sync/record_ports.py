"""Defines the part of Salesforce's port that is about single records, one call each."""

from datetime import datetime
from typing import Protocol

from shared.clients.salesforce.records import Json


class SingleRecords(Protocol):
    """Writing to the records of any object."""

    def upsert(self, sobject: str, key: tuple[str, str], values: Json) -> None:
        """Create or change the record with this external id. Raises NotFound if the org lacks the object."""

    def delete(self, sobject: str, key: tuple[str, str]) -> None:
        """Delete the record with this external id. Raises NotFound if there is none, or no such object."""

    def update_one(self, sobject: str, record_id: str, values: Json, unmodified_since: datetime) -> None:
        """Change a record unless it changed since. Raises Conflict if it did, Rejected, Locked, Ambiguous.

        It is saved although it resembles others: a duplicate rule that only alerts stops no edit.
        """
