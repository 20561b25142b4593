"""The store caches the states of both sides: every run needs them, and few of them are read anew."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.deal import Side
from shared.foundation.errors import StoreUnavailable
from shared.store.link_store import LinkStore
from shared.store.rows import Row
from shared.store.sqlite_rows import SqliteRows
from shared.store.stored_values import SideState

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PAUSED = SideState(NOW + timedelta(minutes=15), "throttled")


class CountingRows(SqliteRows):
    """Rows that count the reads of side states, and fail if a test sets this."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.reads = 0
        self.is_down = False

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        self.reads += 1
        if self.is_down:
            raise StoreUnavailable("down")
        return super().scan(partition_prefix, key, after=after)


class TwoInstances:
    """Two instances with the same rows and the same clock."""

    def __init__(self, rows: CountingRows) -> None:
        self.rows, self.seconds = rows, 0.0
        self.one, self.other = LinkStore(rows, lambda: self.seconds), LinkStore(rows, lambda: self.seconds)


@pytest.fixture
def instances() -> Iterator[TwoInstances]:
    rows = CountingRows()
    yield TwoInstances(rows)
    rows.close()


def test_both_sides_are_read_at_once_and_kept_for_five_seconds(instances: TwoInstances) -> None:
    for side in Side:
        instances.one.side_state(side)
    instances.seconds = 4.9
    instances.one.side_state(Side.SALESFORCE)
    assert instances.rows.reads == 1
    instances.seconds = 5.0
    instances.one.side_state(Side.SALESFORCE)
    assert instances.rows.reads == 2


def test_a_pause_is_seen_at_once_by_its_writer_and_within_five_seconds_by_others(
    instances: TwoInstances,
) -> None:
    for store in (instances.one, instances.other):
        assert store.side_state(Side.SALESFORCE) == SideState()
    instances.one.write_side_state(Side.SALESFORCE, PAUSED)
    assert instances.one.side_state(Side.SALESFORCE) == PAUSED
    assert instances.other.side_state(Side.SALESFORCE) == SideState()
    instances.seconds = 5.0
    assert instances.other.side_state(Side.SALESFORCE) == PAUSED


def test_a_fresh_read_ignores_the_cache(instances: TwoInstances) -> None:
    instances.other.side_state(Side.PARTNER_CENTER)
    instances.one.write_side_state(Side.PARTNER_CENTER, PAUSED)
    assert instances.other.side_state(Side.PARTNER_CENTER, fresh=True) == PAUSED
    assert instances.other.side_state(Side.PARTNER_CENTER) == PAUSED


def test_a_failed_read_is_not_cached(instances: TwoInstances) -> None:
    instances.rows.is_down = True
    with pytest.raises(StoreUnavailable):
        instances.one.side_state(Side.SALESFORCE)
    instances.rows.is_down = False
    instances.other.write_side_state(Side.SALESFORCE, PAUSED)
    assert instances.one.side_state(Side.SALESFORCE) == PAUSED


def test_cursors_move_together_and_are_read_together(instances: TwoInstances) -> None:
    assert instances.one.cursors() == {}
    instances.one.move_cursors({"push_opportunity": NOW, "push_account": NOW - timedelta(days=1)})
    instances.one.move_cursor("sweep", NOW)
    assert instances.other.cursors() == {
        "push_account": NOW - timedelta(days=1), "push_opportunity": NOW, "sweep": NOW,
    }  # fmt: skip
