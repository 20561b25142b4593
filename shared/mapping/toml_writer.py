"""Write values as TOML. Every character that a terminal could take for a command is escaped."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from shared.mapping.violations import Place

_LAST_OF_FOUR_DIGITS = 0xFFFF


def toml_value(value: Any) -> str:  # noqa: ANN401 - any value that a TOML file can hold
    """Return a value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            return toml_text(value)
        case date():
            return value.isoformat()
        case Mapping():
            return f"{{ {', '.join(f'{toml_key(name)} = {toml_value(one)}' for name, one in value.items())} }}"
    return f"[{', '.join(map(toml_value, value))}]"


def toml_text(text: str) -> str:
    """Return a text in quotation marks."""
    return "".join(_printable(character) for character in json.dumps(text, ensure_ascii=False))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08X}"


def toml_key(step: str | int) -> str:
    """Return one part of a key, in quotation marks if it needs them."""
    text = str(step)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text, re.ASCII) else toml_text(text)


def toml_place(place: Place) -> str:
    """Return the key of a place, without positions in lists."""
    return ".".join(toml_key(step) for step in place if not isinstance(step, int))


def toml_lines(keys: Sequence[tuple[Place, Any, str]]) -> Iterator[str]:
    """Yield the lines of a whole file, from keys in the order of their tables, each with a comment behind its line."""
    table: Place = ()
    for place, value, comment in _tables_last(keys):
        if place[:-1] != table:
            table = place[:-1]
            yield ""
            yield f"[[{toml_place(table)}]]" if isinstance(table[-1], int) else f"[{toml_place(table)}]"
        yield f"{toml_key(place[-1])} = {toml_value(value)}  # {comment}"


def _tables_last(keys: Sequence[tuple[Place, Any, str]]) -> Iterator[tuple[Place, Any, str]]:
    """Yield the keys so that those of one table stand together; a table within the table of a list is one value."""
    grouped: dict[Place, list[tuple[Place, Any, str]]] = {}
    for place, value, comment in _folded(keys):
        grouped.setdefault(place[:-1], []).append((place, value, comment))
    yield from grouped.pop((), [])
    for group in grouped.values():
        yield from group


def _folded(keys: Sequence[tuple[Place, Any, str]]) -> Iterator[tuple[Place, Any, str]]:
    """Yield the keys; those below a table of a list's table become one key with an inline table."""
    folded: dict[Place, tuple[dict[str, Any], str]] = {}
    for place, value, comment in keys:
        number = next((at for at, step in enumerate(place) if isinstance(step, int)), None)
        if number is None or len(place) <= number + 2:
            yield place, value, comment
            continue
        inline = place[: number + 2]
        if inline not in folded:
            folded[inline] = ({}, comment)
            yield inline, folded[inline][0], comment
        folded[inline][0][str(place[-1])] = value
