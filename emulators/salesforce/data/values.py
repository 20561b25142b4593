"""Convert written values to stored ones, and read stored ones.

A value is stored in the form that the service sends (docs/reference/salesforce.md#values-on-the-wire). So it needs no
conversion before it is compared, sorted or sent.
"""

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from emulators.salesforce.data.errors import ApiError, wrong_json_type
from emulators.salesforce.data.record_ids import canonical_id, malformed_id
from emulators.salesforce.data.schema import Field, Kind, Record, SObject

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
# UTF-8 cannot hold half a surrogate pair. A browser sends the replacement character instead.
_HALF_SURROGATES = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")  # the service takes a number in quotes too
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def format_stamp(moment: datetime) -> str:
    """A time in the form of the service, to the millisecond: `2026-11-20T10:00:00.000+0000`."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "+0000"  # a format string takes five times as long


def stored_value(field: Field, value: Any, allowed: Collection[str]) -> Any:  # noqa: ANN401 - a JSON value in, a JSON value out
    """The stored form of a written value; `allowed` are the values of a restricted picklist. Raises ApiError (400)."""
    if field.kind is Kind.BOOLEAN:
        if not isinstance(value, bool):
            raise wrong_json_type(value, "boolean")
        return value
    if value is None or value == "":
        return None
    converted = _CONVERTERS.get(field.kind, _convert_text)(field, value)
    is_checked = field.kind is Kind.PICKLIST and field.restricted and not field.is_address_code
    if is_checked and converted not in allowed:
        message = f"{field.label}: bad value for restricted picklist field: {converted}"
        raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return converted


def _convert_text(field: Field, value: object) -> str | None:
    if not isinstance(value, str):
        raise wrong_json_type(value, "string")
    text = _HALF_SURROGATES.sub("\ufffd", value).strip()
    if len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise ApiError(400, "STRING_TOO_LONG", message, [field.name])
    return text or None


def _convert_email(field: Field, value: object) -> str | None:
    text = _convert_text(field, value)
    if text is not None and not _EMAIL.fullmatch(text):
        message = f"{field.label}: invalid email address: {text}"
        raise ApiError(400, "INVALID_EMAIL_ADDRESS", message, [field.name])
    return text


def _convert_number(field: Field, value: object) -> float | int:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(Decimal(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_json_type(value, "int" if field.kind is Kind.INT else "double")
    places = Decimal(1).scaleb(-field.scale)
    limit = Decimal(10) ** (field.precision - field.scale)
    exact = Decimal(str(value))
    if not exact.is_finite() or abs(exact) >= limit:
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
    rounded = exact.quantize(places, ROUND_HALF_UP)
    return int(rounded) if field.kind is Kind.INT else float(rounded)


def _convert_date(_: Field, value: object) -> str:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise wrong_json_type(value, "date")


def _convert_time(_: Field, value: object) -> str:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise wrong_json_type(value, "datetime")
    return format_stamp(moment)


def _convert_reference(_: Field, value: object) -> str:
    record_id = canonical_id(value) if isinstance(value, str) else None
    if record_id is None:
        raise malformed_id(value)
    return record_id


_CONVERTERS: dict[Kind, Callable[[Field, object], Any]] = {
    Kind.EMAIL: _convert_email,
    Kind.CURRENCY: _convert_number,
    Kind.DOUBLE: _convert_number,
    Kind.PERCENT: _convert_number,
    Kind.INT: _convert_number,
    Kind.DATE: _convert_date,
    Kind.DATETIME: _convert_time,
    Kind.REFERENCE: _convert_reference,
}


def field_reader(sobject: SObject, field: Field) -> Callable[[Record], Any]:
    """A function that reads this field of the object from a record; a formula field is computed."""
    formula = field.formula
    if formula is None:
        name = field.name
        return lambda record: record[name]
    # A formula shows its value to users who may not see the fields that it reads.
    known = {**sobject.hidden, **sobject.fields}
    sources = {folded: known[folded].name for folded in formula.fields}

    def computed_value(record: Record) -> Any:  # noqa: ANN401 - a formula's value
        # The service sends an empty text as null.
        return formula.evaluate({folded: record[name] for folded, name in sources.items()}) or None

    return computed_value
