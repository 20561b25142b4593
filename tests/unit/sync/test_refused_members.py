"""A member of a list that Partner Center refuses stays behind alone (docs/protocol.md#lists-merge-as-sets)."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.solution_rows import (
    colleague_lists,
    deal_with,
    harness_with_rows,
    ids_in_partner_center,
    ids_in_salesforce,
    reading_rows,
    seller_adds,
    seller_removes,
)

TOLD = "Partner Center does not take SOL-2: Unknown solution."


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Harness]:
    with reading_rows(tmp_path) as harness:
        yield harness


def refuse(harness: Harness, sent: str) -> None:
    """Let Partner Center refuse each change that names this."""
    error = {"code": "invalidRequest", "message": "Unknown solution.", "target": "details/requirements/solutions"}
    body = json.dumps({"error": error})
    fault = Fault(FaultKind.ANSWER, method="PATCH", status=400, body=body, sent=sent, times=999)
    harness.inject_fault(Side.PARTNER_CENTER, fault)


def patches_of_pushes(harness: Harness) -> int:
    """The changes that were sent by three pushes, the last an hour later."""
    harness.forget_calls()
    for later in (MINUTE, MINUTE, HOUR):
        harness.push(later)
    calls = harness.new_calls()
    return calls["partner_center.patch"] + calls["partner_center.failed"]


def deal_with_a_refused_solution(rows: Harness) -> str:
    deal = deal_with(rows, "SOL-1")
    refuse(rows, "SOL-2")
    seller_adds(rows, deal, "SOL-2", "SOL-3")
    return deal


def test_a_refused_solution_stops_neither_the_others_nor_another_value_and_is_told_once(rows: Harness) -> None:
    deal = deal_with_a_refused_solution(rows)
    rows.seller_edits(deal, Amount=44)
    rows.push_until_quiet()
    assert ids_in_partner_center(rows, deal) == ["SOL-1", "SOL-3"]
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2", "SOL-3"]
    assert rows.referral_of(deal)["details"]["dealValue"] == 44
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert rows.count_in_audit(deal, TOLD) == 1
    rows.forget_calls()
    rows.seller_edits(deal, Amount=45)
    assert patches_of_pushes(rows) == 1, "the amount alone"
    assert rows.count_in_audit(deal, TOLD) == 1
    assert_quiet(rows)


def test_a_refused_solution_is_sent_again_once_a_colleague_edits_the_list_and_not_told_again(rows: Harness) -> None:
    deal = deal_with_a_refused_solution(rows)
    rows.push_until_quiet()
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", "SOL-3", "SOL-5"))
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2", "SOL-3", "SOL-5"]
    assert ids_in_partner_center(rows, deal) == ["SOL-1", "SOL-3", "SOL-5"]
    assert rows.count_in_audit(deal, TOLD) == 1
    assert patches_of_pushes(rows) == 0
    assert_quiet(rows)
    rows.clear_faults()
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", "SOL-3"))
    assert ids_in_partner_center(rows, deal) == ["SOL-1", "SOL-2", "SOL-3"]
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(rows)


def test_a_refused_solution_that_is_removed_and_added_anew_is_sent_again(rows: Harness) -> None:
    deal = deal_with_a_refused_solution(rows)
    rows.push_until_quiet()
    seller_removes(rows, deal, "SOL-2")
    rows.push_until_quiet()
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced"
    rows.clear_faults()
    seller_adds(rows, deal, "SOL-2")
    rows.push_until_quiet()
    assert ids_in_partner_center(rows, deal) == ["SOL-1", "SOL-2", "SOL-3"]
    assert_quiet(rows)


def test_one_solution_that_is_refused_alone_costs_no_second_call(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    refuse(rows, "SOL-2")
    seller_adds(rows, deal, "SOL-2")
    assert patches_of_pushes(rows) == 1
    assert rows.count_in_audit(deal, TOLD) == 1
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(rows)


def test_a_refused_solution_does_not_stop_a_removal(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1", "SOL-4")
    refuse(rows, "SOL-2")
    seller_removes(rows, deal, "SOL-4")
    seller_adds(rows, deal, "SOL-2")
    rows.push_until_quiet()
    assert ids_in_partner_center(rows, deal) == ["SOL-1"]
    assert rows.count_in_audit(deal, TOLD) == 1
    assert_quiet(rows)


def test_the_only_solution_is_replaced_by_the_one_that_is_taken(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    refuse(rows, "SOL-2")
    seller_removes(rows, deal, "SOL-1")
    seller_adds(rows, deal, "SOL-2", "SOL-3")
    rows.push_until_quiet()
    assert ids_in_partner_center(rows, deal) == ["SOL-3"]
    assert rows.count_in_audit(deal, TOLD) == 1
    assert_quiet(rows)


def test_several_refused_solutions_stop_none_that_is_taken(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    refuse(rows, "SOL-2")
    seller_adds(rows, deal, *(f"SOL-{number}" for number in (20, 21, 22, 23, 3, 4)))
    rows.push_until_quiet()
    assert ids_in_partner_center(rows, deal) == ["SOL-1", "SOL-3", "SOL-4"]
    assert_quiet(rows)


def test_many_refused_solutions_cost_few_calls(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    refuse(rows, "SOL-")
    seller_adds(rows, deal, *(f"SOL-{number}" for number in range(2, 17)))
    assert patches_of_pushes(rows) == 12, "all, ten alone, the rest"
    assert ids_in_partner_center(rows, deal) == ["SOL-1"]
    assert "\n".join(rows.audit_texts(deal)).count("SOL-16") == 1
    assert_quiet(rows)


def test_a_solution_of_a_text_that_is_refused_stops_no_other_and_stays_in_the_text() -> None:
    with Harness() as harness:
        deal = harness.shared_deal(Products__c="SOL-1")
        refuse(harness, "SOL-2")
        harness.seller_edits(deal, Products__c="SOL-1;SOL-2;SOL-3")
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-3"]
        assert harness.opportunity(deal)["Products__c"] == "SOL-1;SOL-2;SOL-3"
        harness.pull_event(colleague_lists(harness, deal, "SOL-1", "SOL-3", "SOL-5"))
        assert harness.opportunity(deal)["Products__c"] == "SOL-1;SOL-3;SOL-5;SOL-2"
        assert harness.count_in_audit(deal, TOLD) == 1
        assert_quiet(harness)


@pytest.mark.slow
def test_a_crash_at_any_call_neither_loses_a_solution_nor_the_word_of_the_refused_one(tmp_path: Path) -> None:
    make = partial(harness_with_rows, tmp_path)
    points, _ = crash_points(deal_with_a_refused_solution, lambda instance: instance.push(), make)
    for point in points:
        with make() as harness:
            deal = deal_with_a_refused_solution(harness)
            crashing = harness.new_instance()
            crash_instance_at(crashing, point)
            assert crashing.crashes_during(lambda instance: instance.push()), f"no crash at {point}"
            recover_after_lease(harness)
            harness.push_until_quiet()
            assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-3"], point
            assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
            assert harness.count_in_audit(deal, TOLD) == 1, point
            assert_quiet(harness)
