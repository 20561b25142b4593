"""Any sequence of changes: an adapter agrees with a dictionary, row by row, conflict by conflict."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from local import azurite
from shared.foundation.errors import StoreConflict
from shared.store.rows import Change, Delete, Insert, Put, Replace, Rows
from shared.store.sqlite_rows import SqliteRows
from shared.store.table_storage_rows import open_tables_from_connection_string

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXAMPLE = count()

partitions = st.sampled_from(["O|1", "O|2", "R|1"])
keys = st.sampled_from(["link", "a|1", "a|2", "a|10"])
contents = st.binary(max_size=3)
moments = st.none() | st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours))
kinds = st.sampled_from([Insert, Replace, Put, Delete])


@dataclass(frozen=True)
class Wish:
    """A change to come; `fresh` says whether it carries the row's present ETag or one from before."""

    kind: type[Change]
    key: str
    data: bytes
    at: datetime | None
    fresh: bool


wishes = st.builds(Wish, kinds, keys, contents, moments, st.sampled_from([True, True, True, False]))


@dataclass
class Standing:
    """What the model holds of a row."""

    data: bytes
    at: datetime | None
    etag: str


class Machine(RuleBasedStateMachine):
    """Changes one store and one dictionary alike."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows
        # Every example works in partitions of its own, so that a slow store need not be emptied.
        self.prefix = f"{next(EXAMPLE)}|"
        self.model: dict[tuple[str, str], Standing] = {}
        self.given: list[str] = []

    @rule(partition=partitions, wanted=st.lists(wishes, min_size=1, max_size=4, unique_by=lambda wish: wish.key))
    def write(self, partition: str, wanted: list[Wish]) -> None:
        changes = [self.change(partition, wish) for wish in wanted]
        if all(self.allowed(partition, change) for change in changes):
            etags = self.rows.write(self.prefix + partition, changes)
            for change, etag in zip(changes, etags, strict=True):
                self.apply(partition, change, etag)
        else:
            with pytest.raises(StoreConflict):
                self.rows.write(self.prefix + partition, changes)

    @rule(
        partition=partitions,
        prefix=st.sampled_from(["", "a", "a|1", "x"]),
        due=moments,
        limit=st.none() | st.integers(0, 3),
    )
    def list(self, partition: str, prefix: str, due: datetime | None, limit: int | None) -> None:
        found = self.rows.list(self.prefix + partition, prefix=prefix, until=due, limit=limit)
        assert [row.key for row in found] == [*self.expected(partition, prefix, due)][:limit]

    @rule(prefix=st.sampled_from(["", "O|", "O|2", "x"]), key=keys)
    def scan(self, prefix: str, key: str) -> None:
        found = [row.partition.removeprefix(self.prefix) for row in self.rows.scan(self.prefix + prefix, key)]
        assert found == sorted(p for p, k in self.model if p.startswith(prefix) and k == key)

    @invariant()
    def every_row_stands_as_in_the_model(self) -> None:
        for partition in ("O|1", "O|2", "R|1"):
            found = {
                (partition, r.key): Standing(r.data, r.at, r.etag) for r in self.rows.list(self.prefix + partition)
            }
            assert found == {place: row for place, row in self.model.items() if place[0] == partition}

    def change(self, partition: str, wish: Wish) -> Change:
        standing = self.model.get((partition, wish.key))
        stale = next((etag for etag in self.given if standing is None or etag != standing.etag), "")
        etag = standing.etag if standing and (wish.fresh or not stale) else stale
        if not etag or wish.kind is Put:
            return Put(wish.key, wish.data, wish.at)
        if wish.kind is Delete:
            return Delete(wish.key, etag)
        if wish.kind is Replace:
            return Replace(wish.key, wish.data, etag, wish.at)
        return Insert(wish.key, wish.data, wish.at)

    def allowed(self, partition: str, change: Change) -> bool:
        standing = self.model.get((partition, change.key))
        match change:
            case Insert():
                return standing is None
            case Put():
                return True
            case Replace() | Delete():
                return standing is not None and standing.etag == change.etag

    def apply(self, partition: str, change: Change, etag: str | None) -> None:
        place = (partition, change.key)
        before = self.model.pop(place, None)
        if isinstance(change, Delete):
            assert etag is None
            return
        assert etag is not None
        assert before is None or etag != before.etag
        self.given.append(etag)
        self.model[place] = Standing(change.data, change.at, etag)

    def expected(self, partition: str, prefix: str, due: datetime | None) -> Iterator[str]:
        for (place, key), row in sorted(self.model.items(), key=lambda item: item[0]):
            is_due = due is None or (row.at is not None and row.at <= due)
            if place == partition and key.startswith(prefix) and is_due:
                yield key


def agree(rows: Rows, examples: int, steps: int) -> None:
    class Bound(Machine):
        def __init__(self) -> None:
            super().__init__(rows)

    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Bound, settings=chosen)


def test_sqlite_agrees_with_the_model() -> None:
    with SqliteRows(":memory:") as rows:
        agree(rows, examples=60, steps=30)


@pytest.mark.node
def test_table_storage_agrees_with_the_model(running_azurite: azurite.Azurite) -> None:
    with open_tables_from_connection_string(running_azurite.connection_string, "model") as rows:
        agree(rows, examples=6, steps=12)
