"""The latches forbid each write that Partner Center would not accept.

Source: docs/reference/partner-center.md#status-transitions.
"""

from itertools import product

import pytest

from shared.domain.deal import Status, Value
from shared.domain.latches import LEAD_STATUS, SUBSTATUSES, forbidding_latch

ALL_STATUSES = [Status(status, substatus) for status, known in SUBSTATUSES.items() for substatus in sorted(known)]
ALLOWED_MOVES = {
    ("New", "New"), ("New", "Active"), ("New", "Closed"), ("Active", "Active"), ("Active", "Closed"),
}  # fmt: skip


@pytest.mark.parametrize(("current", "target"), list(product(ALL_STATUSES, ALL_STATUSES)), ids=str)
def test_a_status_moves_only_along_the_documented_transitions(current: Status, target: Status) -> None:
    latch = forbidding_latch(current, target)
    if current.is_final:
        assert latch
        assert latch.code == "closed_is_final"
    elif target.substatus == "Declined" and current.status == "Active":
        assert latch
        assert latch.code == "already_accepted"
    elif (current.status, target.status) in ALLOWED_MOVES and target.substatus != "Expired":
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
def test_other_values_are_forbidden_before_the_answer_and_after_the_close(
    current: Status | None, code: str | None, value: Value | None
) -> None:
    latch = forbidding_latch(current, value)
    assert (latch.code if latch else None) == code


@pytest.mark.parametrize("target", [Status("Active", "Won"), Status("Closed", "Accepted"), Status("Open", "Accepted")])
def test_a_status_with_a_substatus_of_another_status_is_forbidden(target: Status) -> None:
    latch = forbidding_latch(Status("Active", "Accepted"), target)
    assert latch
    assert latch.code == "no_such_move"


def test_an_unknown_status_may_not_change() -> None:
    latch = forbidding_latch(Status("Simmering", "Slowly"), Status("Closed", "Won"))
    assert latch
    assert latch.code == "no_such_move"


@pytest.mark.parametrize("value", ["a text", None, Status("Active", "Accepted"), Status("Closed", "Declined")])
def test_nothing_is_written_to_a_lead_that_nobody_has_accepted(value: Value | None) -> None:
    latch = forbidding_latch(LEAD_STATUS, value)
    assert latch
    assert latch.code == "lead_not_accepted"
