"""Read and write values by path: `/details/notes` in a referral, `Account.Name` in a Salesforce record."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.domain.html_entities import decode_entities

Json = Mapping[str, Any]

_HALF_SURROGATES = re.compile("[\ud800-\udfff]")


def in_referral(referral: Json, path: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return the value at a path of the referral, or None if a step is missing."""
    return _follow_path(referral, path.strip("/").split("/"))


def value_in_record(record: Json, path: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return the value at a dotted path of a Salesforce record, or None if a parent is empty."""
    return _follow_path(record, path.split("."))


def own_name(path: str) -> str:
    """Return the name of a column at its own record: the last step of a dotted path."""
    return path.rpartition(".")[2]


def _follow_path(value: Any, steps: list[str]) -> Any:  # noqa: ANN401 - a JSON value
    for step in steps:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def has_item(record: Json, item: str) -> bool:
    """Whether a Salesforce record has an item of a SOQL select list; one that was read back has no child records."""
    if item.startswith("("):
        return related_list(item) in record
    return item.split(".", maxsplit=1)[0] in record


def related_list(item: str) -> str:
    """Return the name of the related list that an item of a SOQL select list, a subquery, reads."""
    return item.rpartition(" FROM ")[2].rstrip(")").partition(" ")[0]


def rows_in(record: Json, name: str) -> Sequence[Json]:
    """Return the records of a related list as it was read; none if it is empty."""
    return (record.get(name) or {}).get("records") or ()


def required_text(referral: Json, name: str) -> str:
    """Return a text that every referral has. Raises KeyError or ValueError."""
    value = referral[name]
    if not (isinstance(value, str) and value):
        raise ValueError(name)
    return value


def set_value(body: dict[str, Any], path: str, value: object) -> None:
    """Set the value at a path of a new referral, and make the objects on the way."""
    *parents, last = path.strip("/").split("/")
    for step in parents:
        body = body.setdefault(step, {})
    body[last] = value


def replace_operation(path: str, value: object) -> Json:
    """Return a JSON Patch operation that replaces the value at a path."""
    return {"op": "replace", "path": path, "value": value}


def normal_text(value: object, length: int | None = None) -> str | None:
    """Return text in normal form (docs/protocol.md#normal-form).

    The portal encodes characters as HTML entities, both systems trim a text, and Salesforce changes line ends. An empty
    text becomes None. Half a surrogate pair, which JSON can hold and UTF-8 cannot, becomes U+FFFD. The text is cut to
    `length` before it is compared, so that a value that the narrower side shortened is never taken for an edit.
    """
    if value is None:
        return None
    text = str(value)
    whole = _HALF_SURROGATES.sub("\ufffd", decode_entities(text) if "&" in text else text)
    normal = whole.replace("\r\n", "\n").replace("\r", "\n").strip()
    return normal[:length].rstrip() or None


def calendar_day(value: object, offset: timedelta) -> date | None:
    """Return the day that a person chose, from the midnight that stands for it. Raises ValueError.

    The midnight is one of that person's zone, so its UTC date can be the day before. `offset` is the easternmost zone:
    there, every midnight up to 23 hours west of it still falls on its own day. With 12 hours this is each zone from
    UTC-11 to UTC+12. A day without a time is itself. Source: docs/reference/partner-center.md#closing-day.
    """
    if not value:
        return None
    try:
        return (parse_time(value) + offset).date()
    except OverflowError:
        raise ValueError("the day is outside the years 1 to 9999") from None


def parse_time(value: object) -> datetime:
    """Return a time in UTC; a time without a zone is UTC. Raises ValueError for anything else."""
    parsed = datetime.fromisoformat(str(value))
    try:
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("the time is outside the years 1 to 9999 in UTC") from None


def time_or_none(value: object) -> datetime | None:
    """Return the time in a value, in UTC; None for a value that holds none."""
    try:
        return parse_time(value)
    except ValueError:
        return None
