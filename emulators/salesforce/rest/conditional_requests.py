"""Check the conditions of a request, in whole seconds (docs/reference/salesforce.md#conditional-requests)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from emulators.salesforce.data.errors import ApiError

SECOND = timedelta(seconds=1)


def check_unmodified(headers: Mapping[str, str], last_modified: str) -> None:
    """Raise ApiError (412, no body) if the record changed in a later second than `If-Unmodified-Since` names."""
    since = _header_time(headers, "if-unmodified-since")
    if since is not None and datetime.fromisoformat(last_modified) >= since + SECOND:
        raise ApiError(412, "PRECONDITION_FAILED", "", empty=True)


def is_not_modified(headers: Mapping[str, str], last_modified: str) -> bool:
    """Whether nothing changed after `If-Modified-Since`, so that the answer to a read is 304. Raises ApiError."""
    since = _header_time(headers, "if-modified-since")
    return since is not None and datetime.fromisoformat(last_modified) < since + SECOND


def _header_time(headers: Mapping[str, str], name: str) -> datetime | None:
    text = headers.get(name)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as error:
        raise ApiError(400, "MALFORMED_HEADER", f"The value of the header {name} is not a valid date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
