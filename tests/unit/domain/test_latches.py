"""What Partner Center lets change, when, and in which direction (reference/partner-center.md 6.1)."""

from itertools import product

import pytest

from shared.domain.deal import Status, Value
from shared.domain.latches import SUBSTATUSES, forbidding_latch

ALL = [Status(status, substatus) for status, known in SUBSTATUSES.items() for substatus in sorted(known)]
MAY_BECOME = {
    ("New", "New"), ("New", "Active"), ("New", "Closed"), ("Active", "Active"), ("Active", "Closed"),
}  # fmt: skip


@pytest.mark.parametrize(("current", "wanted"), list(product(ALL, ALL)), ids=str)
def test_every_move_is_as_the_table_of_states_says(current: Status, wanted: Status) -> None:
    latch = forbidding_latch(current, wanted)
    if current.is_final:
        assert latch
        assert latch.code == "closed_is_final"
    elif (current.status, wanted.status) in MAY_BECOME:
        assert latch is None
    else:
        assert latch
        assert latch.code == "no_such_move"


@pytest.mark.parametrize(
    ("current", "code"),
    [
        (Status("New", "Pending"), "not_answered"),
        (Status("New", "Received"), "not_answered"),
        (Status("Active", "Accepted"), None),
        (Status("Closed", "Won"), "closed_is_final"),
        (Status("Simmering", "Slowly"), None),
        (None, None),
    ],
)
@pytest.mark.parametrize("value", ["a text", None])
def test_other_values_wait_for_the_answer_and_end_with_the_deal(
    current: Status | None, code: str | None, value: Value | None
) -> None:
    latch = forbidding_latch(current, value)
    assert (latch.code if latch else None) == code


@pytest.mark.parametrize("wanted", [Status("Active", "Won"), Status("Closed", "Accepted"), Status("Open", "Accepted")])
def test_an_illegal_pair_is_never_sent(wanted: Status) -> None:
    latch = forbidding_latch(Status("Active", "Accepted"), wanted)
    assert latch
    assert latch.code == "no_such_move"


def test_a_status_that_nobody_knows_leads_nowhere() -> None:
    latch = forbidding_latch(Status("Simmering", "Slowly"), Status("Closed", "Won"))
    assert latch
    assert latch.code == "no_such_move"
