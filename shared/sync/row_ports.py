"""Defines the parts of the store's port that are about one kind of rows each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.link import Pointer
from shared.domain.mapping_change import Approved
from shared.domain.own_writes import OwnWrite
from shared.store.mass_counts import MassCount
from shared.store.pause_rows import DirectionPause
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


class PartyStore(Protocol):
    """What is remembered of other parties (docs/protocol.md#rows)."""

    def deals_in_engagement(self, engagement_id: str) -> Sequence[str]:
        """The opportunities of an engagement; none if nobody has heard of another party in it."""

    def deals_of_party(self, referral_id: str) -> Sequence[str]:
        """The opportunities whose engagement has this referral of another party; none if it is not known."""

    def keep_party(self, engagement_id: str, referral_id: str | None, opportunity_ids: Iterable[str]) -> None:
        """Remember that another party takes part in these deals; its referral may not be known."""

    def engagement_of_party(self, referral_id: str) -> str | None:
        """The engagement in which a list has named this referral, before a deal of ours was known; None if none has."""

    def keep_engagement_of_party(self, referral_id: str, engagement_id: str) -> None:
        """Remember in which engagement a list has named this referral, of which no deal of ours is known yet."""

    def is_none_of_ours(self, referral_id: str, etag: str) -> bool:
        """Whether this version of another party's referral led to no deal of ours."""

    def keep_none_of_ours(self, referral_id: str, etag: str) -> None:
        """Remember that this version of another party's referral led to no deal of ours."""


class MassStore(Protocol):
    """The counts of mass changes of all instances, and the word of an operator.

    Source: docs/protocol.md#the-mass-change-stop, docs/protocol.md#off-preview-on.
    """

    def let_changes_go(
        self,
        name: str,
        changes: Mapping[str, str],
        now: datetime,
        limit: int | None,
        *,
        made: Sequence[str] = (),
    ) -> tuple[frozenset[str], MassCount]:
        """Count changes before they are made; the keys of those that may be made now, and the count."""

    def mass_counts(self) -> Mapping[str, MassCount]:
        """All counts, by name."""

    def approve_changes(self, name: str, number: int, now: datetime) -> None:
        """Let so many changes go that an operator has seen and confirmed."""

    def release_changes(self, name: str, now: datetime) -> None:
        """End a stop for which nothing waits any more."""

    def approved_fields(self) -> Approved | None:
        """The approved sources of each field that is sent; None where nothing was ever approved."""

    def keep_first_approval(self, approved: Approved) -> Approved:
        """Store what counts as approved at the first start, unless another instance has."""

    def change_approval(self, change: Callable[[Approved], Approved]) -> None:
        """Change what is approved. Raises StoreConflict."""

    def pauses(self, *, fresh: bool = False) -> Mapping[str, DirectionPause]:
        """The paused directions, at most 5 seconds old; `fresh` reads them anew."""


class OwnWriteStore(Protocol):
    """The deals that pushes of any instance have just brought to their end (docs/protocol.md#own-writes)."""

    def own_writes(self, now: datetime) -> Sequence[OwnWrite]:
        """All that the poll may still list, in one read."""

    def keep_own_writes(self, writes: Sequence[OwnWrite], now: datetime) -> None:
        """Keep what a push has released."""
