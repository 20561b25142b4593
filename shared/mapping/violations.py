"""Define a violation of the mapping file, and the words that its sentence is made of.

Every sentence is our own. A text of pydantic or of the TOML parser never reaches a person.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

type Place = tuple[str | int, ...]
"""The path to a value: names of keys, and positions in lists."""

MAX_QUOTED = 60
"""Characters of the file's own text that a sentence quotes."""

_PRINTABLE_NUMBERS = 10**15
"""A number with more digits is not printed."""


class Violation(Struct, frozen=True):
    """One fault of a mapping file: its place, and one or two sentences that say what is wrong there.

    `line` and `column` are set if the parser found the fault. Otherwise the line is that of the place.
    """

    place: Place
    problem: str
    line: int | None = None
    column: int | None = None


def expectation(expected: str, value: str, suggestion: str | None = None) -> str:
    """Return the sentence that says what was expected, what the file has, and which right name is near."""
    return f"expected {expected}; found {value}.{did_you_mean(suggestion)}"


def did_you_mean(suggestion: str | None) -> str:
    """Return the question that follows a sentence, or nothing without a suggestion."""
    return f" Did you mean {suggestion}?" if suggestion else ""


def describe_value(value: object) -> str:
    """Return words for a value of the file. A long text is cut, and the content of a table is left out."""
    match value:
        case str():
            words = quote(value) if value else "an empty text"
        case bool():
            words = "true" if value else "false"
        case int() | float():
            words = str(value) if abs(value) < _PRINTABLE_NUMBERS else "a number"
        case list():
            words = _describe_list(value)
        case Mapping():
            words = "a table" if value else "an empty table"
        case _:
            words = "a date or a time"
    return words


def _describe_list(value: list[object]) -> str:
    if not value:
        return "an empty list"
    texts = [item for item in value if isinstance(item, str)]
    is_short = len(texts) == len(value) and sum(map(len, texts)) <= MAX_QUOTED
    return f"[{', '.join(map(quote, texts))}]" if is_short else "a list"


def quote(text: str) -> str:
    """Return a text in quotation marks, on one line, cut to `MAX_QUOTED` characters."""
    return json.dumps(text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…", ensure_ascii=False)


def one_of(names: Collection[object]) -> str:
    """Return the words for a choice: `a`, `a or b`, or `one of a, b, c`."""
    listed = [str(name) for name in names]
    return " or ".join(listed) if len(listed) <= 2 else f"one of {', '.join(listed)}"  # noqa: PLR2004 - two names


def nearest(text: object, names: Iterable[str]) -> str | None:
    """Return the name that a person probably meant, in any letter case, or None if no name is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - late: only a wrong file needs it

    folded = {name.casefold(): name for name in names}
    matches = get_close_matches(text.strip().casefold(), folded, n=1) if isinstance(text, str) else []
    return folded[matches[0]] if matches else None


def describe_place(place: Place) -> str:
    """Return the place as a TOML key with dots. A key that needs quotation marks has them."""
    return ".".join(map(_describe_step, place)) or "file"


def _describe_step(step: str | int) -> str:
    text = str(step)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) and len(text) <= MAX_QUOTED else quote(text)
