"""The counts of mass changes: one row, which all instances change under its ETag (docs/protocol.md#rows)."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.link import Link
from shared.store.link_store import LinkStore
from shared.store.mass_counts import MassCount, count_from_json, count_to_json
from shared.store.sqlite_rows import SqliteRows

NOW = datetime(2026, 12, 1, 23, 0, tzinfo=UTC)
CLOSES = "closure|partner_center"


@pytest.fixture
def store() -> Iterator[LinkStore]:
    with closing(SqliteRows(":memory:")) as rows:
        yield LinkStore(rows)


def let_go(store: LinkStore, *keys: str, at: datetime = NOW, limit: int | None = 2) -> set[str]:
    granted, _ = store.let_changes_go(CLOSES, {key: key for key in keys}, at, limit)
    return set(granted)


def test_a_change_that_is_tried_again_counts_once_and_a_new_day_begins_anew(store: LinkStore) -> None:
    assert let_go(store, "a", "b") == {"a", "b"}
    assert let_go(store, "a", "b") == {"a", "b"}
    assert let_go(store, "c", at=NOW + timedelta(hours=2)) == {"c"}
    assert let_go(store, "d", "e", "f", at=NOW) == {"d"}, "a clock that is late brings no day back"


def test_a_count_of_yesterday_is_forgotten_and_with_it_the_mark_of_a_value(store: LinkStore) -> None:
    value, tomorrow = "value|partner_center|notes|0123456789abcdef", NOW + timedelta(days=1)
    store.let_changes_go(value, {"a": "a"}, NOW, 2)
    store.forget_counts(NOW)
    assert set(store.mass_counts()) == {value}, "it counts until the day is over"
    let_go(store, "a", "b", "c")
    store.forget_counts(tomorrow)
    assert set(store.mass_counts()) == {CLOSES}, "what is stopped stays stopped"
    store.approve_changes(CLOSES, 1, tomorrow)
    store.forget_counts(tomorrow + timedelta(days=1))
    assert set(store.mass_counts()) == {CLOSES}, "what was approved and not made yet"
    store.forget_counts(tomorrow + timedelta(days=3))
    assert store.mass_counts() == {}


def test_what_was_approved_passes_beside_the_limit_and_ends_after_two_days(store: LinkStore) -> None:
    assert let_go(store, "a", "b", "c") == {"a", "b"}
    store.approve_changes(CLOSES, 3, NOW)
    assert let_go(store, "c", "d") == {"c", "d"}
    assert let_go(store, "e", "f", at=NOW + timedelta(days=3)) == {"e", "f"}, "those of the new day"
    assert let_go(store, "g", at=NOW + timedelta(days=3)) == set()


def test_without_a_setting_the_limit_is_fifty_or_a_twentieth_of_the_links(store: LinkStore) -> None:
    keys = [str(number) for number in range(60)]
    assert len(let_go(store, *keys, limit=None)) == 50
    for number in range(1100):
        store.insert_link(Link(f"{number:018}"))
    tomorrow = NOW + timedelta(days=1)
    store.release_changes(CLOSES, tomorrow)
    assert len(let_go(store, *keys, at=tomorrow, limit=None)) == 55


def test_a_count_keeps_what_a_later_build_stored() -> None:
    stored = count_to_json(MassCount(date(2026, 12, 1), 3, ("a",))) | {"later": [1]}
    assert count_to_json(count_from_json(stored)) == stored


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.lists(st.integers(0, 30), max_size=8), st.integers(0, 30)), max_size=12),
    st.integers(1, 6),
)
def test_no_schedule_of_two_instances_makes_more_than_the_limit_of_a_day_without_a_word(
    runs: list[tuple[int, list[int], int]], limit: int
) -> None:
    """A change that was let go once is free on that day, whoever tries it again."""
    made, now = dict[date, set[str]](), NOW
    with closing(SqliteRows(":memory:")) as rows:
        instances = LinkStore(rows), LinkStore(rows)
        for instance, deals, hours in runs:
            now += timedelta(hours=hours)
            granted = let_go(instances[instance], *(str(deal) for deal in deals), at=now, limit=limit)
            made.setdefault(now.date(), set()).update(granted)
    assert all(len(deals) <= limit for deals in made.values())
