"""When a close date has passed (docs/protocol.md#normal-form)."""

from datetime import date, datetime, timedelta

from shared.domain.audit import Line
from shared.domain.deal import Deal, Status
from shared.domain.sentences import LineDirection

WESTERNMOST_ZONE = timedelta(hours=12)
"""How long after its UTC midnight a day begins in the last zone. A seller's day is over once it is over everywhere."""


def past_close_date_lines(deal: Deal, now: datetime) -> dict[str, Line]:
    """The line that asks to move a close date in the past, by its key; none if the deal is closed or it is not past."""
    today = (now - WESTERNMOST_ZONE).date()
    closing, status = deal.get("closing"), deal.get("status")
    is_open = isinstance(status, Status) and not status.is_final
    if not (is_open and isinstance(closing, date) and closing < today):
        return {}
    values = {"value": str(closing)}
    return {f"past_closing:{closing}": Line(now, "past_closing", LineDirection.NOTE, field="closing", values=values)}
