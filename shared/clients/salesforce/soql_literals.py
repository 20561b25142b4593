"""SOQL text: literals that cannot break out, id lists, and the two forms of a record id.

The formatters of `simple-salesforce` lose milliseconds and take a naive time for a local one (reference/salesforce.md
1.9), so the literals are made here. The rules are those of reference/salesforce.md 2.5 and 2.15.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from shared.domain.scope import long_id

_ESCAPES = str.maketrans(
    {"\\": r"\\", "'": r"\'", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}
)
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")

type Value = str | bool | int | Decimal | datetime | date | None


def literal(value: Value) -> str:
    """`value` as a SOQL literal. Raises ValueError for a naive time or a number that is not finite."""
    match value:
        case None:
            return "null"
        case bool() | int():
            return str(value).lower()
        case Decimal():
            return _number_literal(value)
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case str():
            return f"'{value.translate(_ESCAPES)}'"


def moment(value: datetime) -> str:
    """A time as a literal in UTC with milliseconds, unquoted: `2026-11-22T01:02:03.000Z`."""
    if value.tzinfo is None:
        raise ValueError("a time in SOQL needs a time zone")
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def in_list(values: Iterable[Value]) -> str:
    """`('a','b')`, for use after IN. Raises ValueError if there is nothing in it: SOQL knows no empty list."""
    literals = [literal(value) for value in values]
    if not literals:
        raise ValueError("an IN list needs a value")
    return f"({','.join(literals)})"


def is_id(text: str) -> bool:
    """Whether `text` looks like a record id of 15 or 18 characters."""
    return _ID.fullmatch(text) is not None


def full_id(record: str) -> str:
    """The 18-character form of an id (reference/salesforce.md 2.15). Raises ValueError for what is no id."""
    if not is_id(record):
        raise ValueError("a record id has 15 or 18 letters and digits")
    return long_id(record[:15])


def _number_literal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError("a number in SOQL is finite")
    return format(value, "f")
