"""Store which directions an operator has paused, as one row for each.

partition   key           row
paused      push, pull    since when, and the operator's object id

Every instance reads these rows before a run, so a pause needs no restart. A row that cannot be read pauses too.

Source: docs/protocol.md#off-preview-on.
"""

import math
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from shared.foundation.errors import UnreadableRow
from shared.store.row_codec import pack, unpack
from shared.store.rows import Delete, Put, Row, Rows

PAUSED = "paused"
MAX_AGE_SECONDS = 5.0
"""The greatest age that the pauses may have when they are asked for."""


class DirectionPause(Struct, frozen=True):
    """Since when a direction is paused, and by whom; both are None where the row cannot be read."""

    since: datetime | None = None
    operator: str | None = None


class PauseRows:
    """Part of `shared.store.link_store.LinkStore`: the directions that an operator has paused."""

    _rows: Rows
    _clock: Callable[[], float]
    _reading: threading.Lock
    _pauses: Mapping[str, DirectionPause] = {}
    _pauses_until: float = -math.inf

    def pauses(self, *, fresh: bool = False) -> Mapping[str, DirectionPause]:
        """Return the pauses by direction as they were at most 5 seconds ago; `fresh` reads them anew."""
        with self._reading:
            now = self._clock()
            if fresh or now >= self._pauses_until:
                self._pauses = {row.key: _pause_from(row) for row in self._rows.list(PAUSED)}
                self._pauses_until = now + MAX_AGE_SECONDS
            return self._pauses

    def pause_direction(self, direction: str, at: datetime, operator: str) -> None:
        """Pause a direction for every instance."""
        self._rows.write(PAUSED, [Put(direction, pack([at.astimezone(UTC).isoformat(), operator]))])
        self._pauses_until = -math.inf

    def resume_direction(self, direction: str) -> None:
        """End the pause of a direction, if there is one. Raises StoreConflict if another operator was first."""
        if row := self._rows.get(PAUSED, direction):
            self._rows.write(PAUSED, [Delete(direction, row.etag)])
        self._pauses_until = -math.inf


def _pause_from(row: Row) -> DirectionPause:
    try:
        since, operator, *_ = unpack(row.data)
        return DirectionPause(datetime.fromisoformat(since), str(operator))
    except (UnreadableRow, ValueError, TypeError):
        return DirectionPause()
