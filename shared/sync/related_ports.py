"""Defines the part of the port to Salesforce that writes the rows of related lists."""

from collections.abc import Sequence
from typing import Protocol

from shared.clients.salesforce.records import Node, Removal, Write, Written

__all__ = ["RelatedWrites", "Removal"]


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
