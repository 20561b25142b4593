"""Lists what is in the retry queues of both sides, by cause: the same list in `cosell status`, `preview` and `retry`.

Source: docs/protocol.md#the-retry-queue.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from shared.domain.deal import Side
from shared.domain.sighting import Sighting
from shared.operations.queue_texts import APPROVED, is_approved, is_late, reason_of
from shared.store.link_store import LinkStore
from shared.store.stored_values import RetryEntry

LONGEST_QUEUE = 100_000
NEXT_RUN = timedelta(minutes=1)
"""A try that is due within this time is made by the next run, whether or not somebody asks for it."""


class Waiting(Struct, frozen=True, omit_defaults=True):
    """The entries with one cause: how many they are, one of their ids, what it means, and when the first is tried.

    Those that an operator has approved stand by themselves: their reason says so. `name` is that of the example, where
    the list knows it; else JSON has none.
    """

    cause: str
    count: int
    example: str
    reason: str
    next_try: datetime
    name: str | None = None


def queued_entries(store: LinkStore) -> Sequence[RetryEntry]:
    """All entries of both retry queues. Raises the errors of the store."""
    return [
        entry for side in Side for entry in store.retry_entries(side, datetime.max.replace(tzinfo=UTC), LONGEST_QUEUE)
    ]


def waiting_list(entries: Iterable[RetryEntry]) -> Sequence[Waiting]:
    """Entries by their cause, the largest number first."""
    by_reason: dict[tuple[str, str], list[RetryEntry]] = {}
    for entry in entries:
        reason = APPROVED if is_approved(entry) else reason_of(entry.cause)
        by_reason.setdefault((entry.cause, reason), []).append(entry)
    found = [_waiting(cause, reason, some) for (cause, reason), some in by_reason.items()]
    return sorted(found, key=lambda one: (-one.count, one.cause, one.reason))


def _waiting(cause: str, reason: str, entries: Sequence[RetryEntry]) -> Waiting:
    first = min(entries, key=lambda entry: (entry.at, entry.key))
    return Waiting(cause, len(entries), Sighting.of(first.key).referral_id, reason, first.at)


def is_next(entry: RetryEntry, now: datetime, run_time: timedelta) -> bool:
    """Whether the next run tries an entry anyway, and nothing is wrong with its deal; `run_time` as in `is_late`."""
    return entry.is_failure and entry.at <= now + NEXT_RUN and not is_late(entry, now, run_time)
