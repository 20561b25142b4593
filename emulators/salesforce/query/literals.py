"""Bring values and the literals of a query into one form for comparison: text folded, ids whole, times in UTC."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.record_ids import canonical_id
from emulators.salesforce.data.schema import NUMBER_KINDS, TEXT_KINDS, Field, Kind
from emulators.salesforce.data.values import format_stamp
from emulators.salesforce.query.soql import Literal

_LITERAL_KINDS = {
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
    Kind.BOOLEAN: "boolean",
    **dict.fromkeys(NUMBER_KINDS, "number"),
}
_SERVICE_NAMES = {"datetime": "dateTime", "number": "double"}
_LIKE_PIECE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\.|.", re.DOTALL)


def value_folder(field: Field) -> Callable[[Any], Any]:
    """A function that prepares a stored value of the field for comparison: text is compared without case."""
    if field.kind in TEXT_KINDS and not field.case_sensitive:
        return lambda value: None if value is None else value.casefold()
    return lambda value: value


def comparable_literal(field: Field, literal: Literal) -> Any:  # noqa: ANN401 - any stored value
    """The literal's value, comparable with folded values of the field. Raises ApiError if the types differ."""
    if field.is_long:
        raise ApiError(400, "INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
    if literal.kind == "null" or literal.value == "":
        return None
    expected = _LITERAL_KINDS.get(field.kind, "string")
    if literal.kind != expected:
        raise _type_mismatch(field, expected)
    if field.kind in {Kind.ID, Kind.REFERENCE}:
        return _whole_id(str(literal.value))
    try:
        if expected == "datetime":
            return format_stamp(datetime.fromisoformat(str(literal.value)))
        if expected == "date":
            return date.fromisoformat(str(literal.value)).isoformat()
    except ValueError as error:
        raise ApiError(400, "MALFORMED_QUERY", f"Invalid {expected}: {literal.value}") from error
    return value_folder(field)(literal.value)


def like_pattern(field: Field, literal: Literal) -> re.Pattern[str]:
    """The pattern of LIKE as a regular expression. Raises ApiError if the field is not a short text."""
    if field.kind not in TEXT_KINDS or field.is_long or literal.kind != "string":
        message = f"invalid operator on {field.kind} field"
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", message)
    pieces = "".join(_like_piece(piece) for piece in _LIKE_PIECE.findall(literal.raw))
    return re.compile(pieces, re.IGNORECASE | re.DOTALL)


def _like_piece(piece: str) -> str:
    """The regular expression of one character or escape of a LIKE pattern."""
    if piece in {"%", "_"}:
        return ".*" if piece == "%" else "."
    if piece.startswith("\\u") and len(piece) > len("\\u"):
        return re.escape(chr(int(piece.removeprefix("\\u"), 16)))
    controls = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\b": "\b", "\\f": "\f"}
    return re.escape(controls.get(piece, piece[-1]))


def _whole_id(text: str) -> str:
    record_id = canonical_id(text)
    if record_id is None:
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
    return record_id


def _type_mismatch(field: Field, expected: str) -> ApiError:
    quoting = "should be" if expected == "string" else "should not be"
    return ApiError(
        400,
        "INVALID_FIELD",
        f"value of filter criterion for field '{field.name}' must be of type {_SERVICE_NAMES.get(expected, expected)} "
        f"and {quoting} enclosed in quotes",
    )
