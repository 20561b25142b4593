"""The page about the engine names states and breaks that exist."""

import re

from shared.domain.link_states import State
from tests.simulation.sabotages import SABOTAGES
from tests.unit.docs.docs_reader import ROOT, page_text


def test_the_page_draws_every_state_of_a_link() -> None:
    page = page_text("docs/engine.md").replace("on hold", "on_hold")
    assert [state for state in State if state.value not in page] == []


def test_the_page_names_breaks_that_the_simulation_makes() -> None:
    named = re.findall(r'--sabotage "([^"]+)"', page_text("docs/engine.md"))
    assert named
    assert set(named) <= set(SABOTAGES)


def test_each_of_the_ten_rules_has_a_judge_and_a_break_that_exist() -> None:
    rows = re.findall(r"^\| (\d+) .*$", page := page_text("docs/engine.md"), re.MULTILINE)
    table = page[page.index("| rule | judge |") :].partition("\n\n")[0].splitlines()[2:]
    assert len(table) == 10
    assert [str(number) for number in range(1, 11)] == rows[-10:]
    for row in table:
        _, _, judges, _, breaks, tests, _ = row.split("|")
        assert set(breaks.strip().split("; ")) <= SABOTAGES.keys()
        named = [ROOT / "tests/simulation" / each for each in re.findall("`(.+?)`", judges)]
        named += [ROOT / (each if "/" in each else f"tests/unit/sync/{each}") for each in re.findall("`(.+?)`", tests)]
        assert [path for path in named if not path.exists()] == []
