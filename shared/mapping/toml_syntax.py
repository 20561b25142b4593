"""Describe faults of a text that is not valid TOML, in plain words.

`tomllib` stops at its first error. To report all faults at once, a faulty line is blanked if it is a whole statement,
and the rest of the text is parsed again.
"""

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from shared.mapping.toml_lines import LineIndex, key_of
from shared.mapping.violations import MAX_QUOTED, Place, Violation, expectation, quote

MAX_FAULTS = 20
"""Syntax errors that are reported at once. A text with more is probably not a mapping file."""

_POSITION = re.compile(r"(?P<message>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")

_VALUE = "a value (a text in quotation marks, a number, true or false, a list in [ ], or a table in { })"
_EXPECTED = {
    "Invalid statement": "a key, the name of a table in [ ], or a comment",
    "Expected newline or end of document after a statement": "the end of the line after the value",
    "Expected '=' after a key in a key/value pair": "= after the key",
    "Invalid initial character for a key part": "a key (letters, digits, _ and -, or a text in quotation marks)",
    "Expected ']' at the end of a table declaration": "] after the name of the table",
    "Expected ']]' at the end of an array declaration": "]] after the name of the table",
    "Unclosed array": "a comma or ] in the list",
    "Unclosed inline table": "a comma or } in the table, on the same line",
    "Unescaped '\\' in a string": r"\\ for each \ in a text",
    "Invalid hex value": r"hexadecimal digits after \u or \U in a text",
    "Escaped character is not a Unicode scalar value": r"the number of a character after \u or \U in a text",
    "Invalid date or datetime": "a date that exists",
    "Invalid value": _VALUE,
}
"""The text that the parser expected, by its message."""

_LIMITS = {
    "RecursionError": "expected a list or a table with fewer levels; found more levels than can be read.",
    "ValueError": "expected a number of at most 4300 digits; found a longer number.",
}
"""The sentences for the parser's own limits, by the type of its error."""

_OPEN_TEXT = re.compile(r"Unterminated string|Expected .*'.*|(?:Illegal|Found invalid) character '\\n'")
"""The parser's messages for a text without an end."""

_CONTROL_CHARACTER = re.compile(r"(?:Illegal|Found invalid) character .*")

_TRUTH_VALUES = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_QUOTATION_MARKS = "\"'`\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"


class _Fault(Struct, frozen=True):
    """An error of the parser: its message and its position."""

    message: str
    line: int
    column: int | None
    start: int
    """The first line of the statement."""
    is_repeated: bool = False
    """Whether the statement is valid by itself, but an earlier one has the same key or table."""


class Recovered(Struct, frozen=True):
    """A text with faults: its violations, and what remains of it without the faulty lines.

    `document` is None if the rest of the text cannot be read with certainty. `unread` has the places of the blanked
    keys, whose values are not known.
    """

    violations: Sequence[Violation]
    text: str
    document: dict[str, Any] | None
    unread: Sequence[Place] = ()


def recover(text: str) -> Recovered:
    """Return all faults of a text that is not valid TOML, and its content without the faulty lines."""
    lines = text.split("\n")
    violations: list[Violation] = []
    unread: list[Place] = []
    while len(violations) < MAX_FAULTS:
        current = "\n".join(lines)
        index = LineIndex(current)
        try:
            return Recovered(violations, current, tomllib.loads(current), unread)
        except (ValueError, RecursionError) as error:
            fault = _locate(error, index, lines)
        violations.append(_violation(fault, index, lines))
        if not _is_whole_statement(fault, lines):
            break
        if not fault.is_repeated:
            unread.append(violations[-1].place)
        lines[fault.start - 1 : fault.line] = [""] * (fault.line - fault.start + 1)
    return Recovered(violations, "\n".join(lines), None)


def _locate(error: Exception, index: LineIndex, lines: Sequence[str]) -> _Fault:
    """Return the position of an error. One at the end of the text is reported where its statement begins."""
    position = _POSITION.fullmatch(str(error)) if isinstance(error, tomllib.TOMLDecodeError) else None
    message = position["message"] if position else type(error).__name__
    if position is None or position["line"] is None:
        line = index.unfinished or len(lines)
        # A text in single quotation marks ends on its own line, but the parser searches the whole file for its end.
        column = len(lines[line - 1]) + 1 if message == 'Expected "\'"' else None
        return _Fault(message, line, column, line)
    line = int(position["line"])
    if index.unfinished is not None and index.unfinished <= line:
        return _Fault(message, line, int(position["column"]), index.unfinished)
    start, _ = index.statement_at(line)
    return _Fault(message, line, int(position["column"]), start, is_repeated=True)


def _is_whole_statement(fault: _Fault, lines: Sequence[str]) -> bool:
    """Whether the lines of the fault are one key with its value, so that they can be blanked without a loss."""
    first = lines[fault.start - 1]
    if key_of(first) is None:
        return False
    if fault.is_repeated:
        return True
    is_last = fault.column is not None or not "".join(lines[fault.line :]).strip()
    is_closed = all(first.count(start) == first.count(end) for start, end in ("[]", "{}"))
    return fault.start == fault.line and is_last and is_closed and '"""' not in first and "'''" not in first


def _violation(fault: _Fault, index: LineIndex, lines: Sequence[str]) -> Violation:
    place = index.place_at(fault.start)
    problem = _describe_repetition(place, index) if fault.is_repeated else _describe_fault(fault, lines)
    return Violation(place, problem, fault.line, fault.column)


def _describe_repetition(place: Place, index: LineIndex) -> str:
    first = f", and line {index.line_of(place)} has it already" if index.has(place) else ""
    return f"expected each key and each table once; this one is here again{first}. Remove one of the two."


def _describe_fault(fault: _Fault, lines: Sequence[str]) -> str:
    if fault.message in _LIMITS:
        return _LIMITS[fault.message]
    rest = "" if fault.column is None else lines[fault.line - 1][fault.column - 1 :]
    repeated = re.fullmatch(r"Duplicate inline table key (['\"])(.*)\1", fault.message)
    if repeated:
        return expectation("each key of a table once", f"{repeated[2]} again")
    begun = f" that begins on line {fault.start}" if fault.start != fault.line else ""
    suggestion = _meant_value(rest) if fault.message == "Invalid value" else None
    return expectation(f"{_expected_by(fault.message)}{begun}", _describe_rest(rest, fault), suggestion)


def _expected_by(message: str) -> str:
    """Return words for what the parser expected."""
    if message in _EXPECTED:
        return _EXPECTED[message]
    if _OPEN_TEXT.fullmatch(message):
        return "a quotation mark at the end of the text"
    if _CONTROL_CHARACTER.fullmatch(message):
        return "a printable character"
    return "a key with its value, the name of a table in [ ], or a comment"


def _describe_rest(rest: str, fault: _Fault) -> str:
    """Return words for the text at the fault."""
    if not rest.strip():
        return "the end of the file" if fault.column is None else "the end of the line"
    if not rest[0].isprintable():
        return f"the character U+{ord(rest[0]):04X}"
    word = _first_word(rest)
    is_plain = word.isprintable() and len(word) <= MAX_QUOTED and re.search(r"\w", word)
    return word if is_plain else quote(word)


def _first_word(rest: str) -> str:
    word = re.match(r"\[+[^\s\]]*\]*|[^\s,#\]}]+", rest)
    return word[0] if word else rest[0]


def _meant_value(rest: str) -> str | None:
    """Return the value that a person probably meant who forgot the quotation marks."""
    whole = rest.partition("#")[0].strip()
    text = (_first_word(whole) if re.search(r"[,\[\]{}]", whole) else whole).strip(_QUOTATION_MARKS)
    if text.casefold() in _TRUTH_VALUES:
        return _TRUTH_VALUES[text.casefold()]
    return quote(text) if re.fullmatch(r"\w[\w ./@+-]*", text) else None
