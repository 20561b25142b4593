"""Conditional requests on records: whole seconds, `EEE, dd MMM yyyy HH:mm:ss z` (reference/salesforce.md 2.10)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from emulators.salesforce.data.errors import ApiError

SECOND = timedelta(seconds=1)


def check_unmodified(headers: Mapping[str, str], last_modified: str) -> None:
    """Raise 412, without a body, where the record changed in a later second than `If-Unmodified-Since` names."""
    since = _moment(headers, "if-unmodified-since")
    if since is not None and datetime.fromisoformat(last_modified) >= since + SECOND:
        raise ApiError(412, "PRECONDITION_FAILED", "", empty=True)


def not_modified(headers: Mapping[str, str], last_modified: str) -> bool:
    """Whether a read is answered by 304: nothing changed after `If-Modified-Since`."""
    since = _moment(headers, "if-modified-since")
    return since is not None and datetime.fromisoformat(last_modified) < since + SECOND


def _moment(headers: Mapping[str, str], name: str) -> datetime | None:
    text = headers.get(name)
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as error:
        raise ApiError(400, "MALFORMED_HEADER", f"The value of the header {name} is not a valid date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
