"""The oracle notices a merge of lists that brings removed members back."""

import pytest

from shared.domain import member_sets
from tests.simulation.driver import simulate
from tests.simulation.lists import LISTS, was_put_back
from tests.simulation.shrink import kind_of


@pytest.mark.slow
def test_the_oracle_notices_a_merge_that_only_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_sets, "_stays", lambda *_: True)
    found = (map(kind_of, simulate(seed, also=(LISTS,)).findings) for seed in range(50))
    assert any("kept" in kinds for kinds in found)


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("From Partner Center: Products SOL-1, SOL-2 → SOL-3.", True),
        ("From Partner Center: Products SOL-1 → SOL-1, SOL-3.", False),
        ("To Partner Center: Products SOL-1 → SOL-3.", False),
    ],
)
def test_a_removed_member_may_be_put_back_only_where_both_whole_lists_are_named(line: str, is_told: bool) -> None:
    opportunity = {"Audit__c": f"2026-11-22 13:05:34 UTC - {line}"}
    assert was_put_back(opportunity, "SOL-3") is is_told
