"""After any sequence of changes, an adapter of the store has the same rows and conflicts as a dictionary."""

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
from shared.store.rows import Delete, Insert, Put, Replace, RowChange, Rows
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
class PlannedChange:
    """A change to make. `has_current_etag` says whether it carries the row's current ETag or an earlier one."""

    kind: type[RowChange]
    key: str
    data: bytes
    at: datetime | None
    has_current_etag: bool


planned_changes = st.builds(PlannedChange, kinds, keys, contents, moments, st.sampled_from([True, True, True, False]))


@dataclass
class ModelRow:
    """A row in the model."""

    data: bytes
    at: datetime | None
    etag: str


class StoreMachine(RuleBasedStateMachine):
    """Makes the same changes to a store and to a dictionary."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows
        # Each example uses partitions of its own, so that a slow store need not be emptied.
        self.prefix = f"{next(EXAMPLE)}|"
        self.model: dict[tuple[str, str], ModelRow] = {}
        self.etags_given: list[str] = []

    @rule(
        partition=partitions,
        planned=st.lists(planned_changes, min_size=1, max_size=4, unique_by=lambda change: change.key),
    )
    def write(self, partition: str, planned: list[PlannedChange]) -> None:
        changes = [self.build_change(partition, plan) for plan in planned]
        if all(self.is_allowed(partition, change) for change in changes):
            etags = self.rows.write(self.prefix + partition, changes)
            for change, etag in zip(changes, etags, strict=True):
                self.apply_to_model(partition, change, etag)
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
        rows = self.rows.list(self.prefix + partition, prefix=prefix, until=due, limit=limit)
        assert [row.key for row in rows] == [*self.expected_keys(partition, prefix, due)][:limit]

    @rule(prefix=st.sampled_from(["", "O|", "O|2", "x"]), key=keys)
    def scan(self, prefix: str, key: str) -> None:
        partitions_found = [
            row.partition.removeprefix(self.prefix) for row in self.rows.scan(self.prefix + prefix, key)
        ]
        assert partitions_found == sorted(p for p, k in self.model if p.startswith(prefix) and k == key)

    @invariant()
    def every_row_is_as_in_the_model(self) -> None:
        for partition in ("O|1", "O|2", "R|1"):
            rows = {(partition, r.key): ModelRow(r.data, r.at, r.etag) for r in self.rows.list(self.prefix + partition)}
            assert rows == {place: row for place, row in self.model.items() if place[0] == partition}

    def build_change(self, partition: str, plan: PlannedChange) -> RowChange:
        model_row = self.model.get((partition, plan.key))
        stale = next((etag for etag in self.etags_given if model_row is None or etag != model_row.etag), "")
        etag = model_row.etag if model_row and (plan.has_current_etag or not stale) else stale
        if not etag or plan.kind is Put:
            return Put(plan.key, plan.data, plan.at)
        if plan.kind is Delete:
            return Delete(plan.key, etag)
        if plan.kind is Replace:
            return Replace(plan.key, plan.data, etag, plan.at)
        return Insert(plan.key, plan.data, plan.at)

    def is_allowed(self, partition: str, change: RowChange) -> bool:
        model_row = self.model.get((partition, change.key))
        match change:
            case Insert():
                return model_row is None
            case Put():
                return True
            case Replace() | Delete():
                return model_row is not None and model_row.etag == change.etag

    def apply_to_model(self, partition: str, change: RowChange, etag: str | None) -> None:
        place = (partition, change.key)
        before = self.model.pop(place, None)
        if isinstance(change, Delete):
            assert etag is None
            return
        assert etag is not None
        assert before is None or etag != before.etag
        self.etags_given.append(etag)
        self.model[place] = ModelRow(change.data, change.at, etag)

    def expected_keys(self, partition: str, prefix: str, due: datetime | None) -> Iterator[str]:
        for (place, key), row in sorted(self.model.items(), key=lambda item: item[0]):
            is_due = due is None or (row.at is not None and row.at <= due)
            if place == partition and key.startswith(prefix) and is_due:
                yield key


def check_against_model(rows: Rows, examples: int, steps: int) -> None:
    class Bound(StoreMachine):
        def __init__(self) -> None:
            super().__init__(rows)

    run_settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Bound, settings=run_settings)


def test_sqlite_agrees_with_the_model() -> None:
    with SqliteRows(":memory:") as rows:
        check_against_model(rows, examples=60, steps=30)


@pytest.mark.node
def test_table_storage_agrees_with_the_model(running_azurite: azurite.Azurite) -> None:
    with open_tables_from_connection_string(running_azurite.connection_string, "model") as rows:
        check_against_model(rows, examples=6, steps=12)
