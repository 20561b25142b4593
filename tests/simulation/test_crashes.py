"""A process dies before and after each request and each write of its store, in each scenario; a new one goes on.

To see the table of places: `python -m tests.simulation.crash_scenarios`.
"""

import pytest

from tests.simulation.crash_scenarios import SCENARIOS, findings_at, places_of
from tests.simulation.sabotages import SABOTAGES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FEWEST = 30
"""Each scenario has at least so many places."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_process_that_dies_at_any_place_loses_nothing_and_doubles_nothing(name: str) -> None:
    places = places_of(name)
    assert len(places) >= FEWEST
    assert [finding for place in places for finding in findings_at(name, place)] == []


@pytest.mark.parametrize(
    ("sabotage", "name"),
    [
        ("recovery is skipped", "create"),
        ("the base moves before the effect", "update"),
        ("audit lines are lost", "win"),
        ("a close is sent at once", "win"),
    ],
)
def test_the_scenarios_notice_a_broken_connector(sabotage: str, name: str) -> None:
    assert any(findings_at(name, place, SABOTAGES[sabotage]) for place in places_of(name))
