"""Write values as SOQL literals that cannot break out of their quotes, and convert record ids.

The formatters of simple-salesforce lose milliseconds and read a time without zone as local time
(docs/reference/salesforce.md#soql-formatters-of-the-library). So this module makes the literals, by the rules in
docs/reference/salesforce.md#soql-rules and docs/reference/salesforce.md#values-on-the-wire.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from shared.domain.scope import SHORT_ID, long_id

_ESCAPES = str.maketrans(
    {"\\": r"\\", "'": r"\'", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}
)
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")

type Value = str | bool | int | Decimal | datetime | date | None


def text_literal(value: Value) -> str:
    """Return `value` as a SOQL literal. Raises ValueError for a time without zone, or a number that is not finite."""
    match value:
        case None:
            return "null"
        case bool() | int():
            return str(value).lower()
        case Decimal():
            return _number_literal(value)
        case datetime():
            return time_literal(value)
        case date():
            return value.isoformat()
        case str():
            return f"'{value.translate(_ESCAPES)}'"


def time_literal(value: datetime) -> str:
    """Return a time as a literal in UTC with milliseconds, without quotes: `2026-11-22T01:02:03.000Z`.

    Raises ValueError for a time without zone.
    """
    if value.tzinfo is None:
        raise ValueError("a time in SOQL needs a time zone")
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def in_list(values: Iterable[Value]) -> str:
    """Return `('a','b')`, for use after IN. Raises ValueError without values, because SOQL has no empty list."""
    literals = [text_literal(value) for value in values]
    if not literals:
        raise ValueError("an IN list needs at least one value")
    return f"({','.join(literals)})"


def is_id(text: str) -> bool:
    """Whether `text` looks like a record id of 15 or 18 characters."""
    return _ID.fullmatch(text) is not None


def full_id(record: str) -> str:
    """Return the 18-character form of an id (docs/reference/salesforce.md#record-ids). Raises ValueError otherwise."""
    return full_ids([record])[0]


def full_ids(records: Sequence[str]) -> list[str]:
    """Return the 18-character forms of ids. Raises ValueError if a text is not an id."""
    if not all(is_id(record) for record in records):
        raise ValueError("a record id has 15 or 18 letters and digits")
    return [long_id(record) if len(record) == SHORT_ID else record for record in records]


def short_id(record: str) -> str:
    """Return the first 15 characters of an id: they alone identify the record, and the others are their checksum."""
    return record[:SHORT_ID]


def _number_literal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError("a number in SOQL must be finite")
    return format(value, "f")
