"""How far the compare has come survives the store; a row of another build begins the compare anew."""

from datetime import UTC, datetime

from shared.store.link_store import LinkStore
from shared.store.row_codec import pack
from shared.store.rows import Put
from shared.store.sqlite_rows import SqliteRows
from shared.store.stored_values import CompareProgress

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
PROGRESS = CompareProgress(NOON, "referrals", "006000000000001AAA", NOON, "006000000000002AAA", {"drift": 2})


def test_the_place_of_a_compare_is_read_back_as_it_was_stored() -> None:
    with SqliteRows(":memory:") as rows:
        store = LinkStore(rows)
        assert store.compare_progress() is None
        store.keep_compare_progress(PROGRESS)
        assert store.compare_progress() == PROGRESS


def test_keys_of_a_later_build_are_passed_over_and_missing_ones_have_their_defaults() -> None:
    with SqliteRows(":memory:") as rows:
        rows.write("compare", [Put("progress", pack({"begun": NOON.isoformat(), "phase": "links", "later": 1}))])
        assert LinkStore(rows).compare_progress() == CompareProgress(NOON, "links")


def test_a_row_that_cannot_be_read_is_none() -> None:
    with SqliteRows(":memory:") as rows:
        for data in (b"damaged", pack(["another shape"]), pack({"begun": "yesterday", "phase": "links"})):
            rows.write("compare", [Put("progress", data)])
            assert LinkStore(rows).compare_progress() is None
