"""Find the stamps of a record that was read under the lock, by the queries of the poll.

Source: docs/protocol.md#stamps.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from shared.mapping.paths import Json, parse_time, related_list, rows_in, value_in_record
from shared.mapping.polls import PollQuery

MAX_COMMIT_TIME = timedelta(seconds=30)
"""The longest duration of a save. Until then, a record can still receive other values under the same stamp."""
SECOND = timedelta(seconds=1)


def is_second_over(stamp: datetime, at: datetime) -> bool:
    """Whether the server's clock had passed the second of the stamp. Only then is no further change possible in it."""
    return at.astimezone(UTC).replace(microsecond=0) > stamp.replace(microsecond=0)


def rests_in(stamp: datetime, at: datetime) -> timedelta:
    """How long after a read at a time of the server's clock another save may still be committed under the stamp."""
    left = stamp.replace(microsecond=0) + MAX_COMMIT_TIME + SECOND - at.astimezone(UTC).replace(microsecond=0)
    return max(left, timedelta())


def stamps_in(record: Json, queries: Iterable[PollQuery], read_at: datetime) -> dict[str, str]:
    """Return the newest reliable stamp of each query's records, as far as the record shows them.

    A record that was read back has neither parents nor rows. Deleted rows are known by the time of the read.
    """
    found: dict[str, str] = {}
    for query in queries:
        if query.is_deletion or (query.rows and query.rows not in record):
            continue
        reliable = {parse_time(stamp): stamp for stamp in _stamps(record, query) if is_reliable(stamp, read_at)}
        if reliable:
            found[query.name] = reliable[max(reliable)]
        if query.sees_deleted:
            found[query.deletion] = stamp_text(read_at - MAX_COMMIT_TIME - SECOND)
    return found


def newest_stamps(record: Json, queries: Iterable[PollQuery]) -> dict[str, str]:
    """Return the newest stamp of each query's records, as far as the record shows them, reliable or not."""
    found: dict[str, str] = {}
    for query in queries:
        if not query.is_deletion and not (query.rows and query.rows not in record):
            stamps = {parse_time(stamp): stamp for stamp in _stamps(record, query)}
            if stamps:
                found[query.name] = stamps[max(stamps)]
    return found


def _stamps(record: Json, query: PollQuery) -> Iterator[str]:
    rows = rows_in(record, query.rows) if query.rows else (record,)
    return (str(stamp) for row in rows if (stamp := value_in_record(row, query.stamp)))


def is_reliable(stamp: str, read_at: datetime) -> bool:
    """Whether no save can still be committed under a stamp that was read at a time of the server's clock."""
    return is_second_over(parse_time(stamp) + MAX_COMMIT_TIME, read_at)


def stamp_text(at: datetime) -> str:
    """Return a time as a stamp, in whole seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def covers(known: Mapping[str, str], query: PollQuery, stamp: str, *, is_deleted: bool) -> bool:
    """Whether a link that knows these stamps has seen a row with this stamp.

    Of several rows, a link knows the newest stamp: the older ones were there when it was read. A deletion is known if
    the opportunity was read without the record since, or if the opportunity itself was found to be missing.
    """
    keys = (query.deletion, "deleted") if is_deleted else (query.name,)
    return any(_is_covered(stamp, known.get(key)) for key in keys)


def _is_covered(stamp: str, known: str | None) -> bool:
    return known is not None and parse_time(stamp) <= parse_time(known)


def with_stamps(items: Iterable[str], queries: Iterable[PollQuery]) -> tuple[str, ...]:
    """Return the items of a select list, with the stamps that the poll asks for in the subqueries of their rows."""
    wanted: dict[str, list[str]] = {}
    for query in queries:
        if query.rows:
            wanted.setdefault(query.rows, []).append(query.stamp)
    return tuple(_subquery(item, wanted.get(related_list(item), ())) if item[0] == "(" else item for item in items)


def _subquery(item: str, stamps: Iterable[str]) -> str:
    columns = item.removeprefix("(SELECT ").partition(" FROM ")[0].split(", ")
    missing = [stamp for stamp in stamps if stamp not in columns]
    return item.replace("(SELECT ", f"(SELECT {', '.join(missing)}, ", 1) if missing else item


def unread_rows(items: Iterable[str], queries: Iterable[PollQuery]) -> tuple[str, ...]:
    """Return subqueries for the rows of the poll that no item of a select list reads."""
    read = {related_list(item) for item in items if item.startswith("(")}
    missing = dict.fromkeys(query.rows for query in queries if query.rows and query.rows not in read)
    return tuple(f"(SELECT Id FROM {rows})" for rows in missing)  # noqa: S608 - names of the poll
