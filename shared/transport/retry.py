"""Repeat a remote call that failed temporarily: a few tries, random waits between them, `Retry-After` honoured.

    policy = RetryPolicy(tries=3, first_wait=0.5, longest_wait=8.0)
    with call_deadline(60.0) as deadline:
        for attempt in policy.attempts(deadline):
            with attempt:
                return read_once()

Each client states its own numbers. Only calls that are safe to repeat come here: reads, the writing of a secret, which
adds an equal version at most, and a write that the store has not begun. Any other write could create a second record
(docs/protocol.md#within-a-call). Tests replace `sleep`.
"""

import math
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from time import sleep

from msgspec import Struct

from shared.foundation.errors import Retryable
from shared.transport.deadline import Deadline


class RetryPolicy(Struct, frozen=True):
    """The number of tries of a call, and the waits between them, in seconds."""

    tries: int
    first_wait: float
    """Upper bound of the first random wait. The bound doubles after each failure."""
    longest_wait: float = math.inf
    """The bound does not grow beyond this value."""
    longest_retry_after: float = math.inf
    """A service that demands a longer wait gets no further try: the caller has to come back later."""

    def attempts(
        self, deadline: Deadline, *, uniform: Callable[[float, float], float] = random.uniform
    ) -> Iterator[AbstractContextManager[None]]:
        """Yield a context for each try. The block in it returns, or it raises and the next try follows after a wait.

        The last error of the block leaves it after the last try, or at once if it is not `Retryable`.
        """
        backoff = Backoff(self, deadline, uniform=uniform)
        for number in range(1, self.tries + 1):
            yield _Attempt(backoff, is_last=number == self.tries)


class _Attempt:
    """One try. It hides an error that is worth another try, after the wait before that."""

    def __init__(self, backoff: "Backoff", *, is_last: bool) -> None:
        self._backoff, self._is_last = backoff, is_last

    def __enter__(self) -> None:
        """Begin the try."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        """Wait if there is another try; returns whether there is."""
        if self._is_last or not isinstance(error, Exception):
            return False
        wait = self._backoff(error)
        if wait is False:
            return False
        sleep(wait)
        return True


class Backoff:
    """Decides after each failure whether to try again, and after how many seconds. One object serves one call.

    The waits are drawn between 0 and the bound ("full jitter"), so that many instances do not repeat at the same time.
    """

    def __init__(
        self, policy: RetryPolicy, deadline: Deadline, *, uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        """No wait is longer than what `deadline` leaves; `uniform` draws a number between two others."""
        self._policy = policy
        self._deadline = deadline
        self._uniform = uniform
        self._bound = policy.first_wait

    def __call__(self, error: Exception) -> bool | float:
        """The seconds to wait before the next try, or False if there must not be another one.

        Only a `Retryable` error is worth a try. If the service named a wait (`error.after`), that wait is taken.
        """
        if not isinstance(error, Retryable):
            return False
        wait = self._uniform(0, self._bound) if error.after is None else error.after
        self._bound = min(self._bound * 2, self._policy.longest_wait)
        return wait if wait <= self._policy.longest_retry_after and wait < self._deadline.seconds_left() else False
