"""What the store keeps of the sides: every run asks how they are, and few of the answers are read anew."""

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
PAUSED = SideState(NOW + timedelta(minutes=15), "throttled", 4)


class Watched(SqliteRows):
    """Rows that count what is read of the sides, and fail on demand."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.reads = 0
        self.is_down = False

    def scan(self, partition_prefix: str, key: str) -> Iterator[Row]:
        self.reads += 1
        if self.is_down:
            raise StoreUnavailable("down")
        return super().scan(partition_prefix, key)


class World:
    """Two instances on the same rows, and a clock for both."""

    def __init__(self, rows: Watched) -> None:
        self.rows, self.seconds = rows, 0.0
        self.one, self.other = LinkStore(rows, lambda: self.seconds), LinkStore(rows, lambda: self.seconds)


@pytest.fixture
def world() -> Iterator[World]:
    rows = Watched()
    yield World(rows)
    rows.close()


def test_both_sides_are_read_at_once_and_kept_for_five_seconds(world: World) -> None:
    for side in Side:
        world.one.side_state(side)
    world.seconds = 4.9
    world.one.side_state(Side.SALESFORCE)
    assert world.rows.reads == 1
    world.seconds = 5.0
    world.one.side_state(Side.SALESFORCE)
    assert world.rows.reads == 2


def test_a_pause_is_known_at_once_to_who_wrote_it_and_to_the_others_within_five_seconds(world: World) -> None:
    for store in (world.one, world.other):
        assert store.side_state(Side.SALESFORCE) == SideState()
    world.one.write_side_state(Side.SALESFORCE, PAUSED)
    assert world.one.side_state(Side.SALESFORCE) == PAUSED
    assert world.other.side_state(Side.SALESFORCE) == SideState()
    world.seconds = 5.0
    assert world.other.side_state(Side.SALESFORCE) == PAUSED


def test_who_is_to_change_a_side_reads_it_fresh(world: World) -> None:
    world.other.side_state(Side.PARTNER_CENTER)
    world.one.write_side_state(Side.PARTNER_CENTER, PAUSED)
    assert world.other.side_state(Side.PARTNER_CENTER, fresh=True) == PAUSED
    assert world.other.side_state(Side.PARTNER_CENTER) == PAUSED


def test_what_could_not_be_read_is_read_again(world: World) -> None:
    world.rows.is_down = True
    with pytest.raises(StoreUnavailable):
        world.one.side_state(Side.SALESFORCE)
    world.rows.is_down = False
    world.other.write_side_state(Side.SALESFORCE, PAUSED)
    assert world.one.side_state(Side.SALESFORCE) == PAUSED


def test_cursors_move_together_and_are_read_together(world: World) -> None:
    assert world.one.cursors() == {}
    world.one.move_cursors({"push_opportunity": NOW, "push_account": NOW - timedelta(days=1)})
    world.one.move_cursor("sweep", NOW)
    assert world.other.cursors() == {
        "push_account": NOW - timedelta(days=1), "push_opportunity": NOW, "sweep": NOW,
    }  # fmt: skip
