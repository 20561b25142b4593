"""Defines the part of Salesforce's port that is about single records, one call each, and what is alike."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.clients.salesforce.records import Json
from shared.domain.clones import Twin


class SingleRecords(Protocol):
    """Writing to the records of any object."""

    def upsert(self, sobject: str, key: tuple[str, str], values: Json) -> None:
        """Create or change the record with this external id. Raises NotFound if the org lacks the object."""

    def twins(self, names: Mapping[str, str], flag: str, identifier: str, *, with_marks: bool) -> Sequence[Twin]:
        """New opportunities, given as names by id, and open ones of these names that are ticked or linked."""

    def delete(self, sobject: str, key: tuple[str, str]) -> None:
        """Delete the record with this external id. Raises NotFound if there is none, or no such object."""

    def update_one(self, sobject: str, record_id: str, values: Json, unmodified_since: datetime) -> None:
        """Change a record unless it changed since. Raises Conflict if it did, Rejected, Locked, Ambiguous.

        It is saved although it resembles others: a duplicate rule that only alerts stops no edit.
        """
