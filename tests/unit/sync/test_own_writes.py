"""What a push has left in order is dropped by the poll without a read of its row (docs/protocol.md#own-writes)."""

from collections.abc import Callable, Iterator
from copy import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.own_writes import OwnWrite
from shared.foundation.errors import StoreUnavailable, Unavailable
from shared.operations.forget_person import find_person, forget_person
from shared.store.own_write_rows import KEPT, OWN_WRITES
from shared.store.row_codec import unpack
from shared.store.rows import Delete, Put
from shared.sync.ports import Policy
from tests.unit.sync.compared_deals import compare_daily, found
from tests.unit.sync.copied_store import copy_of, lose_store
from tests.unit.sync.harness import AFTER_LEASE, MINUTE, Harness
from tests.unit.sync.helped_deals import complete_deal
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.polled_deals import deal_of, edit_account, edit_contact, edit_role
from tests.unit.sync.row_operations import CountedRows, counted_instance


def fail_with(error: Exception) -> Callable[[], None]:
    """An action that raises an error in place of a call."""

    def fail() -> None:
        raise error

    return fail


LATE = timedelta(seconds=29)
IDLE = {"scan side": 1, "list cursor": 1, "list due": 2, "write cursor": 1}


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=10_000)) as harness:
        harness.push()
        yield harness


def sent(harness: Harness, number: int) -> list[str]:
    """So many deals, created in Partner Center by one push."""
    deals = [harness.seller_creates(Name=f"Deal {one}") for one in range(number)]
    harness.push()
    harness.forget_calls()
    return deals


def minute_after(harness: Harness, after: float = MINUTE) -> CountedRows:
    instance, rows = counted_instance(harness)
    instance.push(after=after)
    return rows


@pytest.mark.parametrize("number", [5, 60])
def test_the_minute_after_creates_reads_no_row_of_a_pair(harness: Harness, number: int) -> None:
    """The kept rows are read once, and written once where a stamp was settled by the second look."""
    sent(harness, number)
    assert minute_after(harness).operations == {**IDLE, "list own_writes": 1, "write own_writes": 1}
    assert sum(harness.new_calls().values()) == 2, "the poll, and one batched read"
    harness.forget_calls()
    assert minute_after(harness).operations == {**IDLE, "list own_writes": 1}
    assert sum(harness.new_calls().values()) == 1
    assert_quiet(harness)


def test_the_minute_after_updates_reads_no_row_of_a_pair(harness: Harness) -> None:
    deals = sent(harness, 6)
    harness.push(after=3600)
    for deal in deals:
        harness.seller_edits(deal, Amount=4321)
    harness.push()
    assert minute_after(harness).operations == {**IDLE, "list own_writes": 1, "write own_writes": 1}


def test_a_save_under_the_stamp_of_our_write_is_sent(harness: Harness) -> None:
    deal, *_ = sent(harness, 6)
    harness.salesforce.lag = LATE
    harness.seller_edits(deal, Amount=777)
    harness.salesforce.lag = timedelta()
    harness.push(after=2)
    harness.push(after=MINUTE)
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert_quiet(harness)


def test_a_row_that_is_too_old_is_deleted(harness: Harness) -> None:
    sent(harness, 6)
    assert harness.rows.list(OWN_WRITES)
    harness.advance_time(3600)
    harness.first.ctx.store.forget_own_writes(KEPT)
    assert not harness.rows.list(OWN_WRITES)


def test_the_poll_deletes_rows_that_are_too_old_in_one_operation(harness: Harness) -> None:
    """Its deals are looked at as ever, and kept anew."""
    sent(harness, 6)
    (old,) = harness.rows.list(OWN_WRITES)
    operations = minute_after(harness, after=3600).operations
    assert (operations["list own_writes"], operations["write own_writes"]) == (1, 2)
    assert operations["get O"] >= 6
    (new,) = harness.rows.list(OWN_WRITES)
    assert new.key != old.key


def test_whoever_forgets_a_person_deletes_the_hashes_too(harness: Harness) -> None:
    sent(harness, 6)
    ctx = harness.new_instance().ctx
    forget_person(ctx, find_person(ctx.store, "kim@northwind.example"))
    assert not harness.rows.list(OWN_WRITES)


def test_a_row_holds_no_value_of_a_deal(harness: Harness) -> None:
    harness.seller_creates(Name="Secret plan", Amount=987_654)
    sent(harness, 6)
    (row,) = harness.rows.list(OWN_WRITES)
    kept = harness.store.own_writes(harness.now())
    assert len(kept) == 7
    text = str(unpack(row.data))
    assert kept[0].opportunity_id in text
    assert not [value for value in ("Secret plan", "987654", "Deal 1") if value in text]


def test_few_pairs_keep_nothing(harness: Harness) -> None:
    sent(harness, 4)
    assert not harness.rows.list(OWN_WRITES)


# --- what must be seen all the same


def saved_late(harness: Harness, deal: str, **values: object) -> None:
    """A seller's save that carries the second of our write, and is committed 29 seconds later."""
    harness.salesforce.lag = LATE
    harness.seller_edits(deal, **values)
    harness.salesforce.lag = timedelta()
    harness.advance_time(LATE.total_seconds())


def test_a_name_that_could_not_take_its_mark_yet_gets_it_a_minute_later(tmp_path: Path) -> None:
    mapping = tmp_path / "marked.toml"
    mapping.write_text('extends = "default"\n[fields.name]\nmark = true\n', "utf-8")
    with Harness(mapping=mapping, policy=Policy(mass_change_limit=10_000)) as harness:
        deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(6)]
        harness.push(1.0)
        assert {harness.opportunity(deal)["Name"] for deal in deals} == {f"Deal {number}" for number in range(6)}
        harness.push()
        assert all(str(harness.opportunity(deal)["Name"]).startswith("✔") for deal in deals)


def test_an_untick_under_the_stamp_of_our_write_pauses_the_deal(harness: Harness) -> None:
    deal, *_ = sent(harness, 6)
    saved_late(harness, deal, Sync_with_Partner_Center__c=False)
    harness.push(after=MINUTE)
    assert harness.stored_link(deal).state == "paused"


def test_help_that_is_chosen_under_the_stamp_of_our_write_is_asked_for(harness: Harness) -> None:
    deal, *_ = [complete_deal(harness, Name=f"Deal {one}") for one in range(6)]
    harness.push()
    saved_late(harness, deal, How_can_Microsoft_help__c="General or Other")
    harness.push(after=MINUTE)
    harness.push(after=2 * MINUTE)
    assert harness.stored_link(deal).help is not None


@pytest.mark.parametrize("edit", [edit_role, edit_contact, edit_account], ids=lambda edit: edit.__name__)
@pytest.mark.parametrize("minutes", [0, 2])
def test_an_edit_of_a_related_record_is_seen(
    harness: Harness, edit: Callable[[Harness, str], None], minutes: int
) -> None:
    deals = [deal_of(harness, f"Deal {number}") for number in range(6)]
    harness.push()
    for _ in range(minutes):
        harness.push()
    before = harness.stored_link(deals[0]).stamps
    edit(harness, deals[0])
    rows = minute_after(harness)
    assert rows.operations["get link"] + rows.operations["get O"] >= 1
    harness.push()
    assert harness.stored_link(deals[0]).stamps != before
    assert not harness.differences(deals[0])


def test_a_change_in_partner_center_reaches_the_opportunity(harness: Harness) -> None:
    deal, *_ = sent(harness, 6)
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_dealValue=12_000)
    harness.pull_event(referral)
    harness.push()
    assert harness.opportunity(deal)["Amount"] == 12_000
    assert_quiet(harness)


def test_another_instance_drops_them_too_and_sees_an_edit(harness: Harness) -> None:
    deal, *_ = sent(harness, 6)
    other, rows = counted_instance(harness)
    harness.seller_edits(deal, Amount=777)
    other.push()
    assert rows.operations["list own_writes"] == 1
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert_quiet(harness)


def test_two_ways_in_which_a_deal_was_left_are_none(harness: Harness) -> None:
    """Two instances may each have kept one: which of them the link agrees with is not known."""
    deal, *_ = sent(harness, 6)
    kept = {write.opportunity_id: write for write in harness.store.own_writes(harness.now())}
    harness.store.keep_own_writes([replace(kept[deal], digest="other")], harness.now())
    operations = minute_after(harness).operations
    assert sum(count for name, count in operations.items() if name not in IDLE and "own_writes" not in name) > 0


def test_a_crash_before_the_row_is_written_costs_looks_and_nothing_else(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {one}") for one in range(6)]
    instance = harness.new_instance()
    instance.process.interrupt_at("store.keep_own_writes", instance.process.crash)
    assert instance.crashes_during(lambda one: one.push())
    assert not harness.rows.list(OWN_WRITES)
    harness.push(after=AFTER_LEASE)
    assert len(harness.our_referrals()) == len(deals)
    assert_quiet(harness)


def test_a_crash_between_two_chunks_keeps_the_row_of_the_first() -> None:
    with Harness(policy=Policy(hold_win=timedelta(), chunk=5)) as harness:
        harness.push()
        deals = [harness.seller_creates(Name=f"Deal {one}") for one in range(10)]
        instance = harness.new_instance()
        instance.process.interrupt_at("store.keep_own_writes", instance.process.crash, skip=1)
        assert instance.crashes_during(lambda one: one.push())
        assert len(harness.store.own_writes(harness.now())) == 5
        harness.push(after=AFTER_LEASE)
        assert len(harness.our_referrals()) == len(deals)
        assert_quiet(harness)


@pytest.mark.parametrize("apart", [KEPT + timedelta(minutes=2), -KEPT - timedelta(minutes=2)])
def test_a_row_of_an_instance_whose_clock_is_apart_is_none(harness: Harness, apart: timedelta) -> None:
    deals = sent(harness, 6)
    (row,) = harness.rows.list(OWN_WRITES)
    harness.rows.write(OWN_WRITES, [Put(row.key, row.data, harness.now() + apart)])
    assert not harness.store.own_writes(harness.now())
    assert minute_after(harness).operations["get O"] >= len(deals)


def test_a_store_that_refuses_the_row_stops_no_push(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {one}") for one in range(6)]
    instance = harness.new_instance()
    instance.process.interrupt_at("store.keep_own_writes", fail_with(StoreUnavailable("full")))
    instance.push()
    assert len(harness.our_referrals()) == len(deals)
    assert not instance.log.fields_of("run_failed")
    assert not harness.rows.list(OWN_WRITES)


def test_a_second_look_that_fails_leaves_the_deals_to_the_next_minute(harness: Harness) -> None:
    deal, *_ = sent(harness, 6)
    saved_late(harness, deal, Amount=777)
    instance = harness.new_instance()
    instance.process.interrupt_at("salesforce.opportunities", fail_with(Unavailable("Salesforce does not answer")))
    instance.push(after=MINUTE)
    harness.run_rounds(1)
    assert harness.referral_of(deal)["details"]["dealValue"] == 777


def test_a_damaged_row_is_none(harness: Harness) -> None:
    deal, *_ = sent(harness, 6)
    (row,) = harness.rows.list(OWN_WRITES)
    harness.rows.write(OWN_WRITES, [Put(row.key, b"damaged", row.at)])
    harness.seller_edits(deal, Amount=777)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert_quiet(harness)


def test_a_row_of_a_table_that_was_restored_is_none(harness: Harness) -> None:
    """The table's timestamps are new then; the time in the row is not."""
    sent(harness, 6)
    (row,) = harness.rows.list(OWN_WRITES)
    harness.advance_time(KEPT.total_seconds() + 1)
    harness.rows.write(OWN_WRITES, [Delete(row.key, row.etag)])
    harness.rows.write(OWN_WRITES, [Put(row.key, row.data, row.at)])
    assert not harness.store.own_writes(harness.now())


def test_a_copy_has_none(harness: Harness) -> None:
    deal, *_ = sent(harness, 6)
    copy = copy_of(harness)
    harness.seller_edits(deal, Amount=777)
    lose_store(harness, copy)
    assert not harness.rows.list(OWN_WRITES)
    harness.run_rounds(2)
    assert harness.referral_of(deal)["details"]["dealValue"] == 777


def test_the_daily_compare_queues_none_of_them(harness: Harness) -> None:
    sent(harness, 6)
    for _ in range(15):
        harness.push()
    harness.advance_time(24 * 3600)
    worker = harness.new_instance()
    compare_daily(worker)
    assert not found(harness)
    assert worker.log.fields_of("compare_done")


def test_many_deals_cost_one_list_and_two_rows(harness: Harness) -> None:
    sent(harness, 400)
    assert minute_after(harness).operations == {**IDLE, "list own_writes": 1, "write own_writes": 1}
    assert minute_after(harness).operations == {**IDLE, "list own_writes": 1}


def test_a_write_by_anybody_else_is_looked_at(harness: Harness) -> None:
    """Sabotage: were the user of the last save not in the hash, a save that sets a value back would be dropped."""
    deal, *_ = sent(harness, 6)
    amount = harness.opportunity(deal)["Amount"]
    saved_late(harness, deal, Amount=amount)
    looked = minute_after(harness, after=31.0).operations
    assert sum(count for name, count in looked.items() if name not in IDLE and "own_writes" not in name) > 0
    kept: OwnWrite
    for kept in harness.store.own_writes(harness.now()):
        assert kept.opportunity_id != deal or not kept.is_settled
