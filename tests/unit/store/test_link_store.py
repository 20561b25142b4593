"""The link store on SQLite rows. `tests/conformance/test_rows.py` tests the row contract for every adapter."""

from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shared.domain.audit import Line
from shared.domain.audit_text import audit_text
from shared.domain.deal import Deal, Side
from shared.domain.link import Intent, Link, Pointer
from shared.domain.sentences import LineDirection
from shared.foundation.errors import StoreConflict
from shared.store.link_store import LinkStore
from shared.store.row_codec import unpack
from shared.store.sqlite_rows import SqliteRows
from shared.store.stored_values import RetryEntry, SideState

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LEASE = timedelta(minutes=5)
DEAL = "006000000000001AAA"
OTHER = "006000000000002AAA"


class StoreClock:
    """The store's own clock."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> StoreClock:
    return StoreClock()


@pytest.fixture
def store(clock: StoreClock) -> Iterator[LinkStore]:
    rows = open_rows(clock)
    yield LinkStore(rows)
    rows.close()


def open_rows(clock: StoreClock) -> SqliteRows:
    return SqliteRows(":memory:", clock=clock)


def audit_line(text: str, at: datetime = NOW) -> Line:
    return Line(at, "problem", values={"reason": text, "remedy": "now"})


def reasons(store: LinkStore) -> list[str]:
    """What the stored lines of the deal say, newest first."""
    return [line.values["reason"] for line in store.audit(DEAL)]


# --- links and their audit --------------------------------------------------------------------------------------------


def test_a_link_is_read_with_its_etag_and_age(store: LinkStore, clock: StoreClock) -> None:
    written = store.insert_link(Link(DEAL, base=Deal(name="Robots")))
    clock.now += timedelta(seconds=90)
    stored = store.link(DEAL)
    assert stored
    assert (stored.value, stored.etag, stored.age) == (written.value, written.etag, timedelta(seconds=90))


def test_an_opportunity_without_a_link_has_none(store: LinkStore) -> None:
    store.insert_link(Link(DEAL))
    assert store.link(OTHER) is None


def test_a_second_link_of_an_opportunity_is_a_conflict(store: LinkStore) -> None:
    store.insert_link(Link(DEAL, referral_id="first"))
    with pytest.raises(StoreConflict):
        store.insert_link(Link(DEAL, referral_id="second"))
    stored = store.link(DEAL)
    assert stored
    assert stored.value.referral_id == "first"


def test_only_the_last_reader_may_change_a_link(store: LinkStore) -> None:
    first = store.insert_link(Link(DEAL))
    second = store.replace_link(first, replace(first.value, intent=Intent()))
    with pytest.raises(StoreConflict):
        store.replace_link(first, first.value)
    assert store.replace_link(second, replace(second.value, intent=None)).etag != second.etag


def test_a_change_that_fails_leaves_no_audit_line(store: LinkStore) -> None:
    """Effect, base and audit lines are one transaction (docs/protocol.md#one-effect-after-the-other)."""
    first = store.insert_link(Link(DEAL), [audit_line("made")])
    store.replace_link(first, first.value)
    with pytest.raises(StoreConflict):
        store.replace_link(first, first.value, [audit_line("never happened")])
    assert reasons(store) == ["made"]


def test_the_audit_is_newest_first_and_keeps_the_order_of_lines_written_together(store: LinkStore) -> None:
    entry = store.insert_link(Link(DEAL), [audit_line("a1"), audit_line("a2")])
    entry = store.replace_link(entry, entry.value, [audit_line("b1", NOW + timedelta(milliseconds=1))])
    store.replace_link(
        entry, entry.value, [audit_line("c1", NOW + timedelta(days=1)), audit_line("c2", NOW + timedelta(days=1))]
    )
    assert reasons(store) == ["c1", "c2", "b1", "a1", "a2"]
    assert store.audit(DEAL)[2].at == NOW + timedelta(milliseconds=1)
    assert store.audit(OTHER) == []


def test_audit_lines_of_one_millisecond_do_not_overwrite_each_other(store: LinkStore) -> None:
    entry = store.insert_link(Link(DEAL), [audit_line("one")])
    store.replace_link(entry, entry.value, [audit_line("another")])
    assert set(reasons(store)) == {"one", "another"}


def test_every_line_gets_the_id_of_the_run_that_stores_it(store: LinkStore) -> None:
    entry = store.insert_link(Link(DEAL), [audit_line("one"), audit_line("two")], "first run")
    store.replace_link(entry, entry.value, [audit_line("three", NOW + timedelta(days=1))], "second run")
    ids = {line.values["reason"]: line.correlation_id for line in store.audit(DEAL)}
    assert ids == {"one": "first run", "two": "first run", "three": "second run"}


def test_a_line_that_is_written_again_is_the_same_row_whichever_run_writes_it(store: LinkStore) -> None:
    entry = store.insert_link(Link(DEAL), [audit_line("one")], "first run")
    entry = store.replace_link(entry, entry.value, [audit_line("one")], "second run")
    assert reasons(store) == ["one"]
    store.replace_link(entry, entry.value, [replace(audit_line("one"), field="money")], "second run")
    assert reasons(store) == ["one", "one"], "a line about a field is another line"


def test_lines_are_stored_as_data_without_what_is_empty(clock: StoreClock) -> None:
    with open_rows(clock) as rows:
        store = LinkStore(rows)
        sent = LineDirection.TO_PARTNER_CENTER
        line = Line(
            NOW, "changed", sent, Side.PARTNER_CENTER, "money", "1.00 USD", "2.00 USD", "confirmed", {"label": "Amount"}
        )
        store.insert_link(Link(DEAL), [line, Line(NOW, "adopted_opportunity")], "a run")
        stored = [unpack(row.data) for row in rows.list(f"O|{DEAL}", prefix="a|")]
    assert stored == [
        {
            "at": "2026-11-22T10:00:00Z",
            "code": "changed",
            "direction": "to_partner_center",
            "side": "partner_center",
            "field": "money",
            "before": "1.00 USD",
            "after": "2.00 USD",
            "rule": "confirmed",
            "values": {"label": "Amount"},
            "correlation_id": "a run",
        },
        {"at": "2026-11-22T10:00:00Z", "code": "adopted_opportunity", "correlation_id": "a run"},
    ]


@pytest.mark.parametrize("count", [99, 100, 300])
def test_any_number_of_lines_goes_into_one_transaction_with_the_link(store: LinkStore, count: int) -> None:
    """A mapping file may have any number of fields, and a transaction of Table Storage has 100 changes."""
    lines = [audit_line(f"line {number}.") for number in range(count)]
    store.insert_link(Link(DEAL), lines, "a run")
    found = store.audit(DEAL)
    assert len(found) == 99
    assert audit_text(found[:98]) == audit_text(lines[:98])
    assert found[98].text == " ".join(line.text for line in lines[98:])
    assert {line.correlation_id for line in found} == {"a run"}


def test_links_returns_all_links_and_nothing_else(store: LinkStore) -> None:
    store.insert_link(Link(DEAL), [audit_line("created")])
    store.insert_link(Link(OTHER))
    store.insert_pointer("r", Pointer(DEAL))
    store.move_cursor("push", NOW)
    assert {entry.value.opportunity_id for entry in store.links()} == {DEAL, OTHER}


def test_only_the_last_reader_may_delete_a_link(store: LinkStore) -> None:
    first = store.insert_link(Link(DEAL))
    second = store.replace_link(first, replace(first.value, intent=Intent()))
    with pytest.raises(StoreConflict):
        store.delete_link(first)
    store.delete_link(second)
    assert store.link(DEAL) is None


# --- pointers ---------------------------------------------------------------------------------------------------------


def test_a_referral_id_means_the_same_in_any_case(store: LinkStore) -> None:
    store.insert_pointer("5D0F-ABC", Pointer(DEAL))
    stored = store.pointer("5d0f-abc")
    assert stored
    assert stored.value == Pointer(DEAL)
    with pytest.raises(StoreConflict):
        store.insert_pointer("5d0f-ABC", Pointer(OTHER))


def test_only_the_last_reader_may_change_or_delete_a_pointer(store: LinkStore) -> None:
    first = store.insert_pointer("r", Pointer())
    second = store.replace_pointer("r", first, Pointer(DEAL))
    with pytest.raises(StoreConflict):
        store.replace_pointer("r", first, Pointer(OTHER))
    with pytest.raises(StoreConflict):
        store.delete_pointer("r", first)
    store.delete_pointer("r", second)
    assert store.pointer("r") is None


# --- claims on accounts -----------------------------------------------------------------------------------------------


def test_an_account_is_claimed_by_one_at_a_time(store: LinkStore) -> None:
    claim = store.claim_account("northwind|US", LEASE)
    assert claim
    assert store.claim_account("northwind|US", LEASE) is None
    assert store.claim_account("northwind|DE", LEASE)
    store.release_account("northwind|US", claim)
    assert store.claim_account("northwind|US", LEASE)


def test_a_claim_ends_with_its_lease_and_its_old_holder_cannot_release_the_new(
    store: LinkStore, clock: StoreClock
) -> None:
    old = store.claim_account("northwind|US", LEASE)
    clock.now += LEASE
    new = store.claim_account("northwind|US", LEASE)
    assert old
    assert new
    store.release_account("northwind|US", old)
    assert store.claim_account("northwind|US", LEASE) is None, "the new holder's claim stands"


def test_a_key_does_not_contain_the_name_of_a_customer(clock: StoreClock) -> None:
    rows = open_rows(clock)
    keys: list[str] = []
    write = rows.write

    def spy(partition: str, changes: Any) -> Any:  # noqa: ANN401 - passed on as it is
        keys.append(partition)
        return write(partition, changes)

    rows.write = spy  # type: ignore[method-assign]  # the point of the test
    LinkStore(rows).claim_account("Müller / Söhne #1|DE", LEASE)
    rows.close()
    assert keys
    assert not any("ller" in key for key in keys)


# --- the retry queue --------------------------------------------------------------------------------------------------


def retry_entry(key: str, minutes: int, side: Side = Side.SALESFORCE, attempts: int = 0) -> RetryEntry:
    return RetryEntry(side, key, NOW + timedelta(minutes=minutes), "locked", attempts)


def test_retry_entries_are_found_by_side_and_time(store: LinkStore) -> None:
    for row in (
        retry_entry("soon", 1),
        retry_entry("now", 0),
        retry_entry("late", 9),
        retry_entry("there", 0, Side.PARTNER_CENTER),
    ):
        store.put_retry_entry(row)
    assert {row.key for row in store.retry_entries(Side.SALESFORCE, NOW, 10)} == {"now"}
    assert {row.key for row in store.retry_entries(Side.SALESFORCE, NOW + timedelta(minutes=1), 10)} == {"now", "soon"}
    assert [row.key for row in store.retry_entries(Side.PARTNER_CENTER, NOW, 10)] == ["there"]
    assert len(store.retry_entries(Side.SALESFORCE, NOW + timedelta(hours=1), 2)) == 2


def test_a_pair_has_only_one_retry_entry(store: LinkStore) -> None:
    store.put_retry_entry(retry_entry("pair", 0))
    store.put_retry_entry(retry_entry("pair", 5, attempts=3))
    stored = store.retry_entry(Side.SALESFORCE, "pair")
    assert stored
    assert (stored.at, stored.cause, stored.attempts) == (NOW + timedelta(minutes=5), "locked", 3)
    assert store.retry_entries(Side.SALESFORCE, NOW, 10) == []


def test_a_retry_entry_is_removed_only_if_it_did_not_change(store: LinkStore) -> None:
    store.put_retry_entry(retry_entry("pair", 0))
    (read,) = store.retry_entries(Side.SALESFORCE, NOW, 1)
    store.put_retry_entry(retry_entry("pair", 1))
    store.remove_retry_entry(read)
    changed = store.retry_entry(Side.SALESFORCE, "pair")
    assert changed, "another attempt was requested meanwhile"
    store.remove_retry_entry(changed)
    assert store.retry_entry(Side.SALESFORCE, "pair") is None
    store.remove_retry_entry(changed)


# --- sides, cursors, owner --------------------------------------------------------------------------------------------


def test_a_side_is_not_paused_until_its_state_is_written(store: LinkStore) -> None:
    assert store.side_state(Side.SALESFORCE) == SideState()
    state = SideState(NOW + timedelta(minutes=15), "AADSTS700082")
    store.write_side_state(Side.PARTNER_CENTER, state)
    assert store.side_state(Side.PARTNER_CENTER) == state
    assert store.side_state(Side.SALESFORCE) == SideState()
    store.write_side_state(Side.PARTNER_CENTER, SideState())
    assert store.side_state(Side.PARTNER_CENTER) == SideState()


def test_a_cursor_is_a_time_in_utc(store: LinkStore) -> None:
    assert store.cursor("push") is None
    store.move_cursor("push", NOW.astimezone(timezone(timedelta(hours=9))))
    stored = store.cursor("push")
    assert stored is not None
    assert stored == NOW
    assert stored.utcoffset() == timedelta(0)
    store.move_cursor("push", NOW + timedelta(microseconds=1))
    assert store.cursor("push") == NOW + timedelta(microseconds=1)


def test_the_first_organisation_stays_the_owner_of_the_store(store: LinkStore) -> None:
    assert store.owner("00D1") == "00D1"
    assert store.owner("00D2") == "00D1"
    assert store.owner("00D1") == "00D1"
