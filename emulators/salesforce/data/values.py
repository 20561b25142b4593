"""Values as written and as stored. Stored is what goes on the wire: comparing and sorting it needs no conversion."""

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from emulators.salesforce.data.errors import ApiError, unreadable
from emulators.salesforce.data.record_ids import canonical, malformed_id
from emulators.salesforce.data.schema import Field, Kind, Record

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
# No UTF-8 holds half a surrogate pair: a browser sends what Unicode puts in its place.
_HALVES = re.compile("[\ud800-\udfff]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def stamp(moment: datetime) -> str:
    """A moment as the service writes it, to the millisecond: `2026-11-20T10:00:00.000+0000`."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def convert(field: Field, value: Any, picks: Collection[str]) -> Any:  # noqa: ANN401 - a JSON value in, a JSON value out
    """A written value in its stored form; `picks` are the picklist's values. Raises ApiError (400)."""
    if field.kind is Kind.BOOLEAN:
        if not isinstance(value, bool):
            raise unreadable(value, "boolean")
        return value
    if value is None or value == "":
        return None
    converted = _CONVERTERS.get(field.kind, _text)(field, value)
    if field.kind is Kind.PICKLIST and field.restricted and converted not in picks:
        message = f"{field.label}: bad value for restricted picklist field: {converted}"
        raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return converted


def _text(field: Field, value: object) -> str | None:
    if not isinstance(value, str):
        raise unreadable(value, "string")
    text = _HALVES.sub("\ufffd", value).strip()
    if len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise ApiError(400, "STRING_TOO_LONG", message, [field.name])
    return text or None


def _email(field: Field, value: object) -> str | None:
    text = _text(field, value)
    if text is not None and not _EMAIL.fullmatch(text):
        message = f"{field.label}: invalid email address: {text}"
        raise ApiError(400, "INVALID_EMAIL_ADDRESS", message, [field.name])
    return text


def _number(field: Field, value: object) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unreadable(value, "int" if field.kind is Kind.INT else "double")
    places = Decimal(1).scaleb(-field.scale)
    limit = Decimal(10) ** (field.precision - field.scale)
    exact = Decimal(str(value))
    if not exact.is_finite() or abs(exact) >= limit:
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    rounded = exact.quantize(places, ROUND_HALF_UP)
    return int(rounded) if field.kind is Kind.INT else float(rounded)


def _day(_: Field, value: object) -> str:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise unreadable(value, "date")


def _moment(_: Field, value: object) -> str:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise unreadable(value, "datetime")
    return stamp(moment)


def _reference(_: Field, value: object) -> str:
    found = canonical(value) if isinstance(value, str) else None
    if found is None:
        raise malformed_id(value)
    return found


_CONVERTERS: dict[Kind, Callable[[Field, object], Any]] = {
    Kind.EMAIL: _email,
    Kind.CURRENCY: _number,
    Kind.DOUBLE: _number,
    Kind.PERCENT: _number,
    Kind.INT: _number,
    Kind.DATE: _day,
    Kind.DATETIME: _moment,
    Kind.REFERENCE: _reference,
}


def read(field: Field, names: dict[str, str]) -> Callable[[Record], Any]:
    """A function that takes this field's value from a row; `names` are stored names by their lower case."""
    formula = field.formula
    if formula is None:
        name = field.name
        return lambda row: row[name]
    sources = {folded: names[folded] for folded in formula.fields}

    def compute(row: Record) -> Any:  # noqa: ANN401 - a formula's value
        # An empty text is null on the wire.
        return formula.evaluate({folded: row[name] for folded, name in sources.items()}) or None

    return compute
