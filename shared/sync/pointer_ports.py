"""Defines the part of the store's port that is about pointers, claims, audit lines, and the retry queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.link import Pointer
from shared.store.stored_values import Entry, RetryEntry


class PointerStore(Protocol):
    """The pointers, which change under their ETag (docs/protocol.md#rows), claims, and audit lines."""

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

    def audit(self, opportunity_id: str, written: Sequence[Sequence[Line]] | None = None) -> Sequence[Line]:
        """The audit lines, newest first. Nothing is read if `written` has all of them, by transaction."""

    def claim_account(self, key: str, lease: timedelta) -> Entry[None] | None:
        """Claim an account's match key while the account is looked up and created; None while another claim is live."""

    def release_account(self, key: str, claim: Entry[None]) -> None:
        """Release the claim."""


class QueueStore(Protocol):
    """The retry queue (docs/protocol.md#the-retry-queue). A pair has one entry on each side."""

    def retry_entries(self, side: Side, until: datetime, limit: int) -> Sequence[RetryEntry]:
        """The entries whose next attempt is not later than `until`."""

    def retry_entry(self, side: Side, key: str) -> RetryEntry | None:
        """The retry entry of one pair."""

    def put_retry_entry(self, entry: RetryEntry) -> None:
        """Insert or replace the retry entry of a pair."""

    def write_retry_entry(self, entry: RetryEntry) -> None:
        """Insert an entry that has no ETag; replace the one that has its ETag. StoreConflict if another is there."""

    def remove_retry_entry(self, entry: RetryEntry) -> None:
        """Remove an entry under the ETag it was read with; an entry that changed since then stays."""
