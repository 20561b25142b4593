"""Where in a TOML text each key stands, so that an error names the line.

The text is taken apart statement by statement (a table's header, or a key with its value); each is read by the TOML
parser itself, so that quoted keys, dotted keys, inline tables and values over several lines are understood.
"""

import tomllib
from collections.abc import Iterator
from typing import Any

type Place = tuple[str | int, ...]
"""The way to a value: names of keys, and positions in lists."""


def line_of(text: str, place: Place) -> int:
    """The line of the innermost step of `place` that a valid TOML text has; 1 where it has none."""
    known = _LineIndex(text).lines
    ends = range(len(place), 0, -1)
    return next((known[place[:end]] for end in ends if place[:end] in known), 1)


class _LineIndex:
    """The line of every place that a text names; the elements of a list stand on the line of their key."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._positions: dict[Place, int] = {}
        table: Place = ()
        for number, statement, said in _split_statements(text):
            if statement.lstrip().startswith("["):
                table = self._open_table(said)
                self._note_lines(table, {}, number)
            else:
                self._note_lines(table, said, number)

    def _open_table(self, header: dict[str, Any]) -> Place:
        """The place that a header opens: a further element of a list, or a table, in the last element of its lists."""
        place: Place = ()
        below: Any = header
        while below:
            ((key, inner),) = below.items()
            place = (*place, key)
            if isinstance(inner, list):
                self._positions[place] = self._positions.get(place, -1) + 1
                below = inner[0]
            else:
                below = inner
            if place in self._positions:
                place = (*place, self._positions[place])
        return place

    def _note_lines(self, place: Place, value: object, number: int) -> None:
        """Note the line of a place, of what leads there and of what it holds; the first line that names it counts."""
        for end in range(1, len(place) + 1):
            self.lines.setdefault(place[:end], number)
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, item in inner:
            self._note_lines((*place, step), item, number)


def _split_statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Each statement with the line it begins on and what it says."""
    pending, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending, start = f"{pending}{line}\n", start if pending else number
        try:
            said = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue  # the value goes on in the next line
        yield start, pending, said
        pending = ""
