"""Store links with their audit lines, pointers, the retry queue, the states of the sides, and cursors as rows.

partition                key                     row
O|<opportunity id>       link                    the link, which is also the lock of the pair
O|<opportunity id>       a|<newest first>        an audit line, written in one transaction with the link
R|<referral id>          pointer                 the opportunity of the referral, or the intent to create it
R|<referral id>          a|<newest first>        an audit line of a lead, written in one transaction with the pointer
E|, M|                   deals                   see `party_rows.py`
erased                   <what>                  see `erasure_rows.py`
compare                  progress                see `compare_rows.py`
mass, mapping            <count>, approved       see `mass_rows.py`, `approved_rows.py`
A|<account match key>    claim                   see `claim_rows.py`
own_writes               <random>                see `own_write_rows.py`
due|<side>               <pair>                  retry queue: next attempt, cause, number of attempts
side|<side>              state                   paused until when and why
side|store, side|*_paused state                  see `store_state.py`, `pause_rows.py`
cursor                   <name>                  cursors and heartbeats
owner, org               salesforce, organization  see `organization_rows.py`
org                      currencies              the shape of the Salesforce organisation, and when it was asked
operator                 <newest first>          see `operator_rows.py`
probe                    <random>                written and removed at once, to test whether storage works

The rules behind these rows: docs/protocol.md#what-is-stored. A row that this build cannot read is told once in the log.
"""

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.audit import Line, fold_lines
from shared.domain.deal import Side
from shared.domain.link import Link, Pointer
from shared.domain.org_shape import OrgShape
from shared.foundation.errors import MAX_REMOTE_TEXT, StoreConflict, StoreUnavailable, UnreadableRow
from shared.foundation.logs import log as write_log
from shared.store.approved_rows import ApprovedRows
from shared.store.claim_rows import ClaimRows
from shared.store.compare_rows import CompareRows
from shared.store.erasure_rows import ErasureRows
from shared.store.limits import MAX_CHANGES
from shared.store.link_json import link_from_json, link_to_json, pointer_from_json, pointer_to_json
from shared.store.list_rows import (
    audit_rows,
    in_order_of_rows,
    line_from_json,
    retry_entry_from,
    retry_entry_to_json,
    shape_from_json,
    shape_to_json,
    side_state_from_json,
    side_state_to_json,
    unreadable_line,
    unreadable_retry_entry,
)
from shared.store.mass_rows import MassRows
from shared.store.organization_rows import OrganizationRows
from shared.store.own_write_rows import OwnWriteRows
from shared.store.party_rows import PartyRows
from shared.store.pause_rows import PauseRows
from shared.store.row_codec import pack, unpack
from shared.store.rows import Delete, Insert, Put, Replace, Row, Rows
from shared.store.store_state import StoreState, copied_in
from shared.store.stored_values import Entry, RetryEntry, SideState

LINK, POINTER, STATE = "link", "pointer", "state"
ORG_SHAPE = "currencies"
"""The key of the shape. Its first part were the currencies."""
MAX_SIDE_STATE_AGE_SECONDS = 5.0
"""The greatest age that the state of the sides may have when work on a side begins (docs/protocol.md#rows)."""
DEPLOY_AGAIN = "deploy the build that wrote this row, or a newer one, again"


class LinkStore(
    PartyRows, ClaimRows, CompareRows, ErasureRows, OrganizationRows, StoreState, MassRows, ApprovedRows, PauseRows,
    OwnWriteRows,
):  # fmt: skip
    """Implements `shared.sync.ports.Store` on rows. Safe for many threads."""

    def __init__(
        self,
        rows: Rows,
        clock: Callable[[], float] = time.monotonic,
        log: Callable[..., None] = write_log,
    ) -> None:
        """Take any adapter of `Rows`. `clock` returns seconds, for the age of the cached states of the sides.

        `log` writes an event for a row that this build cannot read.
        """
        self._rows = rows
        self._clock = clock
        self._log = log
        self._reading = threading.Lock()
        self._sides: Mapping[str, tuple[SideState, tuple[Any, ...]]] | None = None
        self._sides_until = -math.inf
        self._told: set[tuple[str, str, str]] = set()

    # --- links

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        """Return the link of an opportunity, or None. Raises UnreadableRow."""
        row = self._rows.get(f"O|{opportunity_id}", LINK)
        return Entry(self._decode(row, link_from_json), row.etag, row.age) if row else None

    def links(self, after: str = "") -> Iterator[Entry[Link]]:
        """Iterate over all links that this build can read, by opportunity id; with `after`, those behind that one."""
        for row in self._rows.scan("O|", LINK, after=f"O|{after}" if after else ""):
            with suppress(UnreadableRow):
                yield Entry(self._decode(row, link_from_json), row.etag, row.age)

    def insert_link(self, link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None) -> Entry[Link]:
        """Insert a link that must not exist yet. Raises StoreConflict."""
        return self._write_link(Insert(LINK, pack(link_to_json(link))), link, lines, correlation_id)

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        """Replace the link and add audit lines in one transaction. Raises StoreConflict."""
        link = _with_unknown_keys(entry, link)
        return self._write_link(Replace(LINK, pack(link_to_json(link)), entry.etag), link, lines, correlation_id)

    def _write_link(
        self, change: Insert | Replace, link: Link, lines: Sequence[Line], correlation_id: str | None
    ) -> Entry[Link]:
        if correlation_id is not None:
            lines = [replace(line, correlation_id=correlation_id) for line in lines]
        etag, *_ = self._rows.write(f"O|{link.opportunity_id}", [change, *audit_rows(_storable(lines))])
        return Entry(link, etag or "", timedelta())

    def delete_link(self, entry: Entry[Link]) -> None:
        """Delete the link of an opportunity that must not be synced. Raises StoreConflict."""
        self._rows.write(f"O|{entry.value.opportunity_id}", [Delete(LINK, entry.etag)])

    def audit(self, opportunity_id: str, written: Sequence[Sequence[Line]] | None = None) -> Sequence[Line]:
        """Return the audit lines of an opportunity, newest first.

        Nothing is read if `written` has all of them, by the transaction that stored them.
        """
        if written is not None:
            return in_order_of_rows(_storable(lines) for lines in written)
        return [self._line_from(row) for row in self._rows.list(f"O|{opportunity_id}", prefix="a|")]

    def audit_of_lead(self, referral_id: str) -> Sequence[Line]:
        """Return the audit lines of a lead, newest first."""
        return [self._line_from(row) for row in self._rows.list(_referral_partition(referral_id), prefix="a|")]

    def _line_from(self, row: Row) -> Line:
        try:
            return self._decode(row, line_from_json)
        except UnreadableRow:
            return unreadable_line(row)

    # --- pointers

    def pointer(self, referral_id: str) -> Entry[Pointer] | None:
        """Return the pointer of a referral, or None. Raises UnreadableRow."""
        row = self._rows.get(_referral_partition(referral_id), POINTER)
        return Entry(self._decode(row, pointer_from_json), row.etag, row.age) if row else None

    def pointers(self) -> Iterator[tuple[str, Entry[Pointer]]]:
        """Iterate over all pointers that this build can read, each with its referral id."""
        for row in self._rows.scan("R|", POINTER):
            with suppress(UnreadableRow):
                yield row.partition[2:], Entry(self._decode(row, pointer_from_json), row.etag, row.age)

    def insert_pointer(self, referral_id: str, pointer: Pointer) -> Entry[Pointer]:
        """Insert the pointer of a referral that has none yet. Raises StoreConflict."""
        return self._write_pointer(referral_id, Insert(POINTER, pack(pointer_to_json(pointer))), pointer)

    def replace_pointer(
        self, referral_id: str, entry: Entry[Pointer], pointer: Pointer, lines: Sequence[Line] = ()
    ) -> Entry[Pointer]:
        """Replace a pointer, and add audit lines of its lead in the same transaction. Raises StoreConflict."""
        pointer = _with_unknown_keys(entry, pointer)
        change = Replace(POINTER, pack(pointer_to_json(pointer)), entry.etag)
        return self._write_pointer(referral_id, change, pointer, audit_rows(lines))

    def _write_pointer(
        self, referral_id: str, change: Insert | Replace, pointer: Pointer, further: Sequence[Put] = ()
    ) -> Entry[Pointer]:
        etag, *_ = self._rows.write(_referral_partition(referral_id), [change, *further])
        return Entry(pointer, etag or "", timedelta())

    def delete_pointer(self, referral_id: str, entry: Entry[Pointer]) -> None:
        """Delete a pointer, so that the next try need not wait for the lease. Raises StoreConflict."""
        self._rows.write(_referral_partition(referral_id), [Delete(POINTER, entry.etag)])

    # --- the retry queue

    def retry_entries(self, side: Side, until: datetime, limit: int) -> Sequence[RetryEntry]:
        """Return at most `limit` retry entries of a side whose next attempt is not later than `until`."""
        return [self._retry_entry_from(side, row) for row in self._rows.list(f"due|{side}", until=until, limit=limit)]

    def retry_entry(self, side: Side, key: str) -> RetryEntry | None:
        """Return the retry entry of one pair, or None."""
        row = self._rows.get(f"due|{side}", key)
        return self._retry_entry_from(side, row) if row else None

    def _retry_entry_from(self, side: Side, row: Row) -> RetryEntry:
        try:
            return self._decode(row, lambda stored: retry_entry_from(side, row, stored))
        except UnreadableRow:
            return unreadable_retry_entry(side, row)

    def put_retry_entry(self, entry: RetryEntry) -> None:
        """Write the retry entry of a pair, whether or not it has one."""
        self._rows.write(f"due|{entry.side}", [Put(entry.key, pack(retry_entry_to_json(entry)), entry.at)])

    def write_retry_entry(self, entry: RetryEntry) -> None:
        """Insert a retry entry without an ETag, and replace that of its ETag with another. Raises StoreConflict."""
        data = pack(retry_entry_to_json(entry))
        change = Replace(entry.key, data, entry.etag, entry.at) if entry.etag else Insert(entry.key, data, entry.at)
        self._rows.write(f"due|{entry.side}", [change])

    def remove_retry_entry(self, entry: RetryEntry) -> None:
        """Remove a retry entry under the ETag that it was read with. An entry that changed since then stays."""
        try:
            self._rows.write(f"due|{entry.side}", [Delete(entry.key, entry.etag)])
        except StoreConflict:
            return

    # --- sides, cursors

    def side_state(self, side: Side, *, fresh: bool = False) -> SideState:
        """Return the state of a side as it was at most 5 seconds ago; `fresh` reads it anew, before it is changed.

        One thread reads both sides at once for all threads.
        """
        with self._reading:
            return self._known_sides(fresh=fresh).get(f"side|{side}", (SideState(), ()))[0]

    def write_side_state(self, side: Side, state: SideState) -> None:
        """Write the state of a side for every instance. The other instances see it within 5 seconds."""
        partition = f"side|{side}"
        with self._reading:
            sides = self._known_sides() if self._sides is None else self._sides
            _, further = sides.get(partition, (state, ()))
            self._sides_until = -math.inf
            self._rows.write(partition, [Put(STATE, pack(side_state_to_json(state, further)))])

    def _known_sides(self, *, fresh: bool = False) -> Mapping[str, tuple[SideState, tuple[Any, ...]]]:
        """Return each side's state, and what a later build stored behind it, by partition."""
        now = self._clock()
        if self._sides is None or fresh or now >= self._sides_until:
            self._sides = {row.partition: self._side_state_from(row) for row in self._rows.scan("side|", STATE)}
            self._sides_until = now + MAX_SIDE_STATE_AGE_SECONDS
            self.copied = copied_in(self._sides)
        return self._sides

    def _side_state_from(self, row: Row) -> tuple[SideState, tuple[Any, ...]]:
        try:
            return self._decode(row, side_state_from_json)
        except UnreadableRow:
            return SideState(), ()

    def cursor(self, name: str) -> datetime | None:
        """Return a cursor or heartbeat, or None."""
        row = self._rows.get("cursor", name)
        return _cursor_from(row) if row else None

    def cursors(self) -> Mapping[str, datetime]:
        """Return all cursors and heartbeats, with one read."""
        return {row.key: _cursor_from(row) for row in self._rows.list("cursor")}

    def move_cursor(self, name: str, to: datetime) -> None:
        """Move a cursor or heartbeat to a time."""
        self.move_cursors({name: to})

    def move_cursors(self, to: Mapping[str, datetime]) -> None:
        """Move several cursors or heartbeats, all or none."""
        self._rows.write("cursor", [Put(name, pack(at.astimezone(UTC).isoformat())) for name, at in to.items()])

    def org_shape(self) -> tuple[OrgShape, datetime] | None:
        """Return the org's last answer about its shape, and its time; None if there is none that can be read."""
        row = self._rows.get("org", ORG_SHAPE)
        with suppress(UnreadableRow):
            return self._decode(row, shape_from_json) if row else None
        return None

    def keep_org_shape(self, shape: OrgShape, at: datetime) -> None:
        """Write the org's answer for every instance."""
        self._rows.write("org", [Put(ORG_SHAPE, pack(shape_to_json(shape, at)))])

    # --- rows that this build cannot read

    def _decode[T](self, row: Row, read: Callable[[Any], T]) -> T:
        """Return what `read` makes of a row's JSON. Raises UnreadableRow, and tells it."""
        try:
            return read(unpack(row.data))
        except UnreadableRow as error:
            self._tell(row, error)
            raise
        except ValueError as error:
            unreadable = UnreadableRow(str(error)[:MAX_REMOTE_TEXT], remedy=DEPLOY_AGAIN)
            self._tell(row, unreadable)
            raise unreadable from None

    def _tell(self, row: Row, error: UnreadableRow) -> None:
        """Log a row that cannot be read, once for each of its versions: a run reads most rows several times."""
        version = (row.partition, row.key, row.etag)
        if version in self._told:
            return
        self._told.add(version)
        kind, _, key = row.partition.partition("|")
        is_queued = kind == "due"
        self._log(
            "row_unreadable",
            row="retry" if is_queued else row.key.partition("|")[0],
            key=row.key if is_queued else key,
            problem=error.problem,
            remedy=error.remedy,
        )

    # --- the test of storage

    def probe(self) -> None:
        """Write, read back and remove a row, to test storage. Raises StoreUnavailable, StoreConflict."""
        key = secrets.token_hex(8)
        self._rows.write("probe", [Insert(key, pack(key))])
        row = self._rows.get("probe", key)
        if row is None or unpack(row.data) != key:
            raise StoreUnavailable("storage does not return what was written")
        self._rows.write("probe", [Delete(key, row.etag)])


def _cursor_from(row: Row) -> datetime:
    return datetime.fromisoformat(unpack(row.data))


def _with_unknown_keys[T: (Link, Pointer)](entry: Entry[T], value: T) -> T:
    """Return what is written in place of an entry, with the keys of the entry that this build does not know."""
    return replace(value, unknown={**entry.value.unknown, **value.unknown}) if entry.value.unknown else value


def _storable(lines: Sequence[Line]) -> Sequence[Line]:
    """Return the lines that one transaction has room for, beside the link."""
    return lines if len(lines) < MAX_CHANGES else fold_lines(lines, MAX_CHANGES - 1)


def _referral_partition(referral_id: str) -> str:
    return f"R|{referral_id.lower()}"
