"""Rows that commit f9a8dde stored are read as it read them, and written as it wrote them (stored_rows/README.md)."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from emulators.base.server import Response
from shared.domain.audit import Line, text_line
from shared.domain.deal import Side
from shared.store.link_store import LinkStore
from shared.store.rows import Put, Row
from shared.store.sqlite_rows import SqliteRows
from shared.store.table_storage_rows import TableRows
from tests.unit.store.conftest import ScriptedService, done_answer
from tests.unit.store.stored_store import (
    INTERRUPTED,
    SCENES,
    Scene,
    StoredRow,
    described_line,
    described_link,
    described_pointer,
    described_retry_entry,
    described_side,
    moment_of,
    scene,
    text_of,
)

LEASE = timedelta(minutes=5)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(params=SCENES)
def stored(request: pytest.FixtureRequest) -> Scene:
    return scene(request.param)


@pytest.fixture
def sqlite_rows(stored: Scene, tmp_path: Path) -> Iterator[SqliteRows]:
    """The stored rows in a file with the schema of f9a8dde."""
    path = tmp_path / "store.sqlite"
    connection = sqlite3.connect(path)
    stored.write_to(connection)
    connection.close()
    with SqliteRows(path, clock=lambda: stored.moment) as opened:
        yield opened


@pytest.fixture
def store(sqlite_rows: SqliteRows) -> LinkStore:
    return LinkStore(sqlite_rows)


def id_of(row: StoredRow) -> str:
    """What follows the kind in a partition: an opportunity, a referral, a side."""
    return row.partition.partition("|")[2]


# --- what the fixture holds -------------------------------------------------------------------------------------------


def test_the_fixture_holds_every_kind_of_row_and_effect() -> None:
    rows = [row for name in SCENES for row in scene(name).rows]
    kinds = {(row.partition.partition("|")[0], row.key.partition("|")[0]) for row in rows if row.at is None}
    cursors = {("cursor", name) for name in ("push_account", "push_done", "push_opportunity", "sweep", "sweep_done")}
    named = {("O", "link"), ("O", "a"), ("R", "pointer"), ("A", "claim"), ("side", "state"), ("owner", "salesforce")}
    assert kinds == named | cursors
    assert {row.partition for row in rows if row.at is not None} == {"due|partner_center", "due|salesforce"}
    links = [row.reads for row in rows if row.key in ("link", "pointer")]
    effects = {effect["kind"] for reads in links for effect in reads["intent"] or ()}
    assert effects == {
        "create_referral",
        "patch_referral",
        "write_opportunity",
        "mark_opportunity",
        "create_opportunity",
    }
    assert {reads["state"] for reads in links if "state" in reads} == {"live", "on_hold", "held", "parked"}
    assert {row.pieces for row in rows} == {1, 2}


# --- SQLite -----------------------------------------------------------------------------------------------------------


def test_links_are_read_as_they_were(stored: Scene, store: LinkStore) -> None:
    links = stored.of("O|", "link")
    for row in links:
        found = store.link(id_of(row))
        assert found is not None
        assert (described_link(found.value), found.age) == (row.reads, stored.age(row))
        store.replace_link(found, found.value)  # under the ETag that was stored
    scanned = {entry.value.opportunity_id: described_link(entry.value) for entry in store.links()}
    assert scanned == {id_of(row): row.reads for row in links}


def test_audit_lines_are_read_as_they_were_and_newest_first(stored: Scene, store: LinkStore) -> None:
    for partition, rows in groupby(stored.of("O|", "a|"), lambda row: row.partition):
        lines = [described_line(line) for line in store.audit(partition.removeprefix("O|"))]
        assert lines == [row.reads for row in rows]


def test_pointers_are_read_as_they_were(stored: Scene, store: LinkStore) -> None:
    for row in stored.of("R|", "pointer"):
        found = store.pointer(id_of(row).upper())
        assert found is not None
        assert (described_pointer(found.value), found.age) == (row.reads, stored.age(row))


def test_account_claims_hold_until_their_lease_ends(stored: Scene, store: LinkStore) -> None:
    for row in stored.of("A|", "claim"):
        assert store.claim_account(row.reads["account"], stored.age(row) + LEASE) is None
        assert store.claim_account(row.reads["account"], stored.age(row)) is not None


def test_retry_entries_are_read_as_they_were(stored: Scene, store: LinkStore) -> None:
    for side in Side:
        rows = stored.of(f"due|{side}", "")
        last = max(moment_of(row.at or 0) for row in rows)
        assert [described_retry_entry(entry) for entry in store.retry_entries(side, last, 1000)] == [
            row.reads for row in rows
        ]
        for row in rows:
            entry = store.retry_entry(side, row.key)
            assert entry is not None
            assert described_retry_entry(entry) == row.reads
        ready = {row.key for row in rows if moment_of(row.at or 0) <= stored.moment + timedelta(minutes=1)}
        assert {entry.key for entry in store.retry_entries(side, stored.moment + timedelta(minutes=1), 1000)} == ready


def test_a_retry_entry_is_removed_as_it_was_read(store: LinkStore) -> None:
    (entry, *others) = store.retry_entries(Side.SALESFORCE, FAR, 1000)
    store.remove_retry_entry(entry)
    assert list(store.retry_entries(Side.SALESFORCE, FAR, 1000)) == others


def test_sides_cursors_and_owner_are_read_as_they_were(stored: Scene, store: LinkStore) -> None:
    for row in stored.of("side|", "state"):
        assert described_side(store.side_state(Side(id_of(row)))) == row.reads
    cursors = stored.of("cursor", "")
    assert {name: at.isoformat() for name, at in store.cursors().items()} == {row.key: row.reads for row in cursors}
    assert {row.key for row in cursors} == {name for name in store.cursors() if store.cursor(name)}
    (owner,) = stored.of("owner", "salesforce")
    assert store.owner("another organisation") == owner.reads


# --- the form of the rows ---------------------------------------------------------------------------------------------


def test_what_is_written_again_unchanged_is_stored_as_it_was(
    stored: Scene, store: LinkStore, sqlite_rows: SqliteRows
) -> None:
    for row in stored.of("O|", "link"):
        link = store.link(id_of(row))
        assert link is not None
        store.replace_link(link, link.value)
    for row in stored.of("R|", "pointer"):
        pointer = store.pointer(id_of(row))
        assert pointer is not None
        store.replace_pointer(id_of(row), pointer, pointer.value)
    for row in stored.of("A|", "claim"):
        assert store.claim_account(row.reads["account"], timedelta()) is not None
    for side in Side:
        for entry in store.retry_entries(side, FAR, 1000):
            store.put_retry_entry(entry)
        if stored.of(f"side|{side}", "state"):
            store.write_side_state(side, store.side_state(side))
    store.move_cursors(store.cursors())
    assert forms(all_rows(sqlite_rows, stored)) == [without_calls_at_once(form) for form in forms(stored_rows(stored))]
    same = {row.key.partition("|")[0] for row in all_rows(sqlite_rows, stored) if int(row.etag) <= stored.changes}
    assert same == {"a", "salesforce"}, "audit lines and the owner are never written twice; all others were"


def test_audit_lines_that_are_written_again_are_the_same_rows(
    stored: Scene, store: LinkStore, sqlite_rows: SqliteRows
) -> None:
    for row in stored.of("O|", "a|"):
        link = store.link(id_of(row))
        assert link is not None
        moment, number, _ = row.key.removeprefix("a|").split("|")
        written_with_it = {one.key.split("|")[2]: one for one in stored.of(row.partition, f"a|{moment}|")}
        lines = [written_with_it[f"{before:03d}"] for before in range(int(number))]
        store.replace_link(link, link.value, [line_of(one) for one in (*lines, row)])
    assert forms(all_rows(sqlite_rows, stored)) == forms(stored_rows(stored))
    assert all(int(row.etag) > stored.changes for row in all_rows(sqlite_rows, stored) if row.key.startswith("a|"))


def line_of(row: StoredRow) -> Line:
    return text_line(datetime.fromisoformat(row.reads["at"]), row.reads["text"])


def stored_rows(stored: Scene) -> list[Row]:
    """The fixture's rows as an adapter is to read them at that moment."""
    return [
        Row(
            row.partition,
            row.key,
            row.data,
            str(row.etag),
            moment_of(row.changed),
            stored.moment,
            None if row.at is None else moment_of(row.at),
        )
        for row in stored.rows
    ]


def all_rows(rows: SqliteRows, stored: Scene) -> list[Row]:
    return [row for partition in sorted({row.partition for row in stored.rows}) for row in rows.list(partition)]


def forms(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """What a row says, before compression: another zlib may compress it to other bytes."""
    return [(row.partition, row.key, row.at, *text_of(row.data)) for row in rows]


def without_calls_at_once(form: tuple[object, ...]) -> tuple[object, ...]:
    """What this build writes of the same row: it stores no figure of calls at once."""
    *place, text = form
    is_side = str(place[0]).startswith("side|")
    return (*place, str(text).replace('"throttled",4]', '"throttled",null]') if is_side else text)


def test_sqlite_reads_each_row_whole(stored: Scene, sqlite_rows: SqliteRows) -> None:
    assert all_rows(sqlite_rows, stored) == stored_rows(stored)


# --- Table Storage ----------------------------------------------------------------------------------------------------


def test_table_storage_reads_the_same_rows(rows: TableRows, service: ScriptedService) -> None:
    """One page of all entities, answered as the service answers a query."""
    for name in SCENES:
        stored = scene(name)
        entities = {"value": [row.entity for row in stored.rows]}
        date = f"{stored.moment:%a, %d %b %Y %H:%M:%S GMT}"
        service.answers = [Response.of(entities, 200, Date=date)]
        found = [replace(row, etag=row.etag.removeprefix('W/"').removesuffix('"')) for row in rows.list("O|1")]
        assert found == stored_rows(stored)


def test_table_storage_is_sent_the_same_entities(rows: TableRows, service: ScriptedService) -> None:
    """One partition of each kind, and the link that needs two properties."""
    stored = scene(INTERRUPTED)
    chosen = {row.partition.partition("|")[0]: row.partition for row in stored.rows}
    large = [row.partition for row in stored.rows if row.pieces > 1]
    for partition in {*chosen.values(), *large}:
        written = stored.of(partition, "")
        service.answers, service.requests = [done_answer(len(written))], []
        rows.write(
            partition, [Put(row.key, row.data, None if row.at is None else moment_of(row.at)) for row in written]
        )
        (request,) = service.requests
        lines = [line for line in request.body.decode().splitlines() if line.startswith("{")]
        assert [json.loads(line) for line in lines] == [
            {"PartitionKey": partition, "RowKey": row.key, **row.properties} for row in written
        ]
