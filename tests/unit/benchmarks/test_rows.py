"""The rows of `make bench`: each line of the table of the targets has some, and each row has one measure."""

import re
from collections import Counter

import pytest

from benchmarks.figures.effort import Effort
from benchmarks.figures.rows import BY_NAME, LINES, ROWS, TIMES, chosen_rows
from benchmarks.figures.spreads import at_most, part_of_former
from benchmarks.measures.catalogue import MEASURES

TABLE = (
    "CPU a pair: create / update / own echo event / changed event",
    "500 creates at 150 ms, 8 in flight",
    "`STORAGE=azurite make run DEALS=100` over embedded",
    "the push a minute after 4,000 creates (looks only at its own writes)",
    "table operations: one pair more in a run, create / update / echo; an idle minute",
    "sweep with nothing new, after a burst of 10,000",
    "1,000 changed linked referrals by sweep",
    "a burst of 1,000 events of linked referrals",
    "1,000 updates against a naive loop / a batched async script",
    "first opportunity of a batch of 2,000 shows its id",
    "cold start to the first event / all loaded, each build as its zip is",
    "an event at the webhook, over a bare RSA verify",
    "CPU of ours in one Partner Center call / Salesforce call",
)
"""The lines of the table in which the targets were set."""
TARGETS = {
    "create": part_of_former(0.2), "update": part_of_former(0.2), "echo": part_of_former(0.2),
    "changed": part_of_former(0.2), "latency": at_most(1.2), "parallel": part_of_former(0.2), "story": at_most(1.5),
    "own-writes": part_of_former(0.02), "create-operations": at_most(7), "update-operations": at_most(6),
    "echo-operations": at_most(2), "idle-operations": at_most(5), "quiet-calls": at_most(1),
    "quiet-operations": at_most(10), "swept-calls": at_most(70), "swept-time": at_most(2), "burst": at_most(1.1),
    "single": part_of_former(1), "batched-tables": at_most(1.2), "first-id": at_most(5), "start-first": at_most(100),
    "start-all": at_most(250), "webhook": at_most(3), "partner-center-call": part_of_former(0.5),
    "salesforce-call": part_of_former(0.5),
}  # fmt: skip


def test_each_line_of_the_table_has_rows_in_its_order() -> None:
    assert LINES == TABLE


def test_each_row_has_one_measure() -> None:
    measured = Counter(name for names in MEASURES for name in names)
    assert measured == Counter(BY_NAME.keys())
    assert len(BY_NAME) == len(ROWS)


def test_the_targets_are_those_of_the_table() -> None:
    assert {row.name: row.target for row in ROWS if row.target} == TARGETS


def test_each_row_says_what_bounds_it() -> None:
    assert [row.name for row in ROWS if len(row.bound.split()) < 3] == []
    assert {row.unit for row in ROWS} == {TIMES, "ms", "s", "calls", "operations"}


def test_rows_are_chosen_by_name_in_the_order_of_the_table() -> None:
    assert [row.name for row in chosen_rows("update, create")] == ["create", "update"]
    assert chosen_rows("") == list(ROWS)


def test_an_unknown_row_is_refused_with_all_names() -> None:
    with pytest.raises(ValueError, match=re.escape("ROWS: no row is named 'crate'. The rows are: create, update")):
        chosen_rows("create crate")


def test_a_quick_run_has_a_tenth_of_the_deals_and_two_runs() -> None:
    quick, whole = Effort(is_quick=True), Effort()
    assert [(effort.deals(4_000), effort.deals(3), effort.runs(5), effort.runs(1)) for effort in (quick, whole)] == [
        (400, 1, 2, 1),
        (4_000, 3, 5, 1),
    ]
