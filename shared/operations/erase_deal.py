"""Erases values of one deal in the store, under the ETag of its link, which is the lock of the pair.

A link with an intent belongs to the worker that wrote it, or to the one that recovers it: it is not touched.

Source: docs/protocol.md#personal-data.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import replace

from shared.domain.audit import Line
from shared.domain.link import Link, Pointer
from shared.store.erasure_rows import StoredLine
from shared.sync.erasure_ports import ErasureStore
from shared.sync.ports import Entry

Change = Callable[[Line], Line]
"""What becomes of an audit line."""


def erase_in_deal(
    store: ErasureStore, entry: Entry[Link], erased: Link, change: Change, *, is_purge: bool = False
) -> int:
    """Put the `erased` link in place of another, and change its lines; returns how many lines changed.

    If lines changed, the opportunity does not show them yet. Raises StoreConflict: another instance was faster.
    """
    lines = changed_lines(store.stored_lines(entry.value.opportunity_id), change, is_purge=is_purge)
    link = replace(erased, unwritten=True) if lines else erased
    if lines or link != entry.value:
        store.erase_link(entry, link, lines)
    return len(lines)


def erase_in_lead(
    store: ErasureStore,
    referral_id: str,
    entry: Entry[Pointer],
    erased: Pointer,
    change: Change,
    *,
    is_purge: bool = False,
) -> None:
    """The same for the pointer of a referral and the audit lines of its lead, whose record is not written again."""
    lines = changed_lines(store.stored_lines_of_lead(referral_id), change, is_purge=is_purge)
    if lines or erased != entry.value:
        store.erase_pointer(referral_id, entry, erased, lines)


def changed_lines(stored: Sequence[StoredLine], change: Change, *, is_purge: bool = False) -> list[StoredLine]:
    """The lines that change. A purge replaces a line that nobody can read; nothing can be looked for in it."""
    return list(_changed(stored, change, is_purge=is_purge))


def _changed(stored: Sequence[StoredLine], change: Change, *, is_purge: bool) -> Iterator[StoredLine]:
    for one in stored:
        if not one.is_readable:
            if is_purge:
                yield one
        elif (line := change(one.line)) != one.line:
            yield replace(one, line=line)
