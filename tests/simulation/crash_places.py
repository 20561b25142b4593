"""The places at which a process can die: before and after each request that it sends, and each write of its store.

They lie below the clients and above the emulators. So a call of a client that sends two requests has four places.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulators.base.server import Request, Response
from shared.store.rows import RowChange, Rows

RequestHandler = Callable[[Request], Response]


@dataclass(frozen=True, order=True)
class Place:
    """A place of a scenario: a call by its number, from 0 on, and whether the process dies before or after it."""

    number: int
    is_after: bool


@dataclass
class Calls:
    """The calls of the process that may die, by name, and the place where it does."""

    place: Place | None = None
    names: list[str] = field(default_factory=list)
    die: Callable[[], None] | None = None
    """What stops the process. Without it, a call is not counted: another process works."""

    @property
    def places(self) -> Iterator[Place]:
        """Every place of the calls that were made."""
        return (Place(number, is_after) for number in range(len(self.names)) for is_after in (False, True))

    def make[T](self, name: str, call: Callable[[], T]) -> T:
        """Make a call. Raises what stops the process, where it dies before or after this call."""
        if self.die is None:
            return call()
        number = len(self.names)
        self.names.append(name)
        self._reach(Place(number, is_after=False))
        try:
            return call()
        finally:
            self._reach(Place(number, is_after=True))

    def around(self, side: str, handle: RequestHandler) -> RequestHandler:
        """The same handler of an emulator; each request is a call."""
        return lambda request: self.make(f"{side} {request.method} {request.path}", lambda: handle(request))

    def _reach(self, place: Place) -> None:
        """Die from the place on: a dead process makes no call of a `finally` block either."""
        if self.die is not None and self.place is not None and place >= self.place:
            self.die()


class WatchedRows:
    """The rows of a store. Each write is a call; a read changes nothing that a new process could see."""

    def __init__(self, rows: Rows, calls: Calls) -> None:
        self._rows, self._calls = rows, calls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for every method that only reads
        return getattr(self._rows, name)

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        """See `Rows.write`."""
        return self._calls.make(f"store write {partition}", lambda: self._rows.write(partition, changes))
