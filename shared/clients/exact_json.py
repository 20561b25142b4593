"""Encode JSON without losing digits of money. Dates and times are written in ISO form."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

_ENCODER = msgspec.json.Encoder()
_AS_THEY_ARE = frozenset({int, bool, type(None)})


def json_bytes(value: object) -> bytes:
    """The JSON of a body. A Decimal becomes a JSON number with exactly its digits; it is never converted to a float.

    Raises ValueError for numbers that JSON does not have (NaN, Infinity), and TypeError for other types.
    """
    return _ENCODER.encode(_plain(value))


def _plain(value: object) -> object:
    """The value in types that msgspec writes as JSON. Alone, msgspec would write NaN as null, and bytes as a text."""
    kind = type(value)
    if kind is str:
        return _plain_text(value)  # type: ignore[arg-type]  # its type is str
    if kind in _AS_THEY_ARE:
        return value
    if kind is dict:
        return {name if type(name) is str else str(name): _plain(item) for name, item in value.items()}  # type: ignore[attr-defined]  # its type is dict
    if kind is list:
        return [_plain(item) for item in value]  # type: ignore[attr-defined]  # its type is list
    return _unusual(value)


def _unusual(value: object) -> object:
    """As `_plain`, for the types that a body seldom has. To look for an abstract class takes most of a body's time."""
    match value:
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case Sequence() if not isinstance(value, str | bytes | bytearray):
            return [_plain(item) for item in value]
        case Decimal() | float():
            return _plain_number(value)
        case date():
            return value.isoformat()
        case str():
            return _plain_text(value)
        case int():
            return value
    raise TypeError(f"JSON has no form for {type(value).__name__}")


def _plain_text(text: str) -> object:
    # Escapes can carry half a surrogate pair, which a service leaves when it cuts a text. UTF-8 cannot.
    return text if text.isascii() else msgspec.Raw(json.dumps(text).encode())


def _plain_number(number: Decimal | float) -> object:
    if not Decimal(number).is_finite():
        raise ValueError("JSON has finite numbers only")
    return msgspec.Raw(format(number, "f").encode()) if isinstance(number, Decimal) else number
