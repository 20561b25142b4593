"""A copy goes from each store into each other one, and a deal goes on with a table that was imported."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from shared.store.import_copy import Import
from shared.store.row_codec import pack
from shared.store.rows import Insert, Rows
from shared.store.sqlite_rows import SqliteRows
from shared.store.store_copy import check_copy, write_copy
from tests.unit.sync.copied_store import copy_of, lose_store
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def content(rows: Rows) -> list[tuple[str, str, bytes, datetime | None]]:
    kept = (row for row in rows.walk("", "~") if not row.partition.startswith("side|"))
    return [(row.partition, row.key, row.data, row.at) for row in kept]


def copied(rows: Rows) -> bytes:
    out = BytesIO()
    write_copy(rows, out, began=NOON, build="0.8.0")
    return out.getvalue()


def import_copy(rows: Rows, copy: bytes) -> None:
    imported = Import(rows, check_copy(BytesIO(copy)))
    imported.begin("00D")
    imported.insert_rows(BytesIO(copy))
    imported.finish(NOON)


def fill(rows: Rows) -> None:
    """Rows of every size and kind, more than a page of them."""
    rows.write("owner", [Insert("salesforce", pack("00D"))])
    rows.write("cursor", [Insert("sweep", pack(NOON.isoformat()))])
    rows.write("due|salesforce", [Insert("O'Neil & %2F", b"\x00\xff", NOON)])
    rows.write("later kind", [Insert("~", b""), Insert(" ", bytes(range(256)) * 600, NOON)])
    for number in range(12):
        rows.write(f"O|{number:03}", [Insert("link", bytes(61_000)), *(Insert(f"a|{n:02}", b"x") for n in range(99))])


def test_a_copy_of_this_store_goes_into_sqlite_and_comes_back(rows: Rows, tmp_path: Path) -> None:
    fill(rows)
    with SqliteRows(tmp_path / "other.sqlite") as other:
        import_copy(other, copied(rows))
        assert content(other) == content(rows)


def test_a_copy_of_sqlite_goes_into_this_store(rows: Rows, tmp_path: Path) -> None:
    with SqliteRows(tmp_path / "other.sqlite") as other:
        fill(other)
        import_copy(rows, copied(other))
        assert content(rows) == content(other)


@pytest.mark.slow
def test_deals_go_on_with_an_imported_table(rows: Rows) -> None:
    with Harness() as harness:
        untouched, edited = harness.shared_deal(), harness.shared_deal()
        copy = copy_of(harness)
        harness.seller_edits(edited, Amount=777, StageName="Closed Won")
        harness.run_rounds()
        sent, (_, arrived) = harness.shared_deal(Name="Sent since"), arrived_deal(harness)
        harness.colleague_edits(harness.referral_of(untouched)["id"], details_dealValue=42)
        before = len(harness.our_referrals()), len(harness.salesforce.records("Opportunity"))

        lose_store(harness, copy, rows)
        harness.run_rounds()

        deals = (untouched, edited, sent, arrived)
        assert [harness.differences(deal) for deal in deals] == [[]] * 4
        assert [harness.opportunity(deal)["Amount"] for deal in (untouched, edited)] == [42, 777]
        assert (len(harness.our_referrals()), len(harness.salesforce.records("Opportunity"))) == before
        assert_quiet(harness)
