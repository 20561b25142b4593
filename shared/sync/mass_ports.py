"""Defines the part of the store's port that counts mass changes, and says what an operator approved or paused."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.mapping_change import Approved
from shared.store.mass_counts import MassCount
from shared.store.pause_rows import DirectionPause


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
