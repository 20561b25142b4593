"""Find the line of each key in a TOML text, so that an error can name it.

The text is split into statements: the header of a table, or a key with its value. The TOML parser itself reads each
statement. So quoted keys, dotted keys, inline tables and values over several lines are all understood.
"""

import tomllib
from collections.abc import Iterator
from typing import Any

type Place = tuple[str | int, ...]
"""The path to a value: names of keys, and positions in lists."""


def line_of(text: str, place: Place) -> int:
    """Return the line of the innermost step of `place` that a valid TOML text has; 1 if it has none of the steps."""
    lines = _LineIndex(text).lines
    ends = range(len(place), 0, -1)
    return next((lines[place[:end]] for end in ends if place[:end] in lines), 1)


class _LineIndex:
    """The line of every place that a text names. The elements of a list have the line of their key."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._positions: dict[Place, int] = {}
        table: Place = ()
        for number, statement, content in _split_statements(text):
            if statement.lstrip().startswith("["):
                table = self._open_table(content)
                self._note_lines(table, {}, number)
            else:
                self._note_lines(table, content, number)

    def _open_table(self, header: dict[str, Any]) -> Place:
        """Return the place that a header opens: a new list element, or a table in the last element of its lists."""
        place: Place = ()
        remaining: Any = header
        while remaining:
            ((key, inner),) = remaining.items()
            place = (*place, key)
            if isinstance(inner, list):
                self._positions[place] = self._positions.get(place, -1) + 1
                remaining = inner[0]
            else:
                remaining = inner
            if place in self._positions:
                place = (*place, self._positions[place])
        return place

    def _note_lines(self, place: Place, value: object, number: int) -> None:
        """Note the line of a place, of the steps to it, and of everything in it. The first line for a place is kept."""
        for end in range(1, len(place) + 1):
            self.lines.setdefault(place[:end], number)
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, item in inner:
            self._note_lines((*place, step), item, number)


def _split_statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield each statement with the number of its first line and its content."""
    pending, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending, start = f"{pending}{line}\n", start if pending else number
        try:
            content = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue  # the value continues on the next line
        yield start, pending, content
        pending = ""
