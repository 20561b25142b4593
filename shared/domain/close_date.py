"""When a close date has passed (docs/protocol.md#normal-form)."""

from datetime import date, datetime, timedelta

from shared.domain.deal import Deal, Status

WESTERNMOST_ZONE = timedelta(hours=12)
"""How long after its UTC midnight a day begins in the last zone. A seller's day is over once it is over everywhere."""


def past_close_date_key(deal: Deal, now: datetime) -> str | None:
    """The key of the warning about a close date in the past; None if the deal is closed or the date is not past."""
    today = (now - WESTERNMOST_ZONE).date()
    closing, status = deal.get("closing"), deal.get("status")
    is_open = isinstance(status, Status) and not status.is_final
    return f"past_closing:{closing}" if is_open and isinstance(closing, date) and closing < today else None
