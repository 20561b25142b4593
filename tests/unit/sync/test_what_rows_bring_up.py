"""A solution that a seller adds, changes or removes as a row travels, though the row does not touch the opportunity.

Source: docs/protocol.md#the-salesforce-poll.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.sync.harness import Harness
from tests.unit.sync.polled_deals import looked_at, push_often
from tests.unit.sync.solution_rows import (
    CATALOGUE,
    ROWS,
    colleague_lists,
    deal_with,
    ids_in_partner_center,
    ids_in_salesforce,
    list_solution,
    reading_rows,
    rows_of,
)

type Edit = Callable[[Harness, str], None]


@pytest.fixture
def in_rows(tmp_path: Path) -> Iterator[Harness]:
    with reading_rows(tmp_path) as harness:
        yield harness


def two_deals(harness: Harness) -> tuple[str, str]:
    """Two linked deals with a solution each, once the overlap of every query has passed."""
    deals = deal_with(harness, "SOL-1"), deal_with(harness, "SOL-1")
    push_often(harness, 20)
    harness.forget_calls()
    return deals


def add_row(harness: Harness, deal: str) -> None:
    harness.salesforce.insert(ROWS, {"Opportunity__c": deal, "Solution__c": list_solution(harness, "SOL-2")})


def change_row(harness: Harness, deal: str) -> None:
    (row,) = rows_of(harness, deal)
    harness.salesforce.edit(ROWS, row["Id"], {"Solution__c": list_solution(harness, "SOL-2")})


def delete_row(harness: Harness, deal: str) -> None:
    (row,) = rows_of(harness, deal)
    harness.salesforce.delete(ROWS, row["Id"])


@pytest.mark.parametrize(
    ("edit", "solutions"),
    [(add_row, ["SOL-1", "SOL-2"]), (change_row, ["SOL-2"]), (delete_row, [])],
    ids=["added", "changed", "deleted"],
)
def test_an_edit_of_a_row_travels_within_five_minutes_and_brings_up_its_deal_only(
    in_rows: Harness, edit: Edit, solutions: list[str]
) -> None:
    first, second = two_deals(in_rows)
    edit(in_rows, first)
    with looked_at(in_rows, first, second) as worked:
        push_often(in_rows)
        assert worked() == [first]
    if solutions:
        assert ids_in_partner_center(in_rows, first) == solutions
    assert ids_in_partner_center(in_rows, second) == ["SOL-1"]
    push_often(in_rows)
    in_rows.forget_calls()
    push_often(in_rows, 10)
    assert in_rows.new_calls() == {"salesforce.query": 10}, "an edit that is known costs no further read"


def test_rows_that_we_write_and_delete_come_to_rest(in_rows: Harness) -> None:
    deal, _ = two_deals(in_rows)
    colleague_lists(in_rows, deal, "SOL-1", "SOL-3")
    in_rows.sweep()
    assert ids_in_salesforce(in_rows, deal) == ["SOL-1", "SOL-3"]
    colleague_lists(in_rows, deal, "SOL-3")
    in_rows.sweep()
    assert ids_in_salesforce(in_rows, deal) == ["SOL-3"]
    with looked_at(in_rows, deal) as worked:
        push_often(in_rows)
        assert worked() == [deal]
    push_often(in_rows)
    in_rows.forget_calls()
    push_often(in_rows, 10)
    assert in_rows.new_calls() == {"salesforce.query": 10}


def test_an_edit_of_the_catalogue_brings_no_deal_up(in_rows: Harness) -> None:
    """The record is shared by all deals: its name and activity count when a deal is looked at."""
    first, second = two_deals(in_rows)
    in_rows.salesforce.edit(CATALOGUE, list_solution(in_rows, "SOL-1"), {"Name": "Ledger 2"})
    with looked_at(in_rows, first, second) as worked:
        push_often(in_rows)
        assert worked() == []


def test_an_opportunity_that_is_deleted_with_its_rows_is_told_once(in_rows: Harness) -> None:
    first, _ = two_deals(in_rows)
    in_rows.salesforce.delete("Opportunity", first)
    push_often(in_rows, 20)
    assert in_rows.first.log.opportunities_of("opportunity_deleted") == [first]


def test_the_rows_are_polled_only_where_they_are_the_source(harness: Harness, in_rows: Harness) -> None:
    assert "solution" not in {query.name for query in harness.translation.polls}
    assert "solution" in {query.name for query in in_rows.translation.polls}
