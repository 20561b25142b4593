"""Store which directions an operator has paused, as one row for each.

partition             key     row
side|push_paused      state   an empty side state, and behind it since when the push is paused, and the operator's id
side|pull_paused      state   the same for the pull

Every instance reads these rows with the states of the sides, so a pause needs no restart and costs no call. An earlier
build reads them as the states of sides that it does not have. A row that cannot be read pauses too.

Source: docs/protocol.md#off-preview-on.
"""

import math
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, ValidationError, convert, to_builtins

from shared.domain.policy import PULL, PUSH
from shared.store.row_codec import pack
from shared.store.rows import Delete, Put, Rows

STATE = "state"
PARTITIONS = {direction: f"side|{direction}_paused" for direction in (PUSH, PULL)}


class DirectionPause(Struct, frozen=True):
    """Since when a direction is paused, and by whom; both are None where the row cannot be read."""

    since: datetime | None = None
    operator: str | None = None


class PauseRows:
    """Part of `shared.store.link_store.LinkStore`: the directions that an operator has paused."""

    _rows: Rows
    _reading: threading.Lock
    _sides_until: float

    def _known_sides(self, *, fresh: bool = False) -> Mapping[str, tuple[Any, tuple[Any, ...]]]:
        raise NotImplementedError

    def pauses(self, *, fresh: bool = False) -> Mapping[str, DirectionPause]:
        """Return the pauses by direction as they were at most 5 seconds ago; `fresh` reads them anew."""
        with self._reading:
            sides = self._known_sides(fresh=fresh)
        return {one: _pause_from(sides[row][1]) for one, row in PARTITIONS.items() if row in sides}

    def pause_direction(self, direction: str, at: datetime, operator: str) -> None:
        """Pause a direction for every instance."""
        pause = to_builtins(DirectionPause(at.astimezone(UTC), operator))
        self._rows.write(PARTITIONS[direction], [Put(STATE, pack([None, None, None, {}, pause]))])
        self._sides_until = -math.inf

    def resume_direction(self, direction: str) -> None:
        """End the pause of a direction, if there is one. Raises StoreConflict if another operator was first."""
        if row := self._rows.get(PARTITIONS[direction], STATE):
            self._rows.write(PARTITIONS[direction], [Delete(STATE, row.etag)])
        self._sides_until = -math.inf


def _pause_from(further: tuple[Any, ...]) -> DirectionPause:
    try:
        return convert(next(iter(further), {}), DirectionPause)
    except ValidationError:
        return DirectionPause()
