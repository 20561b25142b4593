"""Check rows and keys against the limits of Table Storage.

Every adapter makes these checks, so that a local run refuses what Azure would refuse. Source of the numbers:
docs/reference/azure.md#limits-of-table-storage.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.store.rows import Delete, RowChange

MAX_CHANGES = 100
MAX_ROW_BYTES = 700_000
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
CHANGE_OVERHEAD_BYTES = 2_500
"""The bytes that a change may need in a transaction besides its data: headers, and both keys percent-encoded."""

_KEY = re.compile(r"[ -~]{1,200}")
_FORBIDDEN_CHARACTERS = frozenset("/\\#?")
_EARLIEST_TIME = datetime(1601, 1, 1, tzinfo=UTC)
_AFTER_ASCII = "\u00a1"


def check_key(text: str) -> None:
    """Raise ValueError unless `text` is allowed as a partition or as a key."""
    if _KEY.fullmatch(text) is None or not _FORBIDDEN_CHARACTERS.isdisjoint(text):
        raise ValueError(
            f"{text!r} is not a key: 1 to 200 characters of ASCII, no control characters and none of / \\ # ?"
        )


def check_time(time: datetime | None) -> None:
    """Raise ValueError unless `time` is None, or a time with a zone that the store can hold."""
    if time is None:
        return
    if time.tzinfo is None or time < _EARLIEST_TIME:
        raise ValueError("a time in the store needs a time zone, and must not be before the year 1601")


def check_changes(partition: str, changes: Sequence[RowChange]) -> None:
    """Raise ValueError unless `changes` are allowed as one transaction of `partition`."""
    check_key(partition)
    if len(changes) > MAX_CHANGES:
        raise ValueError(f"{len(changes)} changes: a transaction holds at most {MAX_CHANGES}")
    if len({change.key for change in changes}) != len(changes):
        raise ValueError("a transaction must change each row only once")
    for change in changes:
        _check_change(change)
    if (size := transaction_size(changes)) > MAX_TRANSACTION_BYTES:
        raise ValueError(f"about {size} bytes: a transaction holds at most {MAX_TRANSACTION_BYTES}")


def transaction_size(changes: Sequence[RowChange]) -> int:
    """Return an upper bound for the bytes of the transaction's request, in which data is base64."""
    data = sum((len(change.data) + 2) // 3 * 4 for change in changes if not isinstance(change, Delete))
    return data + CHANGE_OVERHEAD_BYTES * (len(changes) + 1)


def after_prefix(prefix: str) -> str:
    """Return the lowest text above every key that begins with `prefix`."""
    if not prefix:
        return _AFTER_ASCII
    last = prefix[-1]
    return prefix[:-1] + (chr(ord(last) + 1) if last < "~" else _AFTER_ASCII)


def check_list(partition: str, prefix: str, until: datetime | None, limit: int | None) -> None:
    """Raise ValueError unless these are valid arguments of `Rows.list`."""
    check_key(partition)
    if prefix:
        check_key(prefix)
    check_time(until)
    if limit is not None and limit < 0:
        raise ValueError("a limit must not be negative")


def check_scan(partition_prefix: str, key: str, after: str = "") -> None:
    """Raise ValueError unless these are valid arguments of `Rows.scan`."""
    for text in filter(None, (partition_prefix, after)):
        check_key(text)
    check_key(key)


def _check_change(change: RowChange) -> None:
    check_key(change.key)
    if isinstance(change, Delete):
        return
    check_time(change.at)
    if len(change.data) > MAX_ROW_BYTES:
        raise ValueError(f"{len(change.data)} bytes: a row holds at most {MAX_ROW_BYTES}")
