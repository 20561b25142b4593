"""Turn what a link keeps while it is paused or gone into plain JSON and back (docs/protocol.md#states-of-a-link).

The keys are optional: a build that does not know them keeps them, and takes a link out of these states without them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from shared.domain.link import Gone, Link


class GoneRow(Struct, array_like=True):
    """The stored shape of why an opportunity is gone."""

    code: str
    since: datetime
    is_closed: bool = False


def rest_to_json(link: Link) -> Mapping[str, Any]:
    """Return the keys of a link that is paused or gone; none of another one."""
    before = {} if link.before is None else {"before": link.before.value}
    gone = link.gone
    return before if gone is None else {**before, "gone": [gone.code, gone.since.isoformat(), gone.is_closed]}


def gone_from(row: GoneRow | None) -> Gone | None:
    """Return why the opportunity of a link that was read is gone."""
    return None if row is None else Gone(row.code, row.since, row.is_closed)
