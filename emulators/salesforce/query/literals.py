"""Literals of a query in the form in which values are compared: text folded, ids whole, moments in UTC."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.record_ids import canonical
from emulators.salesforce.data.schema import NUMBERS, TEXTS, Field, Kind
from emulators.salesforce.data.values import stamp
from emulators.salesforce.query.soql import Literal

_WANTED = {Kind.DATE: "date", Kind.DATETIME: "datetime", Kind.BOOLEAN: "boolean", **dict.fromkeys(NUMBERS, "number")}
_NAMES = {"datetime": "dateTime", "number": "double"}
_PIECE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\.|.", re.DOTALL)


def folding(field: Field) -> Callable[[Any], Any]:
    """How a stored value is prepared for a comparison: text compares without case."""
    if field.kind in TEXTS and not field.case_sensitive:
        return lambda value: None if value is None else value.casefold()
    return lambda value: value


def comparable(field: Field, literal: Literal) -> Any:  # noqa: ANN401 - any stored value
    """The literal's value, ready to compare with folded values. Raises ApiError where the types differ."""
    if field.long:
        raise ApiError(400, "INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
    if literal.kind == "null" or literal.value == "":
        return None
    wanted = _WANTED.get(field.kind, "string")
    if literal.kind != wanted:
        raise _mismatch(field, wanted)
    if field.kind in {Kind.ID, Kind.REFERENCE}:
        return _id(str(literal.value))
    try:
        if wanted == "datetime":
            return stamp(datetime.fromisoformat(str(literal.value)))
        if wanted == "date":
            return date.fromisoformat(str(literal.value)).isoformat()
    except ValueError as problem:
        raise ApiError(400, "MALFORMED_QUERY", f"Invalid {wanted}: {literal.value}") from problem
    return folding(field)(literal.value)


def like(field: Field, literal: Literal) -> re.Pattern[str]:
    """The pattern of LIKE as a regular expression. Raises ApiError on a field that is no text."""
    if field.kind not in TEXTS or field.long or literal.kind != "string":
        message = f"invalid operator on {field.kind} field"
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", message)
    pieces = "".join(_like_piece(piece) for piece in _PIECE.findall(literal.raw))
    return re.compile(pieces, re.IGNORECASE | re.DOTALL)


def _like_piece(piece: str) -> str:
    if piece in {"%", "_"}:
        return ".*" if piece == "%" else "."
    if piece.startswith("\\u") and len(piece) > len("\\u"):
        return re.escape(chr(int(piece.removeprefix("\\u"), 16)))
    controls = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\b": "\b", "\\f": "\f"}
    return re.escape(controls.get(piece, piece[-1]))


def _id(text: str) -> str:
    found = canonical(text)
    if found is None:
        raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
    return found


def _mismatch(field: Field, wanted: str) -> ApiError:
    quoting = "should be" if wanted == "string" else "should not be"
    return ApiError(
        400,
        "INVALID_FIELD",
        f"value of filter criterion for field '{field.name}' must be of type {_NAMES.get(wanted, wanted)} "
        f"and {quoting} enclosed in quotes",
    )
