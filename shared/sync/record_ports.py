"""Defines the parts of Salesforce's port that are about single records and what is alike, and about related rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.clients.salesforce.records import Json, Node, Removal, Write, Written
from shared.domain.clones import Twin

__all__ = ["RelatedWrites", "Removal", "SingleRecords"]


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


class RelatedWrites(Protocol):
    """The calls that write rows together with their opportunity."""

    def update_with_rows(
        self,
        writes: Sequence[Write],
        fields: Sequence[str],
        *,
        steps: Sequence[Node | Removal],
        further: Sequence[str] = (),
        optional: Sequence[str] = (),
    ) -> Sequence[Written]:
        """One Composite, all or nothing: one conditional PATCH, rows created and deleted, a read as `opportunities`.

        A row that is deleted already is answered as `changed`; a refused one is the `step` of the answer, and it is
        `changed` too if another record has its unique value.
        """
