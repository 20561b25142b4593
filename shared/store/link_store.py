"""Store links with their audit lines, pointers, claims, the retry queue, the states of the sides, and cursors as rows.

partition                key                     row
O|<opportunity id>       link                    the link, which is also the lock of the pair
O|<opportunity id>       a|<newest first>        an audit line, written in one transaction with the link
R|<referral id>          pointer                 the opportunity of the referral, or the intent to create it
A|<account match key>    claim                   an instance is looking up the account, and creates it if it is missing
due|<side>               <pair>                  retry queue: next attempt, cause, number of attempts
side|<side>              state                   paused until when and why, number of parallel calls
cursor                   <name>                  cursors and heartbeats
owner                    salesforce              the Salesforce organisation that this store belongs to
probe                    <random>                written and removed at once, to test whether storage works

The rules behind these rows: docs/protocol.md#what-is-stored.
"""

import hashlib
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from shared.domain.deal import Side
from shared.domain.link import Link, Pointer
from shared.foundation.errors import StoreConflict, StoreUnavailable
from shared.store.link_json import link_from_json, link_to_json, pointer_from_json, pointer_to_json
from shared.store.row_codec import pack, unpack
from shared.store.rows import Delete, Insert, Put, Replace, Row, Rows
from shared.store.stored_values import Entry, Line, RetryEntry, SideState

LINK, POINTER, CLAIM, STATE, SALESFORCE = "link", "pointer", "claim", "state", "salesforce"
FAR_FUTURE_MILLISECONDS = 9_999_999_999_999
"""A time later than any audit line. A key holds the difference to it, so that the newest line comes first."""
MAX_SIDE_STATE_AGE_SECONDS = 5.0
"""The greatest age that the state of the sides may have when work on a side begins (docs/protocol.md#rows)."""


class LinkStore:
    """Implements `shared.sync.ports.Store` on rows. Safe for many threads."""

    def __init__(self, rows: Rows, clock: Callable[[], float] = time.monotonic) -> None:
        """Take any adapter of `Rows`. `clock` returns seconds, for the age of the cached states of the sides."""
        self._rows = rows
        self._clock = clock
        self._reading = threading.Lock()
        self._sides: Mapping[str, SideState] = {}
        self._sides_until = -math.inf

    # --- links

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        """Return the link of an opportunity, or None."""
        row = self._rows.get(f"O|{opportunity_id}", LINK)
        return _link_entry(row) if row else None

    def links(self) -> Iterator[Entry[Link]]:
        """Iterate over all links."""
        return map(_link_entry, self._rows.scan("O|", LINK))

    def insert_link(self, link: Link, lines: Sequence[Line] = ()) -> Entry[Link]:
        """Insert a link that must not exist yet. Raises StoreConflict."""
        return self._write_link(Insert(LINK, pack(link_to_json(link))), link, lines)

    def replace_link(self, entry: Entry[Link], link: Link, lines: Sequence[Line] = ()) -> Entry[Link]:
        """Replace the link and add audit lines in one transaction. Raises StoreConflict."""
        return self._write_link(Replace(LINK, pack(link_to_json(link)), entry.etag), link, lines)

    def _write_link(self, change: Insert | Replace, link: Link, lines: Sequence[Line]) -> Entry[Link]:
        audit = [
            Put(_audit_key(line, number), pack([line.at.isoformat(), line.text])) for number, line in enumerate(lines)
        ]
        etag, *_ = self._rows.write(f"O|{link.opportunity_id}", [change, *audit])
        return Entry(link, etag or "", timedelta())

    def delete_link(self, entry: Entry[Link]) -> None:
        """Delete the link of an opportunity that must not be synced. Raises StoreConflict."""
        self._rows.write(f"O|{entry.value.opportunity_id}", [Delete(LINK, entry.etag)])

    def audit(self, opportunity_id: str) -> Sequence[Line]:
        """Return the audit lines of an opportunity, newest first."""
        rows = self._rows.list(f"O|{opportunity_id}", prefix="a|")
        return [Line(datetime.fromisoformat(at), text) for at, text in (unpack(row.data) for row in rows)]

    # --- pointers

    def pointer(self, referral_id: str) -> Entry[Pointer] | None:
        """Return the pointer of a referral, or None."""
        row = self._rows.get(_referral_partition(referral_id), POINTER)
        return Entry(pointer_from_json(unpack(row.data)), row.etag, row.age) if row else None

    def insert_pointer(self, referral_id: str, pointer: Pointer) -> Entry[Pointer]:
        """Insert the pointer of a referral that has none yet. Raises StoreConflict."""
        return self._write_pointer(referral_id, Insert(POINTER, pack(pointer_to_json(pointer))), pointer)

    def replace_pointer(self, referral_id: str, entry: Entry[Pointer], pointer: Pointer) -> Entry[Pointer]:
        """Replace a pointer. Raises StoreConflict."""
        change = Replace(POINTER, pack(pointer_to_json(pointer)), entry.etag)
        return self._write_pointer(referral_id, change, pointer)

    def _write_pointer(self, referral_id: str, change: Insert | Replace, pointer: Pointer) -> Entry[Pointer]:
        (etag,) = self._rows.write(_referral_partition(referral_id), [change])
        return Entry(pointer, etag or "", timedelta())

    def delete_pointer(self, referral_id: str, entry: Entry[Pointer]) -> None:
        """Delete a pointer, so that the next try need not wait for the lease. Raises StoreConflict."""
        self._rows.write(_referral_partition(referral_id), [Delete(POINTER, entry.etag)])

    # --- claims on accounts

    def claim_account(self, key: str, lease: timedelta) -> Entry[None] | None:
        """Claim an account's match key. Returns None while another claim is younger than `lease`."""
        partition = f"A|{_hashed_key(key)}"
        row = self._rows.get(partition, CLAIM)
        if row and row.age < lease:
            return None
        change = Replace(CLAIM, pack(None), row.etag) if row else Insert(CLAIM, pack(None))
        try:
            (etag,) = self._rows.write(partition, [change])
        except StoreConflict:
            return None
        return Entry(None, etag or "", timedelta())

    def release_account(self, key: str, claim: Entry[None]) -> None:
        """Release the claim. If another instance has taken it over, nothing changes."""
        try:
            self._rows.write(f"A|{_hashed_key(key)}", [Delete(CLAIM, claim.etag)])
        except StoreConflict:
            return

    # --- the retry queue

    def retry_entries(self, side: Side, until: datetime, limit: int) -> Sequence[RetryEntry]:
        """Return at most `limit` retry entries of a side whose next attempt is not later than `until`."""
        return [_retry_entry_from(side, row) for row in self._rows.list(f"due|{side}", until=until, limit=limit)]

    def retry_entry(self, side: Side, key: str) -> RetryEntry | None:
        """Return the retry entry of one pair, or None."""
        row = self._rows.get(f"due|{side}", key)
        return _retry_entry_from(side, row) if row else None

    def put_retry_entry(self, entry: RetryEntry) -> None:
        """Write the retry entry of a pair, whether or not it has one."""
        since = entry.since.isoformat() if entry.since else None
        self._rows.write(f"due|{entry.side}", [Put(entry.key, pack([entry.cause, entry.attempts, since]), entry.at)])

    def remove_retry_entry(self, entry: RetryEntry) -> None:
        """Remove a retry entry under the ETag that it was read with. An entry that changed since then stays."""
        try:
            self._rows.write(f"due|{entry.side}", [Delete(entry.key, entry.etag)])
        except StoreConflict:
            return

    # --- sides, cursors, owner

    def side_state(self, side: Side, *, fresh: bool = False) -> SideState:
        """Return the state of a side as it was at most 5 seconds ago; `fresh` reads it anew, before it is changed.

        One thread reads both sides at once for all threads.
        """
        with self._reading:
            now = self._clock()
            if fresh or now >= self._sides_until:
                self._sides = {row.partition: _side_state_from(row) for row in self._rows.scan("side|", STATE)}
                self._sides_until = now + MAX_SIDE_STATE_AGE_SECONDS
            return self._sides.get(f"side|{side}", SideState())

    def write_side_state(self, side: Side, state: SideState) -> None:
        """Write the state of a side for every instance. The other instances see it within 5 seconds."""
        until = state.paused_until.isoformat() if state.paused_until else None
        with self._reading:
            self._sides_until = -math.inf
            self._rows.write(f"side|{side}", [Put(STATE, pack([until, state.reason, state.parallelism]))])

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

    def owner(self, organization_id: str) -> str:
        """Return the Salesforce organisation that this store belongs to: the one of the very first call."""
        try:
            self._rows.write("owner", [Insert(SALESFORCE, pack(organization_id))])
        except StoreConflict:
            row = self._rows.get("owner", SALESFORCE)
            return str(unpack(row.data)) if row else organization_id
        return organization_id

    # --- the test of storage

    def probe(self) -> None:
        """Write, read back and remove a row, to test storage. Raises StoreUnavailable, StoreConflict."""
        key = secrets.token_hex(8)
        self._rows.write("probe", [Insert(key, pack(key))])
        row = self._rows.get("probe", key)
        if row is None or unpack(row.data) != key:
            raise StoreUnavailable("storage does not return what was written")
        self._rows.write("probe", [Delete(key, row.etag)])


def _link_entry(row: Row) -> Entry[Link]:
    return Entry(link_from_json(unpack(row.data)), row.etag, row.age)


def _retry_entry_from(side: Side, row: Row) -> RetryEntry:
    cause, attempts, since = unpack(row.data)
    at = row.at or datetime.min.replace(tzinfo=UTC)
    return RetryEntry(side, row.key, at, cause, attempts, row.etag, datetime.fromisoformat(since) if since else None)


def _side_state_from(row: Row) -> SideState:
    until, reason, parallelism = unpack(row.data)
    return SideState(datetime.fromisoformat(until) if until else None, reason, parallelism)


def _cursor_from(row: Row) -> datetime:
    return datetime.fromisoformat(unpack(row.data))


def _audit_key(line: Line, number: int) -> str:
    """Return the key of an audit line. Newer lines sort first; lines that are written together keep their order."""
    millisecond = FAR_FUTURE_MILLISECONDS - int(line.at.timestamp() * 1000)
    return f"a|{millisecond:013d}|{number:03d}|{_hashed_key(line.text)[:8]}"


def _referral_partition(referral_id: str) -> str:
    return f"R|{referral_id.lower()}"


def _hashed_key(text: str) -> str:
    """Return a key of fixed length that holds no personal data."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
