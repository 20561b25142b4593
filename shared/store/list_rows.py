"""Turn audit lines, retry entries and side states into plain JSON and back.

An audit line is an object; an earlier build stored a list of its time and text, which is shown as it is.
A later build may store further items behind the known ones; a side state and a retry entry keep them
(docs/protocol.md#rows-of-other-builds).
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct, convert, to_builtins
from msgspec.structs import astuple

from shared.domain.audit import Line, text_line
from shared.domain.currencies import OrgCurrencies
from shared.domain.deal import Side
from shared.domain.org_addresses import OrgAddresses
from shared.domain.org_shape import Column, OrgShape, RecordType
from shared.domain.sentences import CAUSES, SENTENCES
from shared.store.row_codec import pack
from shared.store.rows import Put, Row
from shared.store.stored_values import Asker, KnownPath, RetryEntry, SideState

FAR_FUTURE_MILLISECONDS = 9_999_999_999_999
"""A time later than any audit line. A key holds the difference to it, so that the newest line comes first."""
UNREADABLE_LINE = "unreadable_line"
"""The code of a line that this build cannot read."""
UNREADABLE = "unreadable"
"""The cause of a retry entry that this build cannot read."""


class _TextRow(Struct, array_like=True):
    at: datetime
    text: str


class _RetryRow(Struct, array_like=True):
    cause: str
    attempts: int
    since: datetime | None
    asked: Asker | None = None


class _PathRow(Struct, array_like=True):
    release: str
    is_taken: bool


class _SideRow(Struct, array_like=True):
    """`calls` is what builds up to 0.9.0 wrote, and read: how many calls may run at once. This build writes none."""

    paused_until: datetime | None
    reason: str | None
    calls: int | None
    paths: dict[str, _PathRow] = {}


# --- audit lines ------------------------------------------------------------------------------------------------------


def line_key_prefix(at: datetime) -> str:
    """Return the start of the key of an audit line. Newer lines sort first."""
    return f"a|{FAR_FUTURE_MILLISECONDS - int(at.timestamp() * 1000):013d}"


def line_to_json(line: Line) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return an audit line as JSON."""
    return [line.at.isoformat(), line.values["text"]] if line.code == "text" else to_builtins(line)


def line_from_json(stored: Any) -> Line:  # noqa: ANN401 - as above
    """Return the audit line that `line_to_json` wrote.

    Raises ValidationError for another shape, and ValueError for a code that only a later build knows.
    """
    if isinstance(stored, list):
        row = convert(stored, _TextRow)
        return text_line(row.at, row.text)
    line = convert(stored, Line)
    if not (line.code in SENTENCES or line.code in CAUSES):
        raise ValueError(f"the audit line has the unknown code {line.code!r}")
    return line


def unreadable_line(row: Row) -> Line:
    """Return a line that stands for one that this build cannot show. Its time is in its key."""
    milliseconds = FAR_FUTURE_MILLISECONDS - int(row.key.split("|")[1])
    return Line(datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds), UNREADABLE_LINE)


# --- retry entries ----------------------------------------------------------------------------------------------------


def retry_entry_to_json(entry: RetryEntry) -> list[Any]:
    """Return a retry entry as JSON. Its time is a column of the row."""
    asked = [entry.asked.operator, entry.asked.at.isoformat()] if entry.asked else None
    since = entry.since.isoformat() if entry.since else None
    return [entry.cause, entry.attempts, since, *([asked] if asked or entry.further else []), *entry.further]


def retry_entry_from(side: Side, row: Row, stored: Any) -> RetryEntry:  # noqa: ANN401 - as above
    """Return the retry entry of a row. Raises ValidationError for another shape."""
    known = convert(stored, _RetryRow)
    further = tuple(stored[len(_RetryRow.__struct_fields__) :])
    counts = known.cause, known.attempts, row.etag, known.since
    return RetryEntry(side, row.key, _due_time(row), *counts, further, known.asked)


def unreadable_retry_entry(side: Side, row: Row) -> RetryEntry:
    """Return a retry entry for a row that this build cannot read: the pair is still due, and counts as late."""
    return RetryEntry(side, row.key, _due_time(row), UNREADABLE, etag=row.etag, since=row.changed)


def _due_time(row: Row) -> datetime:
    return row.at or datetime.min.replace(tzinfo=UTC)


# --- side states ------------------------------------------------------------------------------------------------------


def side_state_to_json(state: SideState, further: tuple[Any, ...]) -> list[Any]:
    """Return a side state as JSON, with the items behind it that a later build stored."""
    until = state.paused_until.isoformat() if state.paused_until else None
    paths = {path: [known.release, known.is_taken] for path, known in state.paths.items()}
    return [until, state.reason, None, *([paths] if paths or further else []), *further]


def side_state_from_json(stored: Any) -> tuple[SideState, tuple[Any, ...]]:  # noqa: ANN401 - as above
    """Return the side state and the items behind it. Raises ValidationError for another shape."""
    row = convert(stored, _SideRow)
    further = tuple(stored[len(_SideRow.__struct_fields__) :])
    paths = {path: KnownPath(known.release, known.is_taken) for path, known in row.paths.items()}
    return SideState(row.paused_until, row.reason, paths), further


# --- the shape of the organisation ------------------------------------------------------------------------------------


class _ShapeRow(Struct):
    several: bool
    codes: frozenset[str]
    fields: bool
    at: datetime
    statuses: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    package: str | None = None
    asked: frozenset[str] = frozenset()
    columns: dict[str, Column] = {}
    address_picklists: bool = False
    person_accounts: bool = False
    record_types: dict[str, tuple[RecordType, ...]] = {}
    addresses: OrgAddresses = OrgAddresses()
    notifications: dict[str, str | None] = {}
    required: dict[str, str | bool | float] = {}
    stages: frozenset[str] | None = None
    user: str = ""
    teams: str = ""


def shape_to_json(shape: OrgShape, at: datetime) -> dict[str, Any]:
    """Return the JSON of the org's answer about its shape."""
    money = shape.currencies
    return {
        "several": money.has_several,
        "codes": sorted(money.codes),
        "fields": money.has_amount_fields,
        "at": at.astimezone(UTC).isoformat(),
        "statuses": None if shape.statuses is None else sorted(shape.statuses),
        "hidden": sorted(shape.hidden),
        "read_only": sorted(shape.read_only),
        "package": shape.package,
        "asked": sorted(shape.asked),
        "columns": {path: [*astuple(column)] for path, column in shape.columns.items()},
        "address_picklists": shape.has_address_picklists,
        "person_accounts": shape.has_person_accounts,
        "record_types": {name: [[*astuple(each)] for each in known] for name, known in shape.record_types.items()},
        "addresses": to_builtins(shape.addresses, order="sorted"),
        "notifications": dict(shape.notifications),
        "required": dict(shape.required),
        "stages": None if shape.stages is None else sorted(shape.stages),
        "user": shape.user_id,
        **({"teams": shape.teams} if shape.teams else {}),
    }


def shape_from_json(stored: Any) -> tuple[OrgShape, datetime]:  # noqa: ANN401 - as above
    """Return the org's answer, and its time. Raises ValueError."""
    row = convert(stored, _ShapeRow)
    money = OrgCurrencies(row.several, row.codes, row.fields)
    known = (row.statuses, row.hidden, row.read_only, row.package, row.asked, row.columns)
    features = (row.address_picklists, row.person_accounts, row.record_types, row.addresses, row.notifications)
    return OrgShape(money, *known, *features, row.required, row.stages, row.user, row.teams), row.at


def audit_rows(lines: Sequence[Line]) -> list[Put]:
    """Return the changes that add audit lines to a partition."""
    return [Put(_audit_key(line, number), pack(line_to_json(line))) for number, line in enumerate(lines)]


def in_order_of_rows(transactions: Iterable[Sequence[Line]]) -> list[Line]:
    """Return audit lines, newest first, as a read of their rows would return them."""
    rows = {_audit_key(line, number): line for lines in transactions for number, line in enumerate(lines)}
    return [rows[key] for key in sorted(rows)]


def _audit_key(line: Line, number: int) -> str:
    """Return the key of an audit line. Newer lines sort first; lines that are written together keep their order.

    The same line has the same key, whichever run writes it.
    """
    said = line.values["text"] if line.code == "text" else json.dumps(line_to_json(replace(line, correlation_id=None)))
    return f"{line_key_prefix(line.at)}|{number:03d}|{hashed_key(said)[:8]}"


def hashed_key(text: str) -> str:
    """Return a key of fixed length that holds no personal data."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
