"""Defines the part of the store's port that is about erasing personal values (docs/protocol.md#personal-data)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.erasure import Erasures
from shared.domain.link import Link, Pointer
from shared.store.erasure_rows import StoredLine
from shared.store.rows import Row
from shared.store.stored_values import Entry


class ErasureStore(Protocol):
    """What is erased changes together with the link or pointer that is its lock, under its ETag."""

    def pointers(self) -> Iterator[tuple[str, Entry[Pointer]]]:
        """All pointers that can be read, each with its referral id."""

    def stored_lines(self, opportunity_id: str) -> Sequence[StoredLine]:
        """The audit lines of an opportunity with their keys, newest first."""

    def stored_lines_of_lead(self, referral_id: str) -> Sequence[StoredLine]:
        """The audit lines of a lead with their keys, newest first."""

    def erase_link(self, entry: Entry[Link], link: Link, lines: Sequence[StoredLine]) -> None:
        """Replace a link and audit lines. StoreConflict: a part may be done."""

    def erase_pointer(
        self, referral_id: str, entry: Entry[Pointer], pointer: Pointer, lines: Sequence[StoredLine]
    ) -> None:
        """Replace a pointer and audit lines of its lead, as `erase_link`."""

    def note_purged_deal(self, opportunity_id: str, at: datetime) -> None:
        """Note that a deal is purged."""

    def note_purged_lead(self, referral_id: str, at: datetime) -> None:
        """Note that what is known of a lead is purged."""

    def purged_deals(self) -> Mapping[str, datetime]:
        """When the personal values of closed deals were purged, by opportunity id."""

    def purged_leads(self) -> Mapping[str, datetime]:
        """When what is known of leads was purged, by referral id."""

    def salt(self) -> str:
        """The key of new hashes in this store."""

    def forgotten(self) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
        """The hashes of the traces of forgotten persons, by the key of the hashes and that of their address."""

    def keep_forgotten(self, salt: str, person: str, words: Mapping[str, int]) -> None:
        """Remember the hashes of a person's traces, beside those that are known."""

    def erasures(self) -> Erasures:
        """What was erased so far."""

    def forget_own_writes(self, aged: timedelta) -> None:
        """Delete the hashes of own writes that have this age (docs/protocol.md#own-writes)."""

    def delete_stale_claims(self, is_stale: Callable[[Row], bool]) -> None:
        """Delete the claims on accounts whose worker stopped."""
