"""The page about the engine names states and breaks that exist."""

import re

from shared.domain.link_states import State
from tests.simulation.sabotages import SABOTAGES
from tests.unit.docs.docs_reader import page_text


def test_the_page_draws_every_state_of_a_link() -> None:
    page = page_text("docs/engine.md").replace("on hold", "on_hold")
    assert [state for state in State if state.value not in page] == []


def test_the_page_names_breaks_that_the_simulation_makes() -> None:
    named = re.findall(r'--sabotage "([^"]+)"', page_text("docs/engine.md"))
    assert named
    assert set(named) <= set(SABOTAGES)
