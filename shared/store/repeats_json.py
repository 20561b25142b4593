"""Turn what a link knows of its repeated tries into plain JSON and back.

Source: docs/protocol.md#unreadable-refusals.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from shared.domain.repeats import Repeats, Tries


class _TriesRow(Struct, array_like=True):
    count: int
    since: datetime


class RepeatsRow(Struct):
    """The stored shape of the repeats. A build that does not know the key keeps it."""

    unreadable: dict[str, _TriesRow] = {}


def repeats_to_json(repeats: Repeats) -> Mapping[str, Any]:
    """Return the key of a link for its repeats."""
    tries = {side: [one.count, one.since.isoformat()] for side, one in repeats.unreadable.items()}
    return {"repeats": {**repeats.unknown, **({"unreadable": tries} if tries else {})}}


def repeats_from(row: RepeatsRow | None, stored: Mapping[str, Any]) -> Repeats | None:
    """Return the repeats of a link that was read; `stored` is the link as it is stored."""
    if row is None:
        return None
    unknown = {key: value for key, value in stored["repeats"].items() if key not in row.__struct_fields__}
    return Repeats({side: Tries(one.count, one.since) for side, one in row.unreadable.items()}, unknown)
