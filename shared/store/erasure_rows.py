"""Store what was erased, and rewrite audit lines without the values that are erased.

partition              key             row
erased                 O|<id>          when the personal values of a closed deal were purged
erased                 R|<id>          the same of a lead
erased                 salt            the key of new hashes, random
erased                 p|<hash>        by the hash of a person's address: the hashes of their traces, and the key

A line that changes gets another key, because the key of a line holds a hash of its text. The link, or the pointer,
which is the lock, is replaced under its ETag in each transaction. That a deal is purged is noted last, in a partition
that one read lists: where the note is missing, the work may not be complete, and is done again.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from msgspec import Struct, ValidationError, convert

from shared.domain.audit import Line
from shared.domain.erasure import Erasures
from shared.domain.link import Link, Pointer
from shared.foundation.errors import StoreConflict, UnreadableRow
from shared.store.limits import MAX_TRANSACTION_BYTES, transaction_size
from shared.store.link_json import link_to_json, pointer_to_json
from shared.store.list_rows import UNREADABLE_LINE, line_from_json, line_to_json, unreadable_line
from shared.store.row_codec import pack, unpack
from shared.store.rows import Delete, Insert, Put, Replace, Row, RowChange, Rows
from shared.store.stored_values import Entry

LINK_KEY, POINTER_KEY = "link", "pointer"
ERASED, SALT, PERSON, DEAL, LEAD = "erased", "salt", "p|", "O|", "R|"
CHANGES_OF_A_LINE, LINES_TOGETHER = 2, 49
"""Each line is two changes of a transaction: one is left for the lock."""


class StoredLine(Struct, frozen=True):
    """An audit line as it is stored, with the key and the ETag of its row."""

    key: str
    etag: str
    line: Line
    is_readable: bool = True


class ErasureRows:
    """Part of `shared.store.link_store.LinkStore`: what is erased."""

    _rows: Rows

    def purged_deals(self) -> Mapping[str, datetime]:
        """Return when the personal values of closed deals were purged, by opportunity id."""
        return dict(self._marks(DEAL))

    def purged_leads(self) -> Mapping[str, datetime]:
        """Return when what is known of leads was purged, by referral id."""
        return dict(self._marks(LEAD))

    def _marks(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        for row in self._rows.list(ERASED, prefix=prefix):
            yield row.key.removeprefix(prefix), datetime.fromisoformat(unpack(row.data)["at"])

    def salt(self) -> str:
        """Return the key of new hashes in this store; the first call makes it."""
        row = self._rows.get(ERASED, SALT)
        if row is None:
            with suppress(StoreConflict):
                self._rows.write(ERASED, [Insert(SALT, pack(secrets.token_hex(16)))])
            row = self._rows.get(ERASED, SALT)
        return str(unpack(row.data)) if row else ""

    def forgotten(self) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
        """Return the hashes of the traces of forgotten persons, by the key of the hashes and that of their address."""
        found: dict[str, dict[str, Mapping[str, int]]] = {}
        for row in self._rows.list(ERASED, prefix=PERSON):
            stored = unpack(row.data)
            found.setdefault(stored["salt"], {})[row.key.removeprefix(PERSON)] = stored["words"]
        return found

    def keep_forgotten(self, salt: str, person: str, words: Mapping[str, int]) -> None:
        """Remember the hashes of a person's traces, beside those that are known."""
        known = {**self.forgotten().get(salt, {}).get(person, {}), **words}
        self._rows.write(ERASED, [Put(f"{PERSON}{person}", pack({"salt": salt, "words": known}))])

    def erasures(self) -> Erasures:
        """Return what was erased so far."""
        return Erasures(self.purged_deals(), self.purged_leads(), self.forgotten())

    def stored_lines(self, opportunity_id: str) -> Sequence[StoredLine]:
        """Return the audit lines of an opportunity with their keys, newest first."""
        return self._lines_of(f"O|{opportunity_id}")

    def stored_lines_of_lead(self, referral_id: str) -> Sequence[StoredLine]:
        """Return the audit lines of a lead with their keys, newest first."""
        return self._lines_of(f"R|{referral_id.lower()}")

    def _lines_of(self, partition: str) -> Sequence[StoredLine]:
        return [_stored_line(row) for row in self._rows.list(partition, prefix="a|")]

    def erase_link(self, entry: Entry[Link], link: Link, lines: Sequence[StoredLine]) -> None:
        """Replace a link and those of its audit lines that change. Raises StoreConflict: then a part may be done.

        `lines` are as they are to be.
        """
        partition = f"O|{entry.value.opportunity_id}"
        self._erase(partition, _Lock(LINK_KEY, pack(link_to_json(link)), entry.etag), lines)

    def erase_pointer(
        self, referral_id: str, entry: Entry[Pointer], pointer: Pointer, lines: Sequence[StoredLine]
    ) -> None:
        """Replace a pointer and those audit lines of its lead that change, as `erase_link`."""
        lock = _Lock(POINTER_KEY, pack(pointer_to_json(pointer)), entry.etag)
        self._erase(f"R|{referral_id.lower()}", lock, lines)

    def _erase(self, partition: str, lock: "_Lock", lines: Sequence[StoredLine]) -> None:
        etag = lock.etag
        for batch in [*batched(lines, LINES_TOGETHER, strict=False)] or [()]:
            for changes in _parts_that_fit(lock, [*_rewritten(batch)]):
                etag = self._rows.write(partition, [Replace(lock.key, lock.data, etag), *changes])[0] or ""

    def note_purged_deal(self, opportunity_id: str, at: datetime) -> None:
        """Note that a deal is purged."""
        self._note(f"{DEAL}{opportunity_id}", at)

    def note_purged_lead(self, referral_id: str, at: datetime) -> None:
        """Note that what is known of a lead is purged."""
        self._note(f"{LEAD}{referral_id.lower()}", at)

    def _note(self, key: str, at: datetime) -> None:
        self._rows.write(ERASED, [Put(key, pack({"at": at.astimezone(UTC).isoformat()}))])

    def delete_stale_claims(self, is_stale: Callable[[Row], bool]) -> None:
        """Delete the claims on accounts whose worker stopped: their key is a hash of the customer's name."""
        for row in self._rows.scan("A|", "claim"):
            if is_stale(row):
                self._rows.write(row.partition, [Delete(row.key, row.etag)])


class _Lock(Struct, frozen=True):
    """The row under whose ETag the others of its partition change."""

    key: str
    data: bytes
    etag: str


def _parts_that_fit(lock: _Lock, changes: Sequence[RowChange]) -> Iterator[Sequence[RowChange]]:
    """The changes of one batch as one transaction, or else those of each line as one: a line may hold long texts."""
    if transaction_size([Replace(lock.key, lock.data, lock.etag), *changes]) <= MAX_TRANSACTION_BYTES:
        yield changes
    else:
        yield from batched(changes, CHANGES_OF_A_LINE, strict=True)


def _rewritten(lines: Sequence[StoredLine]) -> Iterator[RowChange]:
    """The changes that put each line under another key, in the same place of the order.

    Two digits of the hash stay, which tell nothing, and keep the order of lines of one moment.
    """
    for one in lines:
        place, _, digits = one.key.rpartition("|")
        yield Delete(one.key, one.etag)
        yield Insert(f"{place}|{digits[:2]}{secrets.token_hex(3)}", pack(line_to_json(one.line)))


def _stored_line(row: Row) -> StoredLine:
    """The line of a row; of a later build's, whose sentence is not known, what can be read of it."""
    try:
        stored = unpack(row.data)
    except UnreadableRow:
        return StoredLine(row.key, row.etag, unreadable_line(row), is_readable=False)
    try:
        return StoredLine(row.key, row.etag, line_from_json(stored))
    except ValueError:
        line = _line_of_later_build(stored) or unreadable_line(row)
        return StoredLine(row.key, row.etag, line, is_readable=line.code != UNREADABLE_LINE)


def _line_of_later_build(stored: Any) -> Line | None:  # noqa: ANN401 - JSON of any shape
    try:
        return convert(stored, Line)
    except ValidationError:
        return None
