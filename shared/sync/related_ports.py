"""Defines the part of the port to Salesforce that writes the rows of related lists."""

from collections.abc import Sequence
from typing import Protocol

from shared.clients.salesforce.records import Node, Removal, Write, Written

__all__ = ["RelatedWrites", "Removal"]


class RelatedWrites(Protocol):
    """The calls that write rows together with their opportunity."""

    def update_with_rows(
        self, write: Write, steps: Sequence[Node | Removal], fields: Sequence[str], optional: Sequence[str] = ()
    ) -> Written:
        """One Composite, all or nothing: a conditional PATCH, rows created and deleted, and a read as `opportunities`.

        A row that is taken, or deleted, already is answered as `changed`; a refused one is the `step` of the answer.
        """
