"""A copy of the store has every row, is refused if anything is wrong with it, and goes only into an empty table.

Source: docs/protocol.md#copies-of-the-store.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from shared.domain.deal import Side
from shared.domain.policy import PULL, PUSH
from shared.foundation.errors import ConfigurationError, StoreUnavailable
from shared.store.import_copy import FOREVER, Import
from shared.store.link_store import LinkStore
from shared.store.operator_rows import Action, store_action
from shared.store.row_codec import pack
from shared.store.rows import Insert, Put, RowChange, Rows
from shared.store.sqlite_rows import SqliteRows
from shared.store.store_copy import CopyFacts, CopyReader, check_copy, rows_in_order, write_copy
from shared.store.stored_values import KnownPath, RetryEntry, SideState

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ORGANIZATION = "00D000000000001AAA"
MADE_ANEW = {("side|partner_center", "state"), ("side|salesforce", "state"), ("side|store", "state")}


class DyingRows(SqliteRows):
    """A store whose process dies at a write: none of the later ones is made."""

    writes_left = 10**9

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        if self.writes_left == 0:
            raise StoreUnavailable("the process died")
        self.writes_left -= 1
        return super().write(partition, changes)


@pytest.fixture
def full() -> Iterator[SqliteRows]:
    """A store with rows of each kind, and of one that only a later build knows."""
    with SqliteRows(":memory:", clock=lambda: NOW) as rows:
        store = LinkStore(rows, lambda: 0.0)
        store.owner(ORGANIZATION)
        store.move_cursors({"opportunity": NOW, "sweep": NOW, "began": NOW - timedelta(days=9)})
        paths = {"/name": KnownPath("0.8.0", is_taken=False)}
        store.write_side_state(Side.PARTNER_CENTER, SideState(NOW, "throttled", paths))
        store.put_retry_entry(RetryEntry(Side.SALESFORCE, "006A", NOW, "held", since=NOW))
        rows.write("O|006A", [Insert("link", b"\x09of a later build"), *(Insert(f"a|{n:03}", b"l") for n in range(90))])
        rows.write("O|006B", [Insert("link", bytes(70_000)), Insert("a|1", b""), Insert("new kind", b"\x00\xff")])
        rows.write("R|r-1", [Insert("pointer", pack({"opportunity_id": "006A", "intent": None}))])
        rows.write("A|hash", [Insert("claim", pack(None))])
        rows.write("mass", [Put("creations|salesforce", b"an approval")])
        store.pause_direction(PUSH, NOW, "an operator")
        store_action(rows, Action(NOW, "pause", "push", "an operator"))
        rows.write("later|1", [Put("unknown", b"?", NOW + timedelta(microseconds=1))])
        yield rows


@pytest.fixture
def empty() -> Iterator[DyingRows]:
    with DyingRows(":memory:", clock=lambda: NOW) as rows:
        yield rows


def copied(rows: Rows) -> bytes:
    out = BytesIO()
    write_copy(rows, out, began=NOW, build="0.8.0")
    return out.getvalue()


def import_copy(rows: Rows, copy: bytes, organization: str = ORGANIZATION) -> int:
    imported = Import(rows, check_copy(BytesIO(copy)))
    imported.begin(organization)
    inserted = imported.insert_rows(BytesIO(copy))
    imported.finish(NOW)
    return inserted


def content(rows: Rows) -> dict[tuple[str, str], tuple[bytes, datetime | None]]:
    return {(row.partition, row.key): (row.data, row.at) for row in rows.walk("", "~")}


def test_every_row_comes_back_byte_for_byte_but_claims_approvals_and_pauses(full: SqliteRows, empty: DyingRows) -> None:
    import_copy(empty, copied(full))
    before, after = content(full), content(empty)
    assert after.keys() - before.keys() == MADE_ANEW - before.keys()
    left_out = {("A|hash", "claim"), ("mass", "creations|salesforce"), ("side|push_paused", "state")}
    assert before.keys() - after.keys() == left_out
    assert {key for key in after.keys() & before.keys() if after[key] != before[key]} <= MADE_ANEW
    known = LinkStore(empty, lambda: 0.0)
    state = known.side_state(Side.PARTNER_CENTER)
    assert state.paused_until is None
    assert state.paths == {"/name": KnownPath("0.8.0", is_taken=False)}
    origin = known.copied
    assert origin is not None
    assert (origin.began, origin.imported) == (NOW, NOW)


def test_cursors_entries_and_pointers_are_read_before_any_link(full: SqliteRows) -> None:
    kinds = list(dict.fromkeys(row.partition.partition("|")[0] for row in rows_in_order(full)))
    assert kinds[:3] == ["cursor", "due", "R"]
    assert sorted(kinds) == sorted({partition.partition("|")[0] for partition, _ in content(full)})


def test_a_copy_says_whose_it_is_and_how_many_rows_it_has(full: SqliteRows) -> None:
    facts = check_copy(BytesIO(copied(full)))
    assert (facts.organization, facts.began, facts.count) == (ORGANIZATION, NOW, len(content(full)))


def _changed(copy: bytes) -> dict[str, bytes]:
    lines = gzip.decompress(copy).splitlines(keepends=True)
    later = json.dumps({**json.loads(lines[0]), "format": 2}).encode() + b"\n"
    return {
        "cut": copy[: len(copy) // 2],
        "without its last byte": copy[:-1],
        "a bit": copy[:400] + bytes((copy[400] ^ 1,)) + copy[401:],
        "empty": b"",
        "no gzip": b"PK" + copy,
        "another file": gzip.compress(b"{}\n"),
        "a row less": gzip.compress(b"".join(lines[:5] + lines[6:])),
        "a row changed": gzip.compress(b"".join(lines).replace(b"006A", b"006C")),
        "without its end": gzip.compress(b"".join(lines[:-1])),
        "something behind": gzip.compress(b"".join(lines) + b"[]\n"),
        "a later format": gzip.compress(later + b"".join(lines[1:])),
    }


def test_a_copy_that_is_damaged_or_too_new_is_refused_before_a_row_is_written(
    full: SqliteRows, empty: DyingRows
) -> None:
    for name, damaged in _changed(copied(full)).items():
        with pytest.raises(ConfigurationError):
            import_copy(empty, damaged)
        assert content(empty) == {}, name


def test_a_pause_by_an_operator_makes_no_table_full_and_stays(full: SqliteRows, empty: DyingRows) -> None:
    LinkStore(empty).pause_direction(PULL, NOW, "an operator")
    store_action(empty, Action(NOW, "pause", "pull", "an operator"))
    import_copy(empty, copied(full))
    assert [*LinkStore(empty).pauses()] == [PULL]


def test_a_copy_of_another_organisation_is_refused(full: SqliteRows, empty: DyingRows) -> None:
    with pytest.raises(ConfigurationError, match="00D000000000002AAA"):
        import_copy(empty, copied(full), "00D000000000002AAA")
    assert content(empty) == {}


def test_a_table_with_a_row_of_a_deal_is_refused(full: SqliteRows, empty: DyingRows) -> None:
    copy = copied(full)
    empty.write("R|r-9", [Insert("pointer", b"")])
    with pytest.raises(
        ConfigurationError,
        match=r"the table is in use: .*#empty-or-restore-the-store",
    ):
        import_copy(empty, copy)
    assert len(content(empty)) == 1


def test_a_table_whose_app_has_just_worked_is_refused_and_what_it_wrote_without_deals_is_not(
    full: SqliteRows, empty: DyingRows
) -> None:
    store = LinkStore(empty, lambda: 0.0)
    store.owner(ORGANIZATION)
    store.put_retry_entry(RetryEntry(Side.SALESFORCE, "006A", NOW + timedelta(hours=1), "poisoned"))
    store.move_cursors({"push_done": NOW, "a new query": NOW})
    with pytest.raises(ConfigurationError, match="SYNC=off"):
        import_copy(empty, copied(full))
    (heartbeat,) = empty.list("cursor", prefix="push_done")
    empty.write("cursor", [Put("push_done", heartbeat.data)])
    empty._clock = lambda: NOW + timedelta(minutes=16)
    import_copy(empty, copied(full))
    assert {row.key for row in empty.list("cursor")} == {"began", "opportunity", "sweep"}, "a later cursor would skip"
    entry = store.retry_entry(Side.SALESFORCE, "006A")
    assert entry is not None
    assert entry.cause == "poisoned"


def test_an_import_that_stops_anywhere_goes_on_and_keeps_the_app_away_until_its_end(
    full: SqliteRows, empty: DyingRows
) -> None:
    copy = copied(full)
    import_copy(empty, copy)
    expected, writes = content(empty), 10**9 - empty.writes_left
    for done in range(writes):
        with DyingRows(":memory:", clock=lambda: NOW) as rows:
            rows.writes_left = done
            with pytest.raises(StoreUnavailable):
                import_copy(rows, copy)
            rows.writes_left = 10**9
            has_deals = any(partition.startswith(("O|", "R|")) for partition, _ in content(rows))
            if has_deals:
                assert LinkStore(rows, lambda: 0.0).side_state(Side.SALESFORCE).paused_until == FOREVER
            imported = Import(rows, check_copy(BytesIO(copy)))
            if imported.is_done:
                imported.end_pause()
            else:
                import_copy(rows, copy)
            assert content(rows) == expected, done


def test_a_table_that_holds_a_part_of_another_copy_is_refused(full: SqliteRows, empty: DyingRows) -> None:
    first = copied(full)
    full.write("later|2", [Put("unknown", b"")])
    empty.writes_left = 5
    with pytest.raises(StoreUnavailable):
        import_copy(empty, first)
    empty.writes_left = 10**9
    with pytest.raises(ConfigurationError, match="another copy"):
        import_copy(empty, copied(full))


def test_reading_a_copy_keeps_no_more_than_a_row(full: SqliteRows) -> None:
    reader = CopyReader(BytesIO(copied(full)))
    assert next(iter(reader)).partition == "cursor"
    with pytest.raises(ConfigurationError):
        assert isinstance(reader.facts, CopyFacts)
