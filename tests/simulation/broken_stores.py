"""Stores that break one rule each: they work, apart from the methods that a subclass replaces."""

from collections.abc import Sequence
from contextlib import suppress
from copy import replace
from datetime import timedelta
from itertools import count
from typing import Any

from shared.domain.audit import Line
from shared.domain.link import EffectKind, Intent, Link
from shared.foundation.errors import StoreConflict
from shared.sync.ports import Entry
from tests.simulation.sabotage import Sabotage
from tests.unit.sync.harness import Instance

LEASE = timedelta(minutes=5)


class BrokenStore:
    """A store that works, apart from the methods that a subclass replaces."""

    def __init__(self, store: Any) -> None:  # noqa: ANN401 - whatever has the methods of the port
        self.store = store

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for every method of the port
        return getattr(self.store, name)


class BaseMovesFirst(BrokenStore):
    """The base takes the values of a PATCH when the intent is recorded, before the effect."""

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        effect = link.intent.find(EffectKind.PATCH_REFERRAL) if link.intent else None
        moved = replace(link, base=link.base.with_values(effect.values)) if effect else link
        written: Entry[Link] = self.store.replace_link(entry, moved, lines, correlation_id)
        return written


class RecoverySkipped(BrokenStore):
    """An intent past its lease looks as if it had no effects."""

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        entry: Entry[Link] | None = self.store.link(opportunity_id)
        is_old = entry is not None and entry.value.intent is not None and entry.age >= LEASE
        return replace(entry, value=replace(entry.value, intent=Intent())) if entry is not None and is_old else entry


class LeaseIgnored(BrokenStore):
    """Each intent looks old."""

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        entry: Entry[Link] | None = self.store.link(opportunity_id)
        return replace(entry, age=timedelta(days=1)) if entry is not None else None


class LinesLost(BrokenStore):
    """The audit lines are not stored."""

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        del lines, correlation_id
        written: Entry[Link] = self.store.replace_link(entry, link)
        return written


class LinesDoubled(BrokenStore):
    """Each audit line is stored twice."""

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        written: Entry[Link] = self.store.replace_link(entry, link, [*lines, *lines], correlation_id)
        return written


class ClaimsIgnored(BrokenStore):
    """Two workers may look for one account at once."""

    numbers = count()

    def claim_account(self, key: str, lease: timedelta) -> Entry[None] | None:
        claim: Entry[None] | None = self.store.claim_account(f"{key}{next(self.numbers)}", lease)
        return claim

    def release_account(self, key: str, claim: Entry[None]) -> None:
        """Leave the claim: it has another key."""


class RetriesForgotten(BrokenStore):
    """Nothing enters the retry queue."""

    def put_retry_entry(self, entry: object) -> None:
        """Drop the entry."""

    def write_retry_entry(self, entry: object) -> None:
        """Drop the entry."""


class Overwrites(BrokenStore):
    """A link is written although another instance has changed it: the ETag does not count."""

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        with suppress(StoreConflict):
            written: Entry[Link] = self.store.replace_link(entry, link, lines, correlation_id)
            return written
        present = self.store.link(link.opportunity_id) or entry
        overwritten: Entry[Link] = self.store.replace_link(present, link, lines, correlation_id)
        return overwritten


class CursorsAhead(BrokenStore):
    """The cursors move a quarter of an hour further than what was seen."""

    def move_cursors(self, moved: dict[str, Any]) -> None:
        self.store.move_cursors({name: at + timedelta(minutes=15) for name, at in moved.items()})

    def move_cursor(self, name: str, at: Any) -> None:  # noqa: ANN401 - a time
        self.store.move_cursor(name, at + timedelta(minutes=15))


def _with_store(broken: type[BrokenStore]) -> Sabotage:
    def breaks(instance: Instance) -> None:
        instance.ctx = replace(instance.ctx, store=broken(instance.ctx.store))

    return Sabotage(breaks)


BROKEN_STORES = {
    "the base moves before the effect": _with_store(BaseMovesFirst),
    "recovery is skipped": _with_store(RecoverySkipped),
    "the lease is ignored": _with_store(LeaseIgnored),
    "the store is written unconditionally": _with_store(Overwrites),
    "audit lines are lost": _with_store(LinesLost),
    "audit lines are doubled": _with_store(LinesDoubled),
    "claims on accounts are ignored": _with_store(ClaimsIgnored),
    "the retry queue is forgotten": _with_store(RetriesForgotten),
    "cursors move too far": _with_store(CursorsAhead),
}
