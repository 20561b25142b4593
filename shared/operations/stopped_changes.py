"""Finds the changes that the mass-change stop holds back, and lets them go up to the number that an operator saw.

This module writes rows of the store only: the app makes the changes, at its next runs. First the number is approved,
then the pairs are queued. If the process stops in between, each pair is tried within an hour anyway.

Source: docs/protocol.md#the-mass-change-stop.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime

from msgspec import Struct

from shared.domain.counted_changes import MASS_CHANGE, Kind, counts_of
from shared.domain.deal import Side
from shared.domain.link import Link
from shared.mapping.outbound import label_of
from shared.store.mass_counts import MOST_EXAMPLES, MassCount, day_of
from shared.store.stored_values import Asker
from shared.sync.ports import Context, RetryEntry

LONGEST_QUEUE = 100_000
"""So many entries of a queue are read."""
MEANINGS = {
    Kind.CREATION: "new deals",
    Kind.CLOSURE: "closed deals",
    Kind.VISIBILITY: "deals that become visible to Microsoft",
    Kind.EMPTIED: "emptied fields",
    Kind.VALUE: "one value of {label} on many deals",
}


class Stop(Struct, frozen=True):
    """One stopped kind of changes.

    name       the name of its count
    field      the field of a value, or None
    label      the label of that field, as people see it, or None
    gone       how many such changes went today without an approval. The store has no ids of them
    deals      the ids of the opportunities that wait, or of the referrals that wait for theirs
    since      when it was stopped
    limit      the limit that was reached, in changes a day
    """

    name: str
    kind: Kind
    side: Side
    field: str | None
    deals: tuple[str, ...]
    since: datetime
    limit: int
    label: str | None = None
    gone: int = 0

    @property
    def meaning(self) -> str:
        """What is stopped, in words: the kind of the changes, and the label of the field of a value."""
        return MEANINGS[self.kind].format(label=self.label)

    @property
    def is_arriving(self) -> bool:
        """Whether its deals are referrals that wait for their opportunities."""
        return self.kind is Kind.CREATION and self.side is Side.SALESFORCE

    @property
    def examples(self) -> tuple[str, ...]:
        """Some of the deals."""
        return self.deals[:MOST_EXAMPLES]


def find_stops(ctx: Context) -> Sequence[Stop]:
    """What waits for an operator now. Reads every link, if anything is stopped. Raises the errors of the store."""
    counts = {name: count for name, count in ctx.store.mass_counts().items() if count.since is not None}
    if not counts:
        return ()
    deals: dict[str, list[str]] = {name: [] for name in counts}
    for entry in ctx.store.links():
        for name in _stopped_counts(entry.value, counts):
            deals[name].append(entry.value.opportunity_id)
    if (arriving := f"{Kind.CREATION}|{Side.SALESFORCE}") in deals:
        deals[arriving] = [entry.key for entry in _entries(ctx, Side.PARTNER_CENTER) if _is_arriving(ctx, entry)]
    return [_stop(ctx, name, count, deals[name]) for name, count in sorted(counts.items())]


def approve_stops(ctx: Context, stops: Iterable[Stop], operator: str) -> None:
    """Let the changes of these stops go, and queue their pairs, on the word of an operator (their Entra object id).

    Raises the errors of the store.
    """
    now = ctx.clock.now()
    for stop in stops:
        ctx.store.approve_changes(stop.name, len(stop.deals), now)
        queue = Side.PARTNER_CENTER if stop.is_arriving else Side.SALESFORCE
        for key in stop.deals:
            known = ctx.store.retry_entry(queue, key) or RetryEntry(queue, key, now, MASS_CHANGE, since=now)
            ctx.store.put_retry_entry(replace(known, at=now, asked=Asker(operator, now)))


def _stop(ctx: Context, name: str, count: MassCount, deals: Sequence[str]) -> Stop:
    kind, side, *rest = name.split("|")
    since = count.since or datetime.min.replace(tzinfo=UTC)
    field = rest[0] if rest else None
    label = label_of(ctx.translation.file, field) if field else None
    gone = count.count if count.day == day_of(ctx.clock.now()) else 0
    return Stop(name, Kind(kind), Side(side), field, tuple(deals), since, count.limit, label, gone)


def _stopped_counts(link: Link, counts: Mapping[str, MassCount]) -> set[str]:
    """The stopped counts of which changes of this link wait, one for each change."""
    stopped = ((key, record.value) for key, record in link.waiting.items() if record.code == MASS_CHANGE)
    found = (next((name for name in counts_of(key, mark) if name in counts), None) for key, mark in stopped)
    return {name for name in found if name is not None}


def _entries(ctx: Context, side: Side) -> Sequence[RetryEntry]:
    return ctx.store.retry_entries(side, datetime.max.replace(tzinfo=UTC), LONGEST_QUEUE)


def _is_arriving(ctx: Context, entry: RetryEntry) -> bool:
    """Whether a referral waits for its opportunity."""
    if entry.cause != MASS_CHANGE:
        return False
    pointer = ctx.store.pointer(entry.key)
    return pointer is None or pointer.value.opportunity_id is None
