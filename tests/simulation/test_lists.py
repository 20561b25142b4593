"""Seeds in which both sides change lists member by member, and an oracle that notices a merge that does not."""

import pytest

from shared.domain import member_sets
from tests.simulation.driver import simulate
from tests.simulation.lists import CONTACTS, IN_ROWS, LISTS

pytestmark = pytest.mark.slow

SEEDS = (9001, 9007, 9011, 9027, 9029, 9051)
"""In 9029, a seller removes a solution that a run may have given the deal before it crashed."""


SEEDS_WITH_ROWS = (9011, 9033, 9040, 9063)


SEEDS_WITH_CONTACTS = (9011, 9030, 9037)


@pytest.mark.parametrize("seed", SEEDS_WITH_CONTACTS)
def test_a_seed_with_contacts_loses_none_and_brings_none_back(seed: int) -> None:
    outcome = simulate(seed, also=(CONTACTS,))
    assert outcome.findings == []
    assert sum(times for name, times in outcome.counts.items() if "contacts" in name) > 0
    assert any("OpportunityContactRole" in line for line in outcome.trace)


@pytest.mark.parametrize("seed", SEEDS_WITH_ROWS)
def test_a_seed_with_solutions_in_rows_loses_none_and_brings_none_back(seed: int) -> None:
    outcome = simulate(seed, also=(IN_ROWS,))
    assert outcome.findings == []
    assert sum(times for name, times in outcome.counts.items() if "rows of solutions" in name) > 0
    assert any("Cosell_Deal_Solution__c" in line for line in outcome.trace)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_with_lists_loses_no_member_and_brings_none_back(seed: int) -> None:
    outcome = simulate(seed, also=(LISTS,))
    assert outcome.findings == []
    assert sum(times for name, times in outcome.counts.items() if "solutions" in name) > 0


def test_the_oracle_notices_a_merge_that_only_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_sets, "_stays", lambda *_: True)
    findings = [finding for seed in SEEDS for finding in simulate(seed, also=(LISTS,)).findings]
    assert any(finding.startswith("kept: ") for finding in findings)
