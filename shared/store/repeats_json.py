"""Turn what a link knows of its repeated tries into plain JSON and back.

Source: docs/protocol.md#unreadable-refusals, docs/protocol.md#the-ping-pong-guard.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from shared.domain.repeats import Repeats, Tries, Writes


class _TriesRow(Struct, array_like=True):
    count: int
    since: datetime


class _WritesRow(Struct, array_like=True):
    value: str
    times: tuple[datetime, ...]
    is_stopped: bool = False


class RepeatsRow(Struct):
    """The stored shape of the repeats. A build that does not know the key keeps it."""

    unreadable: dict[str, _TriesRow] = {}
    written: dict[str, _WritesRow] = {}


def repeats_to_json(repeats: Repeats) -> Mapping[str, Any]:
    """Return the key of a link for its repeats."""
    tries = {side: [one.count, one.since.isoformat()] for side, one in repeats.unreadable.items()}
    written = {key: _writes_to_json(one) for key, one in repeats.written.items()}
    known = {"unreadable": tries, "written": written}
    return {"repeats": {**repeats.unknown, **{key: value for key, value in known.items() if value}}}


def _writes_to_json(writes: Writes) -> Sequence[Any]:
    times = [time.isoformat(timespec="seconds") for time in writes.times]
    return [writes.value, times, *([True] if writes.is_stopped else [])]


def repeats_from(row: RepeatsRow | None, stored: Mapping[str, Any]) -> Repeats | None:
    """Return the repeats of a link that was read; `stored` is the link as it is stored."""
    if row is None:
        return None
    unknown = {key: value for key, value in stored["repeats"].items() if key not in row.__struct_fields__}
    tries = {side: Tries(one.count, one.since) for side, one in row.unreadable.items()}
    written = {key: Writes(one.value, one.times, one.is_stopped) for key, one in row.written.items()}
    return Repeats(tries, written, unknown)
