"""Split a query into tokens, and show the place of an error in its text."""

import re
from typing import NamedTuple

from emulators.salesforce.data.errors import ApiError

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_WORDS = {"name", "sign"}


class Token(NamedTuple):
    """A piece of the query; `at` is its position in the text, and `word` the upper-case text of a name or a sign."""

    kind: str
    text: str
    at: int
    word: str = ""


def tokens_of(text: str, at: int = 0) -> list[Token]:
    """The tokens of a query from a position on, with one for its end. Raises ApiError."""
    tokens, end = list[Token](), len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise soql_error(text, start, f"unexpected token: '{text[start : start + 1]}'")
        kind, at = str(match.lastgroup), match.end()
        piece = match[kind]
        tokens.append(Token(kind, piece, at - len(piece), piece.upper() if kind in _WORDS else ""))
    return [*tokens, Token("end", "<EOF>", end)]


def soql_error(text: str, at: int, message: str, code: str = "MALFORMED_QUERY") -> ApiError:
    """An error (400) that shows the line and marks the position `at`, as the service prints it."""
    line_number = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    line = text.splitlines()[line_number - 1] if text else ""
    return ApiError(
        400, code, f"\n{line}\n{' ' * (column - 1)}^\nERROR at Row:{line_number}:Column:{column}\n{message}"
    )
