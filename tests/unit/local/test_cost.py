"""docs/cost.md has the table that `python -m local.cost` prints, and the simulation counts correctly."""

from contextlib import ExitStack

import pytest

from local.cost import COUNTED_FUNCTIONS, SPANS, estimate_day, table_lines
from local.cost_simulation import Simulation, count_operations
from tests.unit.docs.docs_reader import matches_in, section_text, table_cells, without_backticks

CHANGES = 1_000
TOLERANCE = 0.4
"""The page may differ from a short run by this share, because a shorter run contains another mix of changes."""


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return {without_backticks(name): value for name, value in estimate_day(CHANGES, 30).items()}


def documented_values() -> dict[str, float]:
    """The values of the page's column for a thousand changes."""
    column = 1 + list(SPANS).index(CHANGES)
    table = section_text("cost.md", "What a day uses")
    return {without_backticks(row[0]): float(row[column].rstrip(" |").replace(",", "")) for row in table_cells(table)}


def test_the_page_has_the_lines_and_columns_of_the_table(figures: dict[str, float]) -> None:
    page = section_text("cost.md", "What a day uses")
    assert next(table_lines(dict.fromkeys(SPANS, figures))) in page
    assert list(documented_values()) == list(figures)


def test_the_page_has_nearly_the_values_of_a_short_run(figures: dict[str, float]) -> None:
    far = {
        name: (value, documented_values()[name])
        for name, value in figures.items()
        if abs(documented_values()[name] - value) > TOLERANCE * value
    }
    assert far == {}


def test_every_function_except_health_and_poison_is_counted() -> None:
    assert set(matches_in("functions", r'function_name\("(\w+)"\)')) - {"report_health", "apply_poison"} <= set(
        COUNTED_FUNCTIONS
    )


def test_without_changes_only_the_timers_run() -> None:
    idle = count_operations(0, 30)
    assert (idle["push_opportunities"], idle["sweep_referrals"], idle["apply_event"]) == (30, 2, 0)
    assert idle["Salesforce calls"] >= 30


def test_an_idle_push_costs_five_table_operations_and_an_idle_sweep_at_most_four() -> None:
    with ExitStack() as stack:
        world = Simulation(stack)
        world.run_minute(1, 0)
        before = world.counts["table operations"]
        world.run_minute(2, 0)
        push = world.counts["table operations"] - before
        world.run_minute(15, 0)
    assert push == 5
    assert world.counts["table operations"] - before - 2 * push <= 4


def test_changes_cause_more_calls_and_table_operations_than_an_idle_day(figures: dict[str, float]) -> None:
    idle = count_operations(0, 30)
    day = {name: count * 48 for name, count in idle.items()}
    for name in ("Salesforce calls", "Partner Center calls", "table operations"):
        assert figures[name] > day[name]
    assert figures["apply_event"] >= 0.9 * CHANGES
