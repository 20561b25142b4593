"""A seller is asked to move the close date of an open deal once it has passed (docs/protocol.md#normal-form)."""

from datetime import UTC, date, datetime

import pytest

from shared.domain.audit import Line
from shared.domain.close_date import past_close_date_lines
from shared.domain.deal import Deal, Status
from shared.domain.sentences import LineDirection

NOON, LATE = datetime(2026, 11, 22, 11, 59, tzinfo=UTC), datetime(2026, 11, 22, 12, tzinfo=UTC)
ACTIVE = Status("Active", "Accepted")
PAST = date(2026, 11, 21)


def test_a_day_is_over_once_it_is_over_everywhere() -> None:
    deal = Deal(closing=PAST, status=ACTIVE)
    assert past_close_date_lines(deal, NOON) == {}
    line = Line(LATE, "past_closing", LineDirection.NOTE, None, "closing", values={"value": "2026-11-21"})
    assert past_close_date_lines(deal, LATE) == {"past_closing:2026-11-21": line}


@pytest.mark.parametrize("status", [Status("Closed", "Won"), None])
def test_nobody_moves_the_date_of_a_deal_that_is_closed_or_of_unknown_status(status: Status | None) -> None:
    assert past_close_date_lines(Deal(closing=PAST, status=status), LATE) == {}
