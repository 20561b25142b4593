"""Defines the part of the store's port that is about pointers, claims on accounts, and audit lines."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from shared.domain.audit import Line
from shared.domain.link import Pointer
from shared.store.stored_values import Entry


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
