"""Thirty seeds on the store of production: the adapter of Table Storage, and the tables of Azurite."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from local import azurite
from shared.store.link_store import LinkStore
from shared.store.table_storage_rows import open_tables_from_connection_string
from tests.simulation.clocked_rows import ClockedRows
from tests.simulation.driver import Outcome, Simulation, harness_of, simulate
from tests.simulation.world import draw_world

pytestmark = [pytest.mark.slow, pytest.mark.node, pytest.mark.timeout(600)]

SEEDS = range(40_000, 40_030)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Azurite]:
    if reason := azurite.unavailable_reason():
        pytest.skip(f"NOT RUN: {reason}")
    with azurite.start_azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


def simulate_on(tables: azurite.Azurite, seed: int) -> Outcome:
    """Run one seed, as `simulate` does, on a new table."""
    world = draw_world(seed)
    rows = open_tables_from_connection_string(tables.connection_string, f"t{uuid4().hex}")
    with harness_of(world) as harness:
        harness.rows.close()
        harness.rows = ClockedRows(rows, harness.now, rows.close)  # type: ignore[assignment]  # it has the methods
        harness.store = LinkStore(harness.rows, harness._timestamp)
        harness.first = harness.new_instance()
        simulation = Simulation(harness, world)
        try:
            simulation.run()
        finally:
            simulation.end()
        return simulation.outcome()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_keeps_every_promise_and_goes_as_on_sqlite(tables: azurite.Azurite, seed: int) -> None:
    outcome = simulate_on(tables, seed)
    assert outcome.findings == []
    assert outcome.trace == simulate(seed).trace
