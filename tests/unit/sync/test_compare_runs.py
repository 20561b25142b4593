"""What the compare costs, and how several runs are one compare (docs/protocol.md#the-daily-compare)."""

from copy import replace
from datetime import timedelta
from math import ceil

import pytest

from shared.domain.compared import FindingKind
from shared.domain.deal import Side
from shared.foundation.errors import Unavailable
from shared.operations.compare import ENDED
from shared.store.rows import Put
from shared.sync.ports import PUSH, Mode, Policy
from tests.unit.sync.compared_deals import (
    DAY,
    amounts,
    believe_amount,
    compare_daily,
    found,
    in_batches_of,
    linked_deals,
    miss_colleague_edit,
    repair,
)
from tests.unit.sync.harness import HOUR, MINUTE, Harness, Instance
from tests.unit.sync.wrong_clocks import A_DAY, instance_with_clock

GET, LIST, QUERY = "partner_center.get", "partner_center.list", "salesforce.query"
CACHED = ("store.side_state", "store.pauses")
"""Calls that mostly read nothing."""
NO_TIME = Policy(hold_win=timedelta(), batch=2, run_time=timedelta(seconds=-1))
"""A run whose time is up after its first step."""


def phase_of(harness: Harness) -> str:
    progress = harness.store.compare_progress()
    assert progress is not None
    return progress.phase


def test_a_compare_costs_its_batches_its_pages_its_sample_and_one_query() -> None:
    with Harness(policy=in_batches_of(2)) as harness:
        harness.partner_center.switches.page_size = 2
        linked_deals(harness, 5)
        worker = harness.new_instance()
        compare_daily(worker, sample=2)
        calls = harness.new_calls()
        batches, pages, listed = ceil(5 / 2), ceil(5 / 2), 1
        assert (calls[QUERY], calls[LIST], calls[GET]) == (batches + listed, pages, 2)
        store = [call for call in worker.process.calls if call.startswith("store.") and call not in CACHED]
        notes = batches + pages + 3  # one for each end of a phase
        of_sample = 2 * 3  # two retry entries and the link
        assert store.count("store.keep_compare_progress") == notes
        assert len(store) - store.count("store.links") == notes + of_sample + 2
        (done,) = worker.log.fields_of("compare_done")
        assert (done["links"], done["referrals"], done["sampled"], done["complete"]) == (5, 5, 2, True)


def test_the_sample_reads_every_link_in_its_turn() -> None:
    with Harness(policy=in_batches_of(2)) as harness:
        deals = linked_deals(harness, 5)
        for deal in deals[:1] + deals[3:]:
            miss_colleague_edit(harness, deal, 29000)
            believe_amount(harness, deal, 10000)
        worker, told = harness.new_instance(), []
        for _ in range(3):
            compare_daily(worker, sample=2)
            told.append([str(each["opportunity_id"]) for each in worker.log.fields_of("compare_found")])
            worker.log.events.clear()
        assert sorted(one for day in told for one in day) == sorted([deals[0], *deals[3:]])
        compare_daily(worker, sample=2)
        assert [each["opportunity_id"] for each in worker.log.fields_of("compare_found")] == told[0]


def test_a_run_whose_time_is_up_is_continued_by_the_next() -> None:
    with Harness(policy=in_batches_of(2)) as harness:
        harness.partner_center.switches.page_size = 2
        deals = linked_deals(harness, 5)
        miss_colleague_edit(harness, deals[4], 29000)
        harness.forget_calls()
        hurried = harness.new_instance(NO_TIME)
        runs = 0
        while not runs or phase_of(harness) != ENDED:
            compare_daily(hurried, after=MINUTE)
            runs += 1
        assert runs > 5
        calls = harness.new_calls()
        assert calls[QUERY] == ceil(5 / 2) + 2, "no batch is read twice; a page found one pair, and one query lists"
        assert [each["complete"] for each in hurried.log.fields_of("compare_done")] == [*[False] * (runs - 1), True]
        (told,) = hurried.log.fields_of("compare_found")
        assert (told["kind"], told["opportunity_id"]) == (FindingKind.DRIFT, deals[4])
        done = hurried.log.fields_of("compare_done")[-1]
        assert (done["links"], done["drift"]) == (5, 1)
        compare_daily(hurried, after=HOUR)
        assert len(hurried.log.fields_of("compare_done")) == runs, "one compare a day"
        compare_daily(hurried)
        assert len(hurried.log.fields_of("compare_done")) == runs + 1


@pytest.mark.parametrize("skip", [0, 1, 2, 4])
def test_a_compare_that_crashed_goes_on_and_finds_what_is_left(skip: int) -> None:
    with Harness(policy=in_batches_of(2)) as harness:
        deals = linked_deals(harness, 4)
        miss_colleague_edit(harness, deals[3], 29000)
        crashed = harness.new_instance()
        crashed.process.interrupt_at("store.keep_compare_progress", crashed.process.crash, skip=skip, after=True)
        assert crashed.crashes_during(lambda instance: compare_daily(instance, after=MINUTE))
        worker = harness.new_instance()
        compare_daily(worker, after=MINUTE)
        told = [*crashed.log.fields_of("compare_found"), *worker.log.fields_of("compare_found")]
        assert {each["opportunity_id"] for each in told} == {deals[3]}
        assert phase_of(harness) == ENDED


def test_a_failure_of_a_side_ends_the_run_and_keeps_its_place(harness: Harness) -> None:
    linked_deals(harness, 2)
    worker = harness.new_instance()
    for _ in range(6):
        worker.process.interrupt_at("partner_center.all_referrals", _unavailable)
    compare_daily(worker)
    assert [each["run"] for each in worker.log.fields_of("run_failed")] == ["compare"]
    assert phase_of(harness) == "referrals"
    worker.process.interruptions.clear()
    compare_daily(worker, after=MINUTE)
    assert phase_of(harness) == ENDED


def _unavailable() -> None:
    raise Unavailable("503")


def test_the_daily_run_tells_drift_and_repairs_none_of_it(harness: Harness) -> None:
    (deal,) = linked_deals(harness, 1)
    miss_colleague_edit(harness, deal, 29000)
    worker = harness.new_instance()
    compare_daily(worker)
    worker.push()
    assert amounts(harness, deal) == (10000, 29000)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    (told,) = worker.log.fields_of("compare_found")
    assert told["fields"] == ["money"]
    assert "29000" not in str(worker.log.events), "a log holds no values"
    repair(harness)
    assert amounts(harness, deal) == (29000, 29000)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Policy(mode=Mode.OFF), "off"),
        (Policy(mode=Mode.PREVIEW), "preview"),
        (Policy(paused=frozenset({PUSH})), "paused"),
    ],
)
def test_no_compare_runs_while_edits_do_not_travel(harness: Harness, policy: Policy, reason: str) -> None:
    linked_deals(harness, 1)
    worker = harness.new_instance(policy)
    compare_daily(worker)
    assert worker.log.fields_of("run_skipped") == [{"run": "compare", "reason": reason}]
    assert (harness.store.compare_progress(), harness.new_calls()) == (None, {})


def test_a_row_of_progress_that_cannot_be_read_begins_the_compare_anew(harness: Harness) -> None:
    linked_deals(harness, 1)
    harness.rows.write("compare", [Put("progress", b"damaged")])
    worker = harness.new_instance()
    compare_daily(worker)
    assert phase_of(harness) == ENDED


def test_many_findings_are_counted_and_a_hundred_are_told(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.operations.compare.MAX_TOLD", 2)
    for deal in linked_deals(harness, 4):
        miss_colleague_edit(harness, deal, 29000)
    worker = harness.new_instance()
    compare_daily(worker)
    assert len(worker.log.fields_of("compare_found")) == 2
    assert worker.log.fields_of("compare_done")[0]["drift"] == 4
    assert len(found(harness)) == 4


def test_a_second_instance_that_runs_at_once_does_no_harm(harness: Harness) -> None:
    linked_deals(harness, 2)
    first, second = harness.new_instance(), harness.new_instance()

    first.process.interrupt_at("salesforce.opportunities", lambda: compare_daily(second, after=MINUTE))
    compare_daily(first, after=DAY)
    assert phase_of(harness) == ENDED
    assert _found_by(first) == _found_by(second) == []


def _found_by(instance: Instance) -> list[dict[str, object]]:
    return instance.log.fields_of("compare_found")


def test_many_ticked_opportunities_are_looked_at_page_by_page(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.advance_time(2 * HOUR)
    harness.store.move_cursors({"opportunity": harness.now(), "account": harness.now()})
    worker = harness.new_instance(NO_TIME)
    while not (progress := harness.store.compare_progress()) or progress.phase != "opportunities":
        compare_daily(worker, after=MINUTE)
    harness.store.keep_compare_progress(replace(progress, after=deals[0]))
    for _ in range(2):
        compare_daily(worker, after=MINUTE)
    assert [each["opportunity_id"] for each in worker.log.fields_of("compare_found")] == deals[1:]
    assert phase_of(harness) == ENDED


def test_no_night_is_without_a_compare_because_a_machine_was_a_day_wrong(harness: Harness) -> None:
    linked_deals(harness, 1)
    for ahead in (timedelta(), A_DAY, timedelta(), -A_DAY, timedelta()):
        worker = instance_with_clock(harness, ahead)
        compare_daily(worker)
        assert len(worker.log.fields_of("compare_done")) == 1
