"""The engine gives results that were computed by hand, and refuses what it does not know."""

import pytest

from tests.alerts.kusto_cases import CASES, NOON, REFUSED
from tests.alerts.kusto_query import SharedRows, query_of
from tests.alerts.kusto_trees import Tree
from tests.alerts.kusto_values import NotEvaluated

pytestmark = pytest.mark.node


@pytest.mark.parametrize("name", CASES)
def test_a_result_computed_by_hand(trees: dict[str, Tree], name: str) -> None:
    query = query_of(trees[name])
    assert query.answer(SharedRows(CASES[name].rows).after(query.first), NOON) == CASES[name].answer


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_rule_needs_is_refused(trees: dict[str, Tree], name: str) -> None:
    assert trees[name][0] != "Error"
    with pytest.raises(NotEvaluated):
        query_of(trees[name])


def test_there_are_twenty_results() -> None:
    assert len(CASES) >= 20
