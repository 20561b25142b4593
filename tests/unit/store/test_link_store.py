"""The store's rows by meaning, on SQLite; the row contract itself is tested for every adapter elsewhere."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shared.domain.deal import Deal, Side
from shared.domain.link import Link, Pointer
from shared.foundation.errors import StoreConflict
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from shared.store.stored_values import Due, Line, SideState

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
    return Line(at, text)


# --- links and their audit --------------------------------------------------------------------------------------------


def test_a_link_comes_back_with_its_version_and_age(store: LinkStore, clock: StoreClock) -> None:
    written = store.insert_link(Link(DEAL, base=Deal(name="Robots")))
    clock.now += timedelta(seconds=90)
    found = store.link(DEAL)
    assert found
    assert (found.value, found.etag, found.age) == (written.value, written.etag, timedelta(seconds=90))


def test_an_opportunity_without_a_link_has_none(store: LinkStore) -> None:
    store.insert_link(Link(DEAL))
    assert store.link(OTHER) is None


def test_a_second_link_of_an_opportunity_is_a_conflict(store: LinkStore) -> None:
    store.insert_link(Link(DEAL, referral_id="first"))
    with pytest.raises(StoreConflict):
        store.insert_link(Link(DEAL, referral_id="second"))
    found = store.link(DEAL)
    assert found
    assert found.value.referral_id == "first"


def test_only_the_last_reader_may_change_a_link(store: LinkStore) -> None:
    first = store.insert_link(Link(DEAL))
    second = store.replace_link(first, first.value.with_intent())
    with pytest.raises(StoreConflict):
        store.replace_link(first, first.value)
    assert store.replace_link(second, second.value.without_intent()).etag != second.etag


def test_a_change_that_fails_leaves_no_audit_line(store: LinkStore) -> None:
    """Effect, base and lines are one transaction (protocol.md section 3)."""
    first = store.insert_link(Link(DEAL), [audit_line("made")])
    store.replace_link(first, first.value)
    with pytest.raises(StoreConflict):
        store.replace_link(first, first.value, [audit_line("never happened")])
    assert [one.text for one in store.audit(DEAL)] == ["made"]


def test_the_audit_is_newest_first_and_keeps_the_order_of_lines_told_together(store: LinkStore) -> None:
    entry = store.insert_link(Link(DEAL), [audit_line("a1"), audit_line("a2")])
    entry = store.replace_link(entry, entry.value, [audit_line("b1", NOW + timedelta(milliseconds=1))])
    store.replace_link(
        entry, entry.value, [audit_line("c1", NOW + timedelta(days=1)), audit_line("c2", NOW + timedelta(days=1))]
    )
    assert [one.text for one in store.audit(DEAL)] == ["c1", "c2", "b1", "a1", "a2"]
    assert store.audit(DEAL)[2].at == NOW + timedelta(milliseconds=1)
    assert store.audit(OTHER) == []


def test_lines_of_one_millisecond_do_not_write_over_each_other(store: LinkStore) -> None:
    entry = store.insert_link(Link(DEAL), [audit_line("one")])
    store.replace_link(entry, entry.value, [audit_line("another")])
    assert {one.text for one in store.audit(DEAL)} == {"one", "another"}


def test_all_links_and_nothing_else_are_scanned(store: LinkStore) -> None:
    store.insert_link(Link(DEAL), [audit_line("told")])
    store.insert_link(Link(OTHER))
    store.insert_pointer("r", Pointer(DEAL))
    store.move_cursor("push", NOW)
    assert {entry.value.opportunity_id for entry in store.links()} == {DEAL, OTHER}


def test_only_the_last_reader_may_delete_a_link(store: LinkStore) -> None:
    first = store.insert_link(Link(DEAL))
    second = store.replace_link(first, first.value.with_intent())
    with pytest.raises(StoreConflict):
        store.delete_link(first)
    store.delete_link(second)
    assert store.link(DEAL) is None


# --- pointers ---------------------------------------------------------------------------------------------------------


def test_a_referral_id_means_the_same_in_any_case(store: LinkStore) -> None:
    store.insert_pointer("5D0F-ABC", Pointer(DEAL))
    found = store.pointer("5d0f-abc")
    assert found
    assert found.value == Pointer(DEAL)
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


def test_a_customers_name_is_no_part_of_a_key(clock: StoreClock) -> None:
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


# --- the due list -----------------------------------------------------------------------------------------------------


def retry_entry(key: str, minutes: int, side: Side = Side.SALESFORCE, attempts: int = 0) -> Due:
    return Due(side, key, NOW + timedelta(minutes=minutes), "locked", attempts)


def test_what_is_due_is_found_by_side_and_time(store: LinkStore) -> None:
    for row in (
        retry_entry("soon", 1),
        retry_entry("now", 0),
        retry_entry("late", 9),
        retry_entry("there", 0, Side.PARTNER_CENTER),
    ):
        store.put_due(row)
    assert {row.key for row in store.due(Side.SALESFORCE, NOW, 10)} == {"now"}
    assert {row.key for row in store.due(Side.SALESFORCE, NOW + timedelta(minutes=1), 10)} == {"now", "soon"}
    assert [row.key for row in store.due(Side.PARTNER_CENTER, NOW, 10)] == ["there"]
    assert len(store.due(Side.SALESFORCE, NOW + timedelta(hours=1), 2)) == 2


def test_a_pair_has_one_due_row_whatever_is_put(store: LinkStore) -> None:
    store.put_due(retry_entry("pair", 0))
    store.put_due(retry_entry("pair", 5, attempts=3))
    found = store.due_of(Side.SALESFORCE, "pair")
    assert found
    assert (found.at, found.cause, found.attempts) == (NOW + timedelta(minutes=5), "locked", 3)
    assert store.retry_entries(Side.SALESFORCE, NOW, 10) == []


def test_a_due_row_is_removed_only_as_it_was_read(store: LinkStore) -> None:
    store.put_due(retry_entry("pair", 0))
    (read,) = store.due(Side.SALESFORCE, NOW, 1)
    store.put_due(retry_entry("pair", 1))
    store.remove_due(read)
    again = store.due_of(Side.SALESFORCE, "pair")
    assert again, "somebody asked for another attempt meanwhile"
    store.remove_retry_entry(again)
    assert store.retry_entry(Side.SALESFORCE, "pair") is None
    store.remove_retry_entry(again)


# --- sides, cursors, owner --------------------------------------------------------------------------------------------


def test_a_side_is_well_until_somebody_says_otherwise(store: LinkStore) -> None:
    assert store.side_state(Side.SALESFORCE) == SideState()
    state = SideState(NOW + timedelta(minutes=15), "AADSTS700082", 4)
    store.write_side_state(Side.PARTNER_CENTER, state)
    assert store.side_state(Side.PARTNER_CENTER) == state
    assert store.side_state(Side.SALESFORCE) == SideState()
    store.write_side_state(Side.PARTNER_CENTER, SideState())
    assert store.side_state(Side.PARTNER_CENTER) == SideState()


def test_a_cursor_is_a_moment_in_utc(store: LinkStore) -> None:
    assert store.cursor("push") is None
    store.move_cursor("push", NOW.astimezone(timezone(timedelta(hours=9))))
    found = store.cursor("push")
    assert found is not None
    assert found == NOW
    assert found.utcoffset() == timedelta(0)
    store.move_cursor("push", NOW + timedelta(microseconds=1))
    assert store.cursor("push") == NOW + timedelta(microseconds=1)


def test_the_first_organisation_owns_the_store_for_ever(store: LinkStore) -> None:
    assert store.owner("00D1") == "00D1"
    assert store.owner("00D2") == "00D1"
    assert store.owner("00D1") == "00D1"
