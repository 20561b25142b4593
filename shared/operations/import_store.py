"""Put a copy into the store of this environment, while the app is paused (`shared/store/import_copy.py`).

Source: docs/protocol.md#copies-of-the-store.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import IO

from msgspec import Struct

from shared.app import App
from shared.operations.copy_store import copies_of, read_erasures
from shared.operations.erase_again import erase_again
from shared.store.import_copy import Import
from shared.store.store_copy import CopiedRow, CopyFacts

PARALLEL_WRITES = 16


class Imported(Struct, frozen=True):
    """What an import did. `is_repeated`: this copy was in the store already, and nothing was written."""

    inserted: int
    is_repeated: bool = False


def import_store(
    app: App,
    source: IO[bytes],
    facts: CopyFacts,
    report_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Imported:
    """Import a copy that was checked. Raises ConfigurationError, and what Salesforce and the store raise."""
    imported = Import(app.rows, facts)
    if imported.is_done:
        imported.end_pause()
        return Imported(0, is_repeated=True)
    imported.begin(app.salesforce.organization_id())
    source.seek(0)
    with ThreadPoolExecutor(PARALLEL_WRITES) as pool:
        inserted = imported.insert_rows(source, partial(_write_all, pool, _Progress(facts.count, report_progress)))
    # The list of the container may be newer than the copy; the copy has its own.
    erase_again(app.store, read_erasures(copies_of(app)).joined(app.store.erasures()))
    imported.finish(datetime.now(UTC))
    return Imported(inserted)


class _Progress(Struct):
    """Counts rows, for the person who waits."""

    total: int
    report: Callable[[int, int], None]
    done: int = 0

    def add(self, rows: int) -> None:
        """Report more rows."""
        self.done += rows
        self.report(self.done, self.total)


def _write_all(
    pool: ThreadPoolExecutor,
    progress: _Progress,
    insert: Callable[[Sequence[CopiedRow]], int],
    groups: Iterable[Sequence[CopiedRow]],
) -> Iterable[int]:
    listed = list(groups)
    results = [*pool.map(insert, listed)]
    progress.add(sum(map(len, listed)))
    return results
