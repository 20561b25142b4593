"""The oracle notices a merge of lists that brings removed members back."""

import pytest

from shared.domain import member_sets
from tests.simulation.driver import simulate
from tests.simulation.lists import LISTS
from tests.simulation.shrink import kind_of


@pytest.mark.slow
def test_the_oracle_notices_a_merge_that_only_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_sets, "_stays", lambda *_: True)
    found = (map(kind_of, simulate(seed, also=(LISTS,)).findings) for seed in range(50))
    assert any("kept" in kinds for kinds in found)
