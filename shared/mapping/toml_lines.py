"""Find the line of each key in a TOML text, so that an error can name it.

The text is split into statements: the header of a table, or a key with its value. The TOML parser itself reads each
statement. So quoted keys, dotted keys, inline tables and values over several lines are all understood.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from shared.mapping.violations import Place

MAX_STATEMENT_LINES = 500
"""Lines of one value. Each line parses the value again, so a limit keeps a text without an end from taking minutes."""

_KEY_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED_KEY = rf"({_KEY_PART}(?:\s*\.\s*{_KEY_PART})*)"
_KEY = re.compile(rf"\s*{_DOTTED_KEY}\s*[=:]")  # some write a colon for the equals sign
_HEADER = re.compile(rf"\s*\[\[?\s*{_DOTTED_KEY}")


def line_of(text: str, place: Place) -> int:
    """Return the line of the innermost step of `place` that a valid TOML text has; 1 if it has none of the steps."""
    return LineIndex(text).line_of(place)


class LineIndex:
    """The line of every place that a text names. The elements of a list have the line of their key.

    A text that is not valid TOML is read up to the first statement that is not valid by itself.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Place, int] = {}
        self._positions: dict[Place, int] = {}
        self._statements: list[tuple[int, Place]] = []
        self._text_lines = text.split("\n")
        self.unfinished: int | None = None
        """The first line of the statement that is not valid by itself."""
        table: Place = ()
        for number, statement, content in _split_statements(text):
            if content is None:
                self.unfinished = number
            elif statement.lstrip().startswith("["):
                table = self._open_table(content)
                self._add_statement(number, table, {})
            else:
                self._add_statement(number, table, content)

    def line_of(self, place: Place) -> int:
        """Return the line of the innermost step of `place` that the text has; 1 if it has none of the steps."""
        ends = range(len(place), 0, -1)
        return next((self._lines[place[:end]] for end in ends if place[:end] in self._lines), 1)

    def has(self, place: Place) -> bool:
        """Whether the text names the place."""
        return place in self._lines

    def statement_at(self, line: int) -> tuple[int, Place]:
        """Return the first line and the table of the last statement that begins at or above `line`."""
        return next((found for found in reversed(self._statements) if found[0] <= line), (1, ()))

    def place_at(self, line: int) -> Place:
        """Return the place that the statement at `line` is for, as far as its first line can be read."""
        if self._text_lines[line - 1].lstrip().startswith("#"):
            return ()
        start, table = self.statement_at(line)
        if self.unfinished is not None and self.unfinished <= line:
            start = self.unfinished
        first = self._text_lines[start - 1]
        header, key = _HEADER.match(first), key_of(first)
        return _steps(header[1]) if header else (*table, *_steps(key or ""))

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

    def _add_statement(self, number: int, table: Place, content: dict[str, Any]) -> None:
        self._statements.append((number, table))
        self._note_lines(table, content, number)

    def _note_lines(self, place: Place, value: object, number: int) -> None:
        """Note the line of a place, of the steps to it, and of everything in it. The first line for a place is kept."""
        for end in range(1, len(place)):
            self._lines.setdefault(place[:end], number)
        remaining = [(place, value)]
        while remaining:
            place, value = remaining.pop()
            self._lines.setdefault(place, number)
            inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
            remaining += (((*place, step), item) for step, item in inner)


def key_of(line: str) -> str | None:
    """Return the key at the start of a line, as the line writes it, or None if the line does not start with one."""
    key = _KEY.match(line)
    return key[1] if key else None


def _steps(key: str) -> Place:
    """Return the steps of a key with dots."""
    steps: list[str] = []
    try:
        inner: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:  # no key, or a quoted one with an escape that TOML does not know
        return (key,) if key else ()
    while isinstance(inner, dict):
        ((step, inner),) = inner.items()
        steps.append(step)
    return tuple(steps)


def _split_statements(text: str) -> Iterator[tuple[int, str, dict[str, Any] | None]]:
    """Yield each statement with the number of its first line and its content.

    The content of the last one is None if it is not valid: the text after it is not read.
    """
    pending, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending, start = f"{pending}{line}\n", start if pending else number
        try:
            content = tomllib.loads(pending)
        except (ValueError, RecursionError) as error:  # the parser also raises these for long numbers and deep lists
            # Only a statement that is valid up to its end can continue on the next line.
            if str(error).endswith("(at end of document)") and number - start < MAX_STATEMENT_LINES:
                continue
            break
        yield start, pending, content
        pending = ""
    if pending:
        yield start, pending, None
