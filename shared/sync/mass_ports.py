"""Defines the part of the store's port that counts mass changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.store.mass_counts import MassCount


class MassStore(Protocol):
    """The counts of mass changes of all instances (docs/protocol.md#the-mass-change-stop)."""

    def let_changes_go(
        self,
        name: str,
        changes: Mapping[str, str],
        now: datetime,
        limit: int | None,
        *,
        made: Sequence[str] = (),
        known: Sequence[str] = (),
    ) -> tuple[frozenset[str], MassCount]:
        """Count changes before they are made; the keys of those that may be made now, and the count."""

    def mass_counts(self) -> Mapping[str, MassCount]:
        """All counts, by name."""

    def approve_changes(self, name: str, number: int, now: datetime) -> None:
        """Let so many changes go that an operator has seen and confirmed."""

    def release_changes(self, name: str, now: datetime) -> None:
        """End a stop for which nothing waits any more."""
