"""The store's rows by meaning: links with their audit lines, pointers, claims, the due list, sides, cursors.

partition                key                     row
O|<opportunity id>       link                    the link: also the lock of the pair
O|<opportunity id>       a|<newest first>        an audit line, written in one transaction with the link
R|<referral id>          pointer                 where the referral leads, or the intent to make its opportunity
A|<account match key>    claim                   somebody is looking the account up, and making it
due|<side>               <pair>                  next attempt, cause, attempts
side|<side>              state                   paused until, reason, parallelism
cursor                   <name>                  cursors and heartbeats
owner                    salesforce              the organisation this store belongs to
probe                    <of one probe>          written and removed at once: does storage work?
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
from shared.store.stored_values import Due, Entry, Line, SideState

LINK, POINTER, CLAIM, STATE, SALESFORCE = "link", "pointer", "claim", "state", "salesforce"
FAR_FUTURE_MILLISECONDS = 9_999_999_999_999
"""Later than any line in milliseconds: taken off, so that the order of the keys is newest first."""
MAX_SIDE_STATE_AGE_SECONDS = 5.0
"""How old the state of the sides may be that work begins with (protocol.md section 2)."""


class LinkStore:
    """Implements `shared.sync.ports.Store` on rows. Safe for many threads."""

    def __init__(self, rows: Rows, clock: Callable[[], float] = time.monotonic) -> None:
        """Any adapter of the row contract will do; `clock` tells seconds, for the age of what is kept of the sides."""
        self._rows = rows
        self._clock = clock
        self._reading = threading.Lock()
        self._sides: Mapping[str, SideState] = {}
        self._sides_until = -math.inf

    # --- links

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        """The link of an opportunity."""
        row = self._rows.get(f"O|{opportunity_id}", LINK)
        return _link_entry(row) if row else None

    def links(self) -> Iterator[Entry[Link]]:
        """All links."""
        return map(_link_entry, self._rows.scan("O|", LINK))

    def insert_link(self, link: Link, lines: Sequence[Line] = ()) -> Entry[Link]:
        """Make the link that must not exist yet. Raises StoreConflict."""
        return self._write_link(Insert(LINK, pack(link_to_json(link))), link, lines)

    def replace_link(self, entry: Entry[Link], link: Link, lines: Sequence[Line] = ()) -> Entry[Link]:
        """Change the link and add audit lines, in one transaction. Raises StoreConflict."""
        return self._write_link(Replace(LINK, pack(link_to_json(link)), entry.etag), link, lines)

    def _write_link(self, change: Insert | Replace, link: Link, lines: Sequence[Line]) -> Entry[Link]:
        audit = [
            Put(_audit_key(line, number), pack([line.at.isoformat(), line.text])) for number, line in enumerate(lines)
        ]
        etag, *_ = self._rows.write(f"O|{link.opportunity_id}", [change, *audit])
        return Entry(link, etag or "", timedelta())

    def delete_link(self, entry: Entry[Link]) -> None:
        """Forget a link that came to nothing. Raises StoreConflict."""
        self._rows.write(f"O|{entry.value.opportunity_id}", [Delete(LINK, entry.etag)])

    def audit(self, opportunity_id: str) -> Sequence[Line]:
        """The audit lines, newest first."""
        rows = self._rows.list(f"O|{opportunity_id}", prefix="a|")
        return [Line(datetime.fromisoformat(at), text) for at, text in (unpack(row.data) for row in rows)]

    # --- pointers

    def pointer(self, referral_id: str) -> Entry[Pointer] | None:
        """Where a referral leads."""
        row = self._rows.get(_referral_partition(referral_id), POINTER)
        return Entry(pointer_from_json(unpack(row.data)), row.etag, row.age) if row else None

    def insert_pointer(self, referral_id: str, pointer: Pointer) -> Entry[Pointer]:
        """Claim a referral that nobody has. Raises StoreConflict."""
        return self._write_pointer(referral_id, Insert(POINTER, pack(pointer_to_json(pointer))), pointer)

    def replace_pointer(self, referral_id: str, entry: Entry[Pointer], pointer: Pointer) -> Entry[Pointer]:
        """Change a pointer. Raises StoreConflict."""
        change = Replace(POINTER, pack(pointer_to_json(pointer)), entry.etag)
        return self._write_pointer(referral_id, change, pointer)

    def _write_pointer(self, referral_id: str, change: Insert | Replace, pointer: Pointer) -> Entry[Pointer]:
        (etag,) = self._rows.write(_referral_partition(referral_id), [change])
        return Entry(pointer, etag or "", timedelta())

    def delete_pointer(self, referral_id: str, entry: Entry[Pointer]) -> None:
        """Let go of a claim that came to nothing. Raises StoreConflict."""
        self._rows.write(_referral_partition(referral_id), [Delete(POINTER, entry.etag)])

    # --- claims on accounts

    def claim_account(self, key: str, lease: timedelta) -> Entry[None] | None:
        """Claim an account's match key; None while another claim is alive."""
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
        """Let go of the claim; one that somebody took over in the meantime is his."""
        try:
            self._rows.write(f"A|{_hashed_key(key)}", [Delete(CLAIM, claim.etag)])
        except StoreConflict:
            return

    # --- the due list

    def retry_entries(self, side: Side, until: datetime, limit: int) -> Sequence[RetryEntry]:
        """Pairs whose next attempt is not later than `until`."""
        return [_due_from(side, row) for row in self._rows.list(f"due|{side}", until=until, limit=limit)]

    def retry_entry(self, side: Side, key: str) -> RetryEntry | None:
        """The due row of one pair."""
        row = self._rows.get(f"due|{side}", key)
        return _due_from(side, row) if row else None

    def put_retry_entry(self, due: RetryEntry) -> None:
        """Make or replace a pair's due row."""
        since = due.since.isoformat() if due.since else None
        self._rows.write(f"due|{due.side}", [Put(due.key, pack([due.cause, due.attempts, since]), due.at)])

    def remove_retry_entry(self, due: RetryEntry) -> None:
        """Remove a due row under the ETag it was read with; a row that changed since stays."""
        try:
            self._rows.write(f"due|{due.side}", [Delete(due.key, due.etag)])
        except StoreConflict:
            return

    # --- sides, cursors, owner

    def side_state(self, side: Side, *, fresh: bool = False) -> SideState:
        """How a side is doing: as it was at most 5 seconds ago, or `fresh`, for who is to change it.

        Both sides are read at once, by one thread for all.
        """
        with self._reading:
            now = self._clock()
            if fresh or now >= self._sides_until:
                self._sides = {row.partition: _side_state_from(row) for row in self._rows.scan("side|", STATE)}
                self._sides_until = now + MAX_SIDE_STATE_AGE_SECONDS
            return self._sides.get(f"side|{side}", SideState())

    def write_side_state(self, side: Side, state: SideState) -> None:
        """Tell every instance how a side is doing; the others know within 5 seconds."""
        until = state.paused_until.isoformat() if state.paused_until else None
        with self._reading:
            self._sides_until = -math.inf
            self._rows.write(f"side|{side}", [Put(STATE, pack([until, state.reason, state.parallelism]))])

    def cursor(self, name: str) -> datetime | None:
        """A cursor or heartbeat."""
        row = self._rows.get("cursor", name)
        return _cursor_from(row) if row else None

    def cursors(self) -> Mapping[str, datetime]:
        """All cursors and heartbeats, in one read."""
        return {row.key: _cursor_from(row) for row in self._rows.list("cursor")}

    def move_cursor(self, name: str, to: datetime) -> None:
        """Move a cursor or heartbeat."""
        self.move_cursors({name: to})

    def move_cursors(self, to: Mapping[str, datetime]) -> None:
        """Move several, all or none."""
        self._rows.write("cursor", [Put(name, pack(at.astimezone(UTC).isoformat())) for name, at in to.items()])

    def owner(self, organization_id: str) -> str:
        """The Salesforce organisation this store belongs to: the one given at the very first call."""
        try:
            self._rows.write("owner", [Insert(SALESFORCE, pack(organization_id))])
        except StoreConflict:
            row = self._rows.get("owner", SALESFORCE)
            return str(unpack(row.data)) if row else organization_id
        return organization_id

    # --- whether it works at all

    def probe(self) -> None:
        """Write, read back and remove a row of its own. Raises StoreUnavailable, StoreConflict."""
        key = secrets.token_hex(8)
        self._rows.write("probe", [Insert(key, pack(key))])
        row = self._rows.get("probe", key)
        if row is None or unpack(row.data) != key:
            raise StoreUnavailable("storage does not give back what was written")
        self._rows.write("probe", [Delete(key, row.etag)])


def _link_entry(row: Row) -> Entry[Link]:
    return Entry(link_from_json(unpack(row.data)), row.etag, row.age)


def _due_from(side: Side, row: Row) -> Due:
    cause, attempts, since = unpack(row.data)
    at = row.at or datetime.min.replace(tzinfo=UTC)
    return RetryEntry(side, row.key, at, cause, attempts, row.etag, datetime.fromisoformat(since) if since else None)


def _side_state_from(row: Row) -> SideState:
    until, reason, parallelism = unpack(row.data)
    return SideState(datetime.fromisoformat(until) if until else None, reason, parallelism)


def _cursor_from(row: Row) -> datetime:
    return datetime.fromisoformat(unpack(row.data))


def _audit_key(line: Line, number: int) -> str:
    """Newest first; of lines written together the first stays first."""
    millisecond = FAR_FUTURE_MILLISECONDS - int(line.at.timestamp() * 1000)
    return f"a|{millisecond:013d}|{number:03d}|{_hashed_key(line.text)[:8]}"


def _referral_partition(referral_id: str) -> str:
    return f"R|{referral_id.lower()}"


def _hashed_key(text: str) -> str:
    """A key of fixed length without personal data."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
