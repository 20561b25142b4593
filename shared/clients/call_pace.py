"""Keep the pace of each side in the memory of the process: the clients tell it of each call, and the runs ask it.

The pace is how many calls may go to the side at once: one more after a round of answers, half after a sign of too many.

    paces = Paces(most=32)
    with paces.of("salesforce").call() as call:
        call.status = ...                        # send the call; what it raises says the rest
    paces.calls_at_once("salesforce")            # so many calls may go to the side at once

All threads of a process share one object. Nothing of it is stored: another process finds its own pace.

Source: docs/protocol.md#calls-at-once.
"""

import threading
from collections.abc import Callable
from copy import replace
from enum import Enum
from http import HTTPStatus
from types import TracebackType
from typing import Self

from msgspec import Struct

from shared.foundation.errors import CosellError, Throttled

FIRST, MOST = 8, 32
"""So many calls go to a side at once before it has answered any, and so many at most unless a setting says otherwise.
"""
_OVERLOADED = frozenset({
    HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
})  # fmt: skip
_SERVER_ERROR = 500
SIDES = ("partner_center", "salesforce")
"""The values of `shared.domain.deal.Side`: clients know no deals."""


class Sign(Enum):
    """What the end of one call says of the number of calls."""

    TAKEN = "taken"
    """The side has answered in time, also with a refusal of the record."""
    TOO_MANY = "too many"
    """It limits the calls, is overloaded, or has not answered in time."""
    NOTHING = "nothing"
    """The call says neither: it was not sent, or it broke off."""


class Pace(Struct, frozen=True):
    """What the ends of calls have allowed to one process: `allowed` calls at once, from 1 to `most`.

    `in_a_row` counts the calls that were taken since `allowed` changed or a sign of too many, and `halvings` the times
    that it was halved.
    """

    most: int
    allowed: int
    in_a_row: int = 0
    halvings: int = 0

    @classmethod
    def first(cls, most: int) -> "Pace":
        """The pace before the first call."""
        return cls(most, min(FIRST, most))

    def is_used(self, under_way: int) -> bool:
        """Whether so many calls at once are at least half of what is allowed.

        Fewer say nothing about more: a side that is asked one thing at a time would end at `most` all the same.
        """
        return 2 * under_way >= self.allowed

    def ended(self, sign: Sign, halvings: int, *, is_used: bool) -> "Pace":
        """The pace after a call; `halvings` and `is_used` are as they were when it began.

        Calls that were under way together are refused together: they halve the pace once.
        """
        if sign is Sign.TOO_MANY and halvings < self.halvings:
            return replace(self, in_a_row=0)
        if sign is Sign.TOO_MANY:
            return Pace(self.most, max(1, self.allowed // 2), 0, self.halvings + 1)
        if sign is not Sign.TAKEN or not is_used or self.allowed == self.most:
            return self
        if self.in_a_row + 1 < self.allowed:
            return replace(self, in_a_row=self.in_a_row + 1)
        return replace(self, allowed=self.allowed + 1, in_a_row=0)


def sign_of(status: int | None, error: BaseException | None, *, is_late: bool) -> Sign:
    """What the end of a call says. `status` is None without an answer; `is_late`: it was sent, and got none in time.

    A token that is refused, or that the sign-in limits, says nothing of the side: another service gives tokens.
    """
    is_ours = error is None or isinstance(error, CosellError)
    if is_late or status in _OVERLOADED:
        return Sign.TOO_MANY
    if not is_ours or status is None or status == HTTPStatus.UNAUTHORIZED or status >= _SERVER_ERROR:
        return Sign.NOTHING
    return Sign.TOO_MANY if isinstance(error, Throttled) else Sign.TAKEN


class CallUnderWay:
    """One call, from its beginning to its end. The client sets `status`, or `is_late` if no answer came in time."""

    def __init__(self, pace: "CallPace") -> None:
        """Begin nothing yet: `with` does."""
        self.status: int | None = None
        self.is_late = False
        self._pace = pace
        self._halvings, self._is_used = 0, False

    def __enter__(self) -> Self:
        self._halvings, self._is_used = self._pace.begin()
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: TracebackType | None) -> None:
        self._pace.end(sign_of(self.status, error, is_late=self.is_late), self._halvings, is_used=self._is_used)


class CallPace:
    """The pace of one side. Safe for many threads."""

    def __init__(self, most: int = MOST) -> None:
        """`most` is the setting PARALLELISM: so many calls at once are never exceeded."""
        self._lock, self._pace, self._under_way = threading.Lock(), Pace.first(most), 0

    @property
    def allowed(self) -> int:
        """The number of calls that may go to the side at once."""
        return self._pace.allowed

    def call(self) -> CallUnderWay:
        """A call that begins with `with`. It waits for nothing: the runs begin no more than is allowed."""
        return CallUnderWay(self)

    def begin(self) -> tuple[int, bool]:
        """Count one call more under way; returns what `end` needs."""
        with self._lock:
            self._under_way += 1
            return self._pace.halvings, self._pace.is_used(self._under_way)

    def end(self, sign: Sign, halvings: int, *, is_used: bool) -> None:
        """Count one call less, and learn from it."""
        with self._lock:
            self._under_way -= 1
            self._pace = self._pace.ended(sign, halvings, is_used=is_used)


class Paces:
    """The paces of both sides, and the number of calls to the store, which is not learned."""

    def __init__(self, most: int = MOST) -> None:
        """`most` is the setting PARALLELISM."""
        self.most, self.usual = most, min(FIRST, most)
        self._of = {side: CallPace(most) for side in SIDES}

    def of(self, side: str) -> CallPace:
        """The pace of a side."""
        return self._of[side]

    def calls_at_once(self, side: str | None) -> int:
        """How many calls may go to a side at once now, or to the store (None)."""
        return self.usual if side is None else self._of[side].allowed

    def width(self, side: str | None) -> Callable[[], int]:
        """What says `calls_at_once` whenever it is asked: the pace may change while work is under way."""
        return lambda: self.calls_at_once(side)
