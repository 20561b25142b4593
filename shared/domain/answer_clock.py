"""Until when we must answer a deal of Microsoft's, and the warnings before that time. Pure.

Source: docs/protocol.md#clocks-of-a-deal.
"""

from copy import replace
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection

ANSWER_TIME = timedelta(days=14)
"""How long Microsoft awaits an answer, where the referral does not say when it ends."""
WARNING_DAYS = (1, 3)
"""How many days before the end a warning is due, the most urgent first."""
SAME_END = timedelta(days=1)
"""Ends that differ by less are the same end: only some answers of Partner Center may name it."""


class AnswerTime(Struct, frozen=True):
    """Until when we must answer a deal, and what its owner was told of that.

    until    the end, in whole seconds
    warned   how many days before the end the latest warning was due; 0 before the first
    tries    how often the sync has tried to tell the owner of that warning; None where nobody is to be told
    """

    until: datetime
    warned: int = 0
    tries: int | None = None

    def due_warning(self, now: datetime) -> int:
        """The days of the warning that is due and was not given; 0 if there is none. A later one replaces the first."""
        left = self.until - now
        found = next((days for days in WARNING_DAYS if timedelta() < left <= timedelta(days=days)), 0)
        return 0 if self.warned and self.warned <= found else found

    def next_warning(self, now: datetime) -> datetime | None:
        """When the next warning is due after `now`."""
        coming = (self.until - timedelta(days=days) for days in WARNING_DAYS)
        return min((at for at in coming if at > now), default=None)

    def with_warning(self, days: int) -> "AnswerTime":
        """The same end, with a warning of which nobody was told yet."""
        return replace(self, warned=days, tries=0)

    @property
    def shown_until(self) -> str:
        """The end as people read it."""
        return f"{self.until.astimezone(UTC):%Y-%m-%d %H:%M}"


def answer_by(referral: Referral) -> datetime | None:
    """When Microsoft ends to await an answer; None where nobody awaits one."""
    until = referral.expires or (referral.created + ANSWER_TIME if referral.created else None)
    return until if referral.is_unanswered else None


def answer_time(referral: Referral, known: AnswerTime | None) -> AnswerTime | None:
    """The time of a deal; None once it is answered. A referral that was taken from the base does not say its end."""
    if not referral.is_unanswered:
        return None
    found = answer_by(referral)
    if found is None:
        return known
    until = found.astimezone(UTC).replace(microsecond=0)
    is_same = known is not None and abs(until - known.until) < SAME_END
    return replace(known, until=until) if known is not None and is_same else AnswerTime(until)


def must_be_read(known: AnswerTime | None, now: datetime) -> bool:
    """Whether an unanswered deal must be read: its end is not known, or a warning is due, which may be answered."""
    return known is None or known.due_warning(now) > 0


def warning_line(known: AnswerTime, now: datetime) -> Line:
    """The line that warns of the end."""
    values = {"until": known.shown_until}
    return Line(now, "answer_due", LineDirection.NOTE, Side.PARTNER_CENTER, "status", values=values)
