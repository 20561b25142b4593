"""Store what the poll may drop, as one row for each 200 pairs.

partition     key        row
own_writes    <random>   pairs that a push has just brought to their end: id, stamps, hash, and whether they are settled

A row is of no use once the poll no longer lists its stamps. Nothing is lost with one: its pairs are looked at. Its
`at` is when it was written, by the clock of the instance: a table that was restored from elsewhere has new timestamps,
and its links may be older than such a row.

Source: docs/protocol.md#own-writes.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import batched

from msgspec import ValidationError, convert

from shared.domain.own_writes import OwnWrite
from shared.foundation.errors import StoreConflict, UnreadableRow
from shared.store.limits import MAX_CHANGES
from shared.store.row_codec import pack, unpack
from shared.store.rows import Delete, Put, Row, Rows

OWN_WRITES = "own_writes"
PAIRS = 200
"""The pairs of one row."""
AT_ONCE = PAIRS * (MAX_CHANGES // 4)
"""The pairs that are written together: their rows stay far below the bytes of a transaction."""
KEPT = timedelta(minutes=15)
"""How long a row is used: the overlap of the poll, and the runs in between."""


class OwnWriteRows:
    """Part of `shared.store.link_store.LinkStore`: the own writes."""

    _rows: Rows

    def own_writes(self, now: datetime) -> Sequence[OwnWrite]:
        """Return what is kept, and delete the rows that are too old. Raises StoreUnavailable."""
        rows = self._rows.list(OWN_WRITES)
        self._delete([row for row in rows if row.age > KEPT])
        return [write for row in rows if _is_in_use(row, now) for write in _writes_in(row)]

    def keep_own_writes(self, writes: Sequence[OwnWrite], now: datetime) -> None:
        """Write rows. Raises StoreUnavailable."""
        for part in batched(writes, AT_ONCE, strict=False):
            chunks = (pack([_as_list(write) for write in chunk]) for chunk in batched(part, PAIRS, strict=False))
            self._rows.write(OWN_WRITES, [Put(secrets.token_hex(8), data, now) for data in chunks])

    def forget_own_writes(self, aged: timedelta = KEPT) -> None:
        """Delete the rows that have this age, also where no push lists anything. Raises StoreUnavailable."""
        self._delete([row for row in self._rows.list(OWN_WRITES) if row.age >= aged])

    def _delete(self, old: Sequence[Row]) -> None:
        """Delete rows; what another instance deletes at the same time is left to it."""
        for part in batched(old, MAX_CHANGES, strict=False):
            with suppress(StoreConflict):
                self._rows.write(OWN_WRITES, [Delete(row.key, row.etag) for row in part])


def _is_in_use(row: Row, now: datetime) -> bool:
    """Whether both clocks say that the row is young."""
    return row.age <= KEPT and row.at is not None and abs(now - row.at) <= KEPT


def _as_list(write: OwnWrite) -> list[object]:
    return [write.opportunity_id, dict(write.stamps), write.digest, write.is_settled]


def _writes_in(row: Row) -> list[OwnWrite]:
    """What a row holds; nothing if it cannot be read. A later build may add items behind the known ones."""
    with suppress(UnreadableRow, ValidationError, TypeError, ValueError):
        stored = convert(unpack(row.data), list[list[object]])
        return [convert(dict(zip(OwnWrite.__struct_fields__, one, strict=False)), OwnWrite) for one in stored]
    return []
