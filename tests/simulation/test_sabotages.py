"""The simulation notices each way in which the connector is broken on purpose."""

import pytest

from tests.simulation.noticing import first_notice
from tests.simulation.sabotages import HINTS, SABOTAGES


@pytest.mark.slow
@pytest.mark.timeout(1200)  # after a change of the simulation, the hints are wrong, and all seeds are searched
@pytest.mark.parametrize("name", SABOTAGES)
def test_a_broken_connector_is_noticed_within_500_seeds(name: str) -> None:
    assert first_notice(name) is not None


def test_each_hint_is_of_a_sabotage() -> None:
    assert HINTS.keys() <= SABOTAGES.keys()
