"""The page about cost carries the table that the script prints, and the script counts what happens."""

from contextlib import ExitStack

import pytest

from local.cost import FUNCTIONS, SPANS, a_day, rows
from local.cost_simulation import World, counted
from tests.unit.docs.docs_reader import bare, found_in, section
from tests.unit.docs.docs_reader import rows as cells_of

CHANGES = 1_000
NEAR = 0.4
"""How far the page may be from a short run: a span that begins elsewhere holds another mix."""


@pytest.fixture(scope="module")
def short() -> dict[str, float]:
    return {bare(name): value for name, value in a_day(CHANGES, 30).items()}


def told() -> dict[str, float]:
    """The page's column of a thousand changes."""
    column = 1 + list(SPANS).index(CHANGES)
    table = section("cost.md", "What a day uses")
    return {bare(row[0]): float(row[column].rstrip(" |").replace(",", "")) for row in cells_of(table)}


def test_the_page_has_the_scripts_rows_and_columns(short: dict[str, float]) -> None:
    page = section("cost.md", "What a day uses")
    assert next(rows(dict.fromkeys(SPANS, short))) in page
    assert list(told()) == list(short)


def test_the_page_says_what_the_script_counts(short: dict[str, float]) -> None:
    far = {name: (value, told()[name]) for name, value in short.items() if abs(told()[name] - value) > NEAR * value}
    assert far == {}


def test_every_function_but_health_and_poison_is_counted() -> None:
    assert set(found_in("functions", r'function_name\("(\w+)"\)')) - {"report_health", "apply_poison"} <= set(FUNCTIONS)


def test_an_idle_hour_writes_nothing_and_still_costs_its_timers() -> None:
    idle = counted(0, 30)
    assert (idle["push_opportunities"], idle["sweep_referrals"], idle["apply_event"]) == (30, 2, 0)
    assert idle["Salesforce calls"] >= 30


def test_an_idle_minute_is_six_table_operations_and_an_idle_sweep_four_at_most() -> None:
    with ExitStack() as stack:
        world = World(stack)
        world.minute(1, 0)
        before = world.counts["table operations"]
        world.minute(2, 0)
        push = world.counts["table operations"] - before
        world.minute(15, 0)
    assert push == 6
    assert world.counts["table operations"] - before - 2 * push <= 4


def test_more_changes_cost_more_of_everything_that_they_cause(short: dict[str, float]) -> None:
    idle = counted(0, 30)
    day = {name: count * 48 for name, count in idle.items()}
    for name in ("Salesforce calls", "Partner Center calls", "table operations"):
        assert short[name] > day[name]
    assert short["apply_event"] >= 0.9 * CHANGES
