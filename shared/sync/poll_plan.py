"""Decides which queries a poll sends, and from when each of them reads.

A call carries five queries. Where there are more, the rare ones share the places that the others leave: the one that
ran longest ago comes first, so that each has its turn, and the cursor of one that waits stays where it is.

Source: docs/protocol.md#the-salesforce-poll.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from shared.mapping.polls import PollQuery

MAX_QUERIES = 5
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class PollPlan(Struct, frozen=True):
    """The queries of one poll by name, the cursor of each, and the cursors that those which wait begin with.

    A query without a cursor of its own, in a store that an earlier build has used, goes on where the others stand.
    """

    queries: Mapping[str, PollQuery]
    cursors: Mapping[str, datetime | None]
    first: Mapping[str, datetime]
    begin: datetime
    overlap: timedelta

    @property
    def starts(self) -> dict[str, datetime]:
        """From when each query reads."""
        return {
            name: self.begin if cursor is None or cursor == self.begin else cursor - self.overlap
            for name, cursor in self.cursors.items()
        }


def plan_poll(
    queries: Sequence[PollQuery], known: Mapping[str, datetime], begin: datetime, overlap: timedelta
) -> PollPlan:
    """Return the next poll; `known` has all cursors of the store."""
    cursors = {query.name: known.get(cursor_name(query.name)) for query in queries}
    others = known.get(cursor_name(queries[0].name))
    always = [query for query in queries if not query.is_rare]
    rare = sorted((query for query in queries if query.is_rare), key=lambda query: _last_turn(query.name, known))
    chosen = [*always, *rare[: MAX_QUERIES - len(always)]]
    waiting = [query.name for query in queries if query not in chosen and cursors[query.name] is None]
    first = {cursor_name(name): others or begin for name in waiting}
    of_chosen = {query.name: cursors[query.name] or others for query in chosen}
    return PollPlan({query.name: query for query in chosen}, of_chosen, first, begin, overlap)


def cursor_name(query: str) -> str:
    """Return the name of a query's cursor in the store."""
    return f"push_{query}"


def turn_name(query: str) -> str:
    """Return the name of the time of a query's last turn, which is kept while it has pages left."""
    return f"turn_{query}"


def _last_turn(query: str, known: Mapping[str, datetime]) -> datetime:
    """A query with many pages keeps an old cursor for several runs; it waits like the others nevertheless."""
    return max(known.get(cursor_name(query), LONG_AGO), known.get(turn_name(query), LONG_AGO))
