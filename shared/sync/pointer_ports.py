"""Defines the part of the store's port that is about pointers: what a referral leads to."""

from collections.abc import Sequence
from typing import Protocol

from shared.domain.audit import Line
from shared.domain.link import Pointer
from shared.store.stored_values import Entry


class PointerStore(Protocol):
    """The pointers, which change under their ETag (docs/protocol.md#rows), and the audit lines of leads."""

    def pointer(self, referral_id: str) -> Entry[Pointer] | None:
        """The pointer of a referral."""

    def insert_pointer(self, referral_id: str, pointer: Pointer) -> Entry[Pointer]:
        """Claim a referral that has no pointer yet."""

    def replace_pointer(
        self, referral_id: str, entry: Entry[Pointer], pointer: Pointer, lines: Sequence[Line] = ()
    ) -> Entry[Pointer]:
        """Replace a pointer, and add audit lines of its lead in the same transaction."""

    def delete_pointer(self, referral_id: str, entry: Entry[Pointer]) -> None:
        """Delete a claim that was not used."""

    def audit_of_lead(self, referral_id: str) -> Sequence[Line]:
        """The audit lines of a lead, newest first."""
