"""Pages of the list stand in for reads of single referrals (docs/protocol.md#lists-as-reads).

The stamps that name the referrals are one list call, so one more list call tells of pages that were read.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.list_rows import AGREED, DIFFERED, OFF_FOR
from shared.sync.ports import Context, Policy
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, Harness, Instance

POLICY = Policy(hold_win=timedelta(), mass_change_limit=100_000, pairs_of_page=2, list_sample=1)
STALE = 20 * MINUTE
SOON = POLICY.clocks_differ.total_seconds() / 2
Row = dict[str, Any]


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness(policy=POLICY) as harness:
        yield harness


def linked_deals(harness: Harness, count: int) -> dict[str, str]:
    """So many deals with nothing left to do, each with its referral; the sweep's cursor has passed them."""
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(count)]
    harness.push_until_quiet()
    harness.sweep(HOUR)
    harness.sweep(HOUR)
    return {deal: harness.stored_link(deal).referral_id or "" for deal in deals}


def trusting(harness: Harness) -> None:
    """Lists were compared a moment ago."""
    harness.store.move_cursor(AGREED, harness.now())


def colleagues_edit(harness: Harness, deals: dict[str, str], value: int) -> None:
    """Each deal gets the amount, one second after the other."""
    for referral in deals.values():
        harness.advance_time(1.0)
        harness.colleague_edits(referral, details_dealValue=value)
    harness.forget_calls()


def amounts(harness: Harness, deals: dict[str, str]) -> set[float]:
    return {harness.opportunity(deal)["Amount"] for deal in deals}


def reads_of(calls: Counter[str]) -> tuple[int, int]:
    """The pages of lists, and the single referrals, that were read."""
    return calls["partner_center.list"], calls["partner_center.get"]


# --- how many calls


def test_a_page_stands_in_for_the_reads_of_many_referrals(harness: Harness) -> None:
    deals = linked_deals(harness, 6)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    harness.sweep()
    calls = harness.new_calls()
    assert reads_of(calls) == (2, 0)
    assert (calls["salesforce.query"], calls["salesforce.conditional"]) == (1, 1)
    assert amounts(harness, deals) == {777}
    assert all(not harness.differences(deal) for deal in deals)
    harness.sweep()
    assert reads_of(harness.new_calls()) == (1, 0)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sweep_with_a_thousand_changed_referrals_costs_seventy_calls(harness: Harness) -> None:
    deals = linked_deals(harness, 1000)
    instance = harness.new_instance(replace(POLICY, pairs_of_page=10, list_sample=5))
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    instance.sweep()
    assert harness.new_calls().total() <= 70
    assert amounts(harness, deals) == {777}


def test_few_referrals_are_read_one_by_one(harness: Harness) -> None:
    deals = linked_deals(harness, 6)
    trusting(harness)
    colleagues_edit(harness, dict(list(deals.items())[:1]), 777)
    harness.sweep()
    assert reads_of(harness.new_calls()) == (1, 1)


def test_what_changed_soon_after_the_known_version_asks_for_no_page(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    harness.sweep(0)
    harness.advance_time(SOON)
    colleagues_edit(harness, deals, 778)
    harness.sweep(0)
    assert reads_of(harness.new_calls()) == (1, 4)
    assert amounts(harness, deals) == {778}


def test_the_row_of_an_earlier_build_has_no_date_so_its_referral_is_read(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    for deal in list(deals)[:2]:
        entry = harness.store.link(deal)
        assert entry is not None
        harness.store.replace_link(entry, replace(entry.value, dated=None))
    colleagues_edit(harness, deals, 777)
    harness.sweep()
    assert reads_of(harness.new_calls()) == (2, 2)
    assert amounts(harness, deals) == {777}


def test_a_pair_of_the_retry_queue_is_read_by_itself(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    one = next(iter(deals.values()))
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=one, status=500, times=3))
    harness.pull_event(one)
    harness.forget_calls()
    harness.sweep()
    assert reads_of(harness.new_calls()) == (2, 1)
    assert amounts(harness, deals) == {777}


# --- lists lag, miss, repeat, show older versions


def when_pages_are_read(harness: Harness, **switches: object) -> None:
    """Let the list change between the stamps and the pages."""

    def change() -> None:
        harness.partner_center.switches.apply_changes(switches)

    harness.first.process.interrupt_at("partner_center.changed_between", change)


def test_an_older_version_than_the_stamp_is_no_read(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    harness.partner_center.switches.list_stale = STALE
    colleagues_edit(harness, deals, 776)
    harness.advance_time(MINUTE)
    colleagues_edit(harness, deals, 777)
    harness.partner_center.switches.list_stale = 0.0
    when_pages_are_read(harness, list_stale=90.0)
    harness.sweep(0)
    assert reads_of(harness.new_calls())[1] == 4
    assert amounts(harness, deals) == {777}


def test_a_list_that_shows_what_was_before_our_own_write_undoes_nothing(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    harness.partner_center.switches.list_stale = STALE
    colleagues_edit(harness, deals, 776)
    for deal in deals:
        harness.seller_edits(deal, Amount=999)
    harness.push()
    agreed = {deal: harness.read_both_sides(deal)[0].deal["money"] for deal in deals}
    versions = harness.all_versions()
    harness.advance_time(STALE - 3 * MINUTE)
    harness.sweep()
    assert {deal: harness.read_both_sides(deal)[0].deal["money"] for deal in deals} == agreed
    assert harness.all_versions() == versions


def test_a_late_list_is_followed_by_what_it_did_not_show_yet(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    harness.partner_center.switches.list_stale = STALE
    colleagues_edit(harness, deals, 776)
    harness.advance_time(STALE - MINUTE)
    colleagues_edit(harness, deals, 777)
    harness.sweep(2 * MINUTE)
    assert amounts(harness, deals) == {776}
    harness.sweep(STALE)
    assert amounts(harness, deals) == {777}


def test_what_the_pages_lack_is_read_by_itself(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    digits = "".join(sorted({referral[0] for referral in list(deals.values())[:1]}))
    when_pages_are_read(harness, list_gap=HOUR, list_gap_of=digits)
    harness.sweep()
    lacking = sum(referral[0] in digits for referral in deals.values())
    assert reads_of(harness.new_calls()) == (2, lacking)
    assert amounts(harness, deals) == {777}


def test_a_referral_that_is_listed_twice_is_worked_once(harness: Harness) -> None:
    deals = linked_deals(harness, 6)
    trusting(harness)
    harness.partner_center.switches.page_size, harness.partner_center.switches.list_repeats = 3, 1
    colleagues_edit(harness, deals, 777)
    report = harness.sweep()
    assert sum(report.results.values()) == 6
    assert amounts(harness, deals) == {777}
    assert all(harness.count_in_audit(deal, "777") == 1 for deal in deals)


def test_no_more_pages_are_read_than_they_can_save(harness: Harness) -> None:
    deals = linked_deals(harness, 6)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    when_pages_are_read(harness, page_size=1)
    harness.sweep()
    assert reads_of(harness.new_calls()) == (1 + 3, 3)
    assert amounts(harness, deals) == {777}


# --- who else works, and what fails


def test_a_pair_that_another_instance_works_meanwhile_waits(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    one, other = next(iter(deals)), harness.new_instance()
    harness.first.process.interrupt_at(
        "partner_center.changed_between", lambda: other.pull_event(deals[one]), after=True
    )
    harness.sweep()
    assert harness.only_retry_entry(Side.PARTNER_CENTER).key == deals[one]
    harness.run_rounds(2)
    assert amounts(harness, deals) == {777}
    assert harness.count_in_audit(one, "777") == 1


def test_a_value_is_sent_only_after_the_referral_was_read_by_itself(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    one = next(iter(deals))
    harness.seller_edits(one, CloseDate="2027-05-06")
    harness.sweep()
    calls = harness.new_calls()
    assert (reads_of(calls), calls["partner_center.patch"]) == ((2, 1), 1)
    assert not harness.differences(one)
    assert str(harness.opportunity(one)["CloseDate"]) == "2027-05-06"


@pytest.mark.parametrize("status", [400, 500])
def test_without_pages_each_referral_is_read_by_itself(harness: Harness, status: int) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    harness.inject_fault(
        Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path="referrals$", status=status, skip=1, times=6)
    )
    harness.sweep()
    assert harness.new_calls()["partner_center.get"] == 4
    assert amounts(harness, deals) == {777}


def test_a_throttled_page_pauses_partner_center(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    trusting(harness)
    colleagues_edit(harness, deals, 777)
    harness.inject_fault(
        Side.PARTNER_CENTER,
        Fault(FaultKind.ANSWER, path="referrals$", status=429, headers={"Retry-After": "600"}, skip=1),
    )
    harness.sweep()
    assert harness.new_calls()["partner_center.get"] == 0
    assert harness.store.side_state(Side.PARTNER_CENTER, fresh=True).reason == "throttled"
    harness.run_rounds(2)
    assert amounts(harness, deals) == {777}


# --- the daily comparison


def test_the_first_rows_of_a_day_are_compared(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    colleagues_edit(harness, deals, 777)
    harness.sweep()
    assert reads_of(harness.new_calls()) == (2, 1)
    assert harness.store.cursor(AGREED) == harness.now()
    harness.advance_time(HOUR)
    colleagues_edit(harness, deals, 778)
    harness.sweep()
    assert reads_of(harness.new_calls()) == (2, 0)
    harness.advance_time(24 * HOUR)
    colleagues_edit(harness, deals, 779)
    harness.sweep()
    assert reads_of(harness.new_calls()) == (2, 1)
    assert amounts(harness, deals) == {779}


class OddLists:
    """Partner Center, whose pages of whole referrals show another amount than each referral by itself."""

    def __init__(self, port: Any) -> None:  # noqa: ANN401 - the port
        self._port = port

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of the port
        return getattr(self._port, name)

    def changed_between(self, since: datetime, until: datetime) -> Iterator[Sequence[Row]]:
        for page in self._port.changed_between(since, until):
            yield [self._changed(row) for row in page]

    def _changed(self, row: Row) -> Row:
        changed = deepcopy(dict(row))
        changed["details"]["dealValue"] = 13
        return changed


def with_odd_lists(harness: Harness) -> Instance:
    instance = harness.new_instance()
    ctx: Context = instance.ctx
    instance.ctx = replace(ctx, partner_center=OddLists(ctx.partner_center))
    return instance


def test_a_list_that_contradicts_the_referral_is_used_no_more_and_told(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    odd = with_odd_lists(harness)
    colleagues_edit(harness, deals, 777)
    odd.sweep()
    assert reads_of(harness.new_calls()) == (2, 4)
    assert amounts(harness, deals) == {777}
    assert harness.store.cursor(DIFFERED) == harness.now()
    (told,) = odd.log.fields_of("lists_differ")
    assert told["fields"] == ["money"]
    assert told["referral_ids"] in [[referral] for referral in deals.values()]
    harness.advance_time(HOUR)
    colleagues_edit(harness, deals, 778)
    odd.sweep()
    assert reads_of(harness.new_calls()) == (1, 4)


def test_a_month_after_a_difference_lists_are_compared_again(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    harness.store.move_cursor(DIFFERED, harness.now())
    harness.advance_time(OFF_FOR.total_seconds())
    harness.sweep()
    colleagues_edit(harness, deals, 777)
    harness.sweep()
    assert reads_of(harness.new_calls()) == (2, 1)
    assert harness.store.cursor(AGREED) == harness.now()


def test_rows_of_another_version_prove_nothing(harness: Harness) -> None:
    deals = linked_deals(harness, 4)
    harness.partner_center.switches.list_stale = STALE
    colleagues_edit(harness, deals, 776)
    harness.advance_time(STALE - MINUTE)
    colleagues_edit(harness, deals, 777)
    harness.sweep(2 * MINUTE)
    assert (harness.store.cursor(AGREED), harness.store.cursor(DIFFERED)) == (None, None)
    assert amounts(harness, deals) == {777}


# --- a process that stops


def crashes_at(number: int, *, after: bool) -> bool:
    """Whether a sweep that reads pages makes a call with this number and stops there; what it left is then in step."""
    with Harness(policy=POLICY) as harness:
        deals = linked_deals(harness, 3)
        trusting(harness)
        colleagues_edit(harness, deals, 777)
        doomed = harness.new_instance()
        doomed.process.crash_at(number, after=after)
        has_crashed = doomed.crashes_during(Instance.sweep)
        harness.advance_time(AFTER_LEASE)
        harness.run_rounds(2)
        assert amounts(harness, deals) == {777}
        assert [harness.count_in_audit(deal, "777") for deal in deals] == [1, 1, 1]
        assert [harness.differences(deal) for deal in deals] == [[], [], []]
        assert harness.retry_entries(Side.PARTNER_CENTER) == []
        return has_crashed


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("after", [False, True])
def test_a_sweep_that_reads_pages_may_stop_at_any_call(*, after: bool) -> None:
    stopped = [crashes_at(number, after=after) for number in range(60)]
    assert stopped[20]
    assert not stopped[-1]
