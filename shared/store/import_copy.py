"""Put the rows of a copy into an empty table. An interrupted import goes on; a second time adds nothing.

1. the state of the store names the copy, and both sides are paused: no build of the app works on the table
2. all rows, each inserted if it is absent, apart from those below
   then the state of the store says that all are in: from now on they may change
3. `finish` writes the cursors, what was learned of the sides, and the state of the store; then it ends the pause

row                     what becomes of it
link, pointer, audit    as it is. Its age begins anew, so a lease or claim of then ends within its time
retry entry             as it is; one that the table has already stays
cursor                  as it is, and last: it is from before every other row of the copy
side                    what was learned of paths stays; a pause of then is dropped
owner                   must be the organisation of this environment
claim of an account     left out: nobody holds it any more
mass change, compare    left out: an approval may have been used since, and a compare begins anew
own writes              left out: they say nothing of the links of the copy
pause by an operator    left out: the table keeps its own
any other               as it is, also of a kind that this build does not know

Source: docs/protocol.md#copies-of-the-store.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched, groupby
from operator import attrgetter
from typing import IO

from shared.domain.deal import Side
from shared.foundation.errors import ConfigurationError, StoreConflict, UnreadableRow
from shared.store.limits import CHANGE_OVERHEAD_BYTES, MAX_CHANGES, MAX_TRANSACTION_BYTES, after_prefix
from shared.store.own_write_rows import OWN_WRITES
from shared.store.pause_rows import PARTITIONS as PAUSES
from shared.store.row_codec import pack, unpack
from shared.store.rows import Delete, Insert, Put, Row, RowChange, Rows
from shared.store.store_copy import CopiedRow, CopyFacts, CopyReader
from shared.store.store_state import IMPORT, PARTITION, Copied, copied_from, state_of_store

STATE = "state"
SIDES = tuple(f"side|{side}" for side in Side)
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of the pause while a copy is imported: only the import ends it."""
PAUSE = [FOREVER.isoformat(), IMPORT, None]
HEARTBEATS = ("push_done", "sweep_done")
PAUSED_FOR = timedelta(minutes=15)
"""An app whose last run is younger may still be at work."""
WITHOUT_DEALS = ("owner", "org", "probe", "cursor", "due|", "side|", "mass", "compare", "operator")
"""Rows that a new table may have already. The fields approved there (`mapping`) must not replace those of the copy."""
ANEW = "import into an empty one (docs/troubleshooting.md#empty-or-restore-the-store)"
"""What a person does about a table that cannot take the copy."""
SECOND_OF_BOTH = ("owner", "org", "due|")
"""Rows that the table may have already, with other content: they stay."""
LEFT_OUT = ("A|", "probe", "mass", "compare", OWN_WRITES, PARTITION, *PAUSES.values())
PAGE = 64
"""Transactions that are written together."""

type WriteAll = Callable[[Callable[[Sequence[CopiedRow]], int], Iterable[Sequence[CopiedRow]]], Iterable[int]]
"""Applies a function to each group of rows, in parallel or not, and returns the results."""


class Import:
    """The import of one checked copy into the table `rows`."""

    def __init__(self, rows: Rows, facts: CopyFacts) -> None:
        """`facts` are those of `check_copy`."""
        self._rows, self._facts = rows, facts
        self._later: list[CopiedRow] = []

    @property
    def is_done(self) -> bool:
        """Whether this copy was imported before."""
        known = self._state()
        return known is not None and known.sha256 == self._facts.sha256 and known.imported is not None

    def begin(self, organization: str) -> None:
        """Check everything that can be known, then keep every build of the app away from the table.

        Raises ConfigurationError for a copy of another organisation, for a table that is not empty, and if the app has
        been at work within 15 minutes.
        """
        _check_organization(self._facts.organization, organization)
        if (known := self._state()) is None:
            self._check_empty(organization)
        elif known.sha256 != self._facts.sha256:
            raise ConfigurationError("the table holds another copy: delete the table, or go on with that copy")
        if known is None:
            self._put_state()
        for side in SIDES:
            self._put(side, PAUSE)

    def insert_rows(self, source: IO[bytes], write_all: WriteAll = map) -> int:
        """Insert all rows that are absent, and return their number. Raises ConfigurationError for a foreign row.

        Afterwards the rows may change, so they are not inserted again.
        """
        self._later = []
        groups = batched(_transactions(self._kept(CopyReader(source))), PAGE, strict=False)
        known = self._state()
        if known is not None and known.has_all_rows:
            return sum(0 for _ in groups)
        inserted = sum(sum(write_all(self._insert, page)) for page in groups)
        self._put_state(has_all_rows=True)
        return inserted

    def finish(self, now: datetime) -> None:
        """Write what lets the app work: cursors first, the end of the pause last."""
        self._write_cursors([row for row in self._later if row.partition == "cursor"])
        states = {row.partition: row.data for row in self._later}
        for side in SIDES:
            self._put(side, [*PAUSE, *_behind_pause(states.get(side))])
        self._put_state(has_all_rows=True, imported=now)
        self.end_pause()

    def end_pause(self) -> None:
        """End the pause of both sides, if it is that of an import."""
        for side in SIDES:
            row = self._rows.get(side, STATE)
            if row and unpack(row.data)[1] == IMPORT:
                self._put(side, [None, None, None, *_behind_pause(row.data)])

    def _write_cursors(self, cursors: Sequence[CopiedRow]) -> None:
        """Write those of the copy, and remove any other: it would be later than the copy."""
        names = {row.key for row in cursors}
        others = [Delete(row.key, row.etag) for row in self._rows.list("cursor") if row.key not in names]
        changes: list[RowChange] = [*(Put(row.key, row.data, row.at) for row in cursors), *others]
        for some in batched(changes, MAX_CHANGES, strict=False):
            self._rows.write("cursor", some)

    def _kept(self, copied: Iterable[CopiedRow]) -> Iterator[CopiedRow]:
        for row in copied:
            if row.partition in (*SIDES, "cursor"):
                self._later.append(row)
            elif not row.partition.startswith(LEFT_OUT):
                yield row

    def _insert(self, group: Sequence[CopiedRow]) -> int:
        partition = group[0].partition
        try:
            self._rows.write(partition, [Insert(row.key, row.data, row.at) for row in group])
        except StoreConflict:
            missing = [row for row in group if not self._has(row)]
            self._rows.write(partition, [Insert(row.key, row.data, row.at) for row in missing])
            return len(missing)
        return len(group)

    def _has(self, row: CopiedRow) -> bool:
        """Whether the table has the row. Raises ConfigurationError if it has another one that must not be there."""
        known = self._rows.get(row.partition, row.key)
        if known is None:
            return False
        if (known.data, known.at) != (row.data, row.at) and not row.partition.startswith(SECOND_OF_BOTH):
            raise ConfigurationError(f"the app has worked meanwhile, so the table is not this copy's any more: {ANEW}")
        return True

    def _state(self) -> Copied | None:
        row = self._rows.get(PARTITION, STATE)
        return copied_from(tuple(unpack(row.data)[4:])) if row else None

    def _put_state(self, *, has_all_rows: bool = False, imported: datetime | None = None) -> None:
        copied = Copied(self._facts.sha256, self._facts.began, has_all_rows, imported)
        self._put(PARTITION, state_of_store(copied))

    def _put(self, partition: str, value: object) -> None:
        self._rows.write(partition, [Put(STATE, pack(value))])

    def _check_empty(self, organization: str) -> None:
        if any(_is_of_deal(row) for row in self._rows.walk("", after_prefix(""))):
            raise ConfigurationError(f"the table is in use: {ANEW}")
        owner = self._rows.get("owner", "salesforce")
        _check_organization(str(unpack(owner.data)) if owner else organization, organization)
        for name in HEARTBEATS:
            row = self._rows.get("cursor", name)
            if row is not None and row.age < PAUSED_FOR:
                raise ConfigurationError("SYNC: the app has worked within 15 minutes. Set SYNC=off, and wait so long")


def _is_of_deal(row: Row) -> bool:
    return not row.partition.startswith(WITHOUT_DEALS)


def _check_organization(of_store: str | None, organization: str) -> None:
    if of_store != organization:
        raise ConfigurationError(
            f"the rows belong to the Salesforce organisation {of_store}, and this environment to {organization}"
        )


def _transactions(copied: Iterable[CopiedRow]) -> Iterator[Sequence[CopiedRow]]:
    """Groups of rows that fit into one transaction each."""
    for _, rows in groupby(copied, attrgetter("partition")):
        group, size = list[CopiedRow](), 0
        for row in rows:
            more = len(row.data) * 4 // 3 + CHANGE_OVERHEAD_BYTES + 4
            if group and (len(group) == MAX_CHANGES or size + more > MAX_TRANSACTION_BYTES - CHANGE_OVERHEAD_BYTES):
                yield group
                group, size = [], 0
            group, size = [*group, row], size + more
        yield group


def _behind_pause(state: bytes | None) -> list[object]:
    """What the state of a side has besides its pause and its limit, as JSON."""
    try:
        stored = unpack(state) if state else []
    except UnreadableRow:
        stored = []
    return stored[3:] if isinstance(stored, list) else []
