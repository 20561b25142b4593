"""Reading and writing by path: `/details/notes` in a referral, `Account.Name` in a Salesforce row."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

Json = Mapping[str, Any]

_HALF_SURROGATES = re.compile("[\ud800-\udfff]")


def in_referral(referral: Json, path: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value at a path of the referral; None where a step is missing."""
    return _follow_path(referral, path.strip("/").split("/"))


def in_row(row: Json, path: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value at a dotted path of a row; None where a parent is empty."""
    return _follow_path(row, path.split("."))


def _follow_path(value: Any, steps: list[str]) -> Any:  # noqa: ANN401 - a JSON value
    for step in steps:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def set_value(body: dict[str, Any], path: str, value: object) -> None:
    """Set the value at a path of a new referral, making the objects on the way."""
    *parents, last = path.strip("/").split("/")
    for step in parents:
        body = body.setdefault(step, {})
    body[last] = value


def replace_operation(path: str, value: object) -> Json:
    """One JSON Patch operation."""
    return {"op": "replace", "path": path, "value": value}


def normal_text(value: object, length: int | None = None) -> str | None:
    """Text in normal form: both systems trim, Salesforce changes line ends, and empty is no text at all.

    Half a surrogate pair, which JSON can say and no UTF-8 can, becomes U+FFFD, Unicode's sign for what was lost.

    What the narrower side cannot hold is cut before comparing, so that a shortened value is never read as an edit.
    """
    if value is None:
        return None
    normal = _HALF_SURROGATES.sub("\ufffd", str(value)).replace("\r\n", "\n").replace("\r", "\n").strip()
    return normal[:length].rstrip() or None


def utc_day(value: object) -> date | None:
    """The UTC day of a date or date-time text; only the day of a closing date-time has meaning. Raises ValueError."""
    if not value:
        return None
    return moment(value).date()


def moment(value: object) -> datetime:
    """A point in time, UTC. Raises ValueError for anything else."""
    parsed = datetime.fromisoformat(str(value))
    try:
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("a time outside the years 1 to 9999 in UTC") from None
