"""Keep copies of the store: one a day, and as many days as the settings say. It works in every mode of the sync.

The newest copies are kept whatever their age, so that a copy that fails for weeks deletes none. A copy that was
interrupted is never seen (`shared/store/copies.py`).

Source: docs/protocol.md#copies-of-the-store.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from secrets import token_hex
from typing import IO

from msgspec.json import decode, encode

from shared import __version__
from shared.app import App
from shared.domain.deal import Side
from shared.domain.erasure import Erasures
from shared.foundation.errors import CosellError, NotFound
from shared.foundation.logs import CURRENT_RUN, failure_fields, log
from shared.store.copies import ERASED, Copies, copy_name, time_of_copy
from shared.store.open_copies import open_copies
from shared.store.store_copy import CopyFacts, write_copy
from shared.store.store_state import IMPORT

RUN = "copy"
ALWAYS_KEPT = 3
"""The newest copies: they are never deleted."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def run_daily_copy(app: App, now: Callable[[], datetime] = _utc_now) -> bool:
    """Write the copy of the day, and delete the copies that are too old. Returns whether there is one.

    No `CosellError` is raised: it is logged as `run_failed`. While a copy is being imported, none is written.
    """
    token = CURRENT_RUN.set(token_hex(16))
    try:
        if is_being_imported(app):
            log("run_skipped", run=RUN, reason=IMPORT)
            return False
        keep_copy(app, copies_of(app), now())
    except CosellError as error:
        log("run_failed", **failure_fields(error, CURRENT_RUN.get()), run=RUN)
        return False
    finally:
        CURRENT_RUN.reset(token)
    return True


def is_being_imported(app: App) -> bool:
    """Whether a copy is being imported into the store, so that its rows must be left alone."""
    app.store.side_state(Side.SALESFORCE, fresh=True)
    return app.store.copied is not None and app.store.copied.imported is None


def keep_copy(app: App, copies: Copies, now: datetime) -> CopyFacts:
    """Write a copy to its place, then delete the copies that are too old. Raises the errors of the store."""
    started = time.monotonic()
    _keep_erasures(app, copies)
    facts = copies.write(copy_name(now), lambda out: export_store(app, out, now))
    seconds = round(time.monotonic() - started, 1)
    deleted = _delete_old(copies, now - timedelta(days=app.settings.guards.backup_retention_days))
    log("store_copied", rows=facts.count, seconds=seconds, deleted=deleted)
    return facts


def keep_erasures(app: App) -> None:
    """Keep beside the copies what was purged and forgotten, so that an import of any copy erases it again.

    The list never gets shorter, also if the table was lost. Raises the errors of the store.
    """
    _keep_erasures(app, copies_of(app))


def _keep_erasures(app: App, copies: Copies) -> None:
    known = read_erasures(copies).joined(app.store.erasures())
    copies.write(ERASED, lambda out: out.write(encode(known)))


def read_erasures(copies: Copies) -> Erasures:
    """What was purged and forgotten, as it is kept beside the copies; nothing where there is no list."""
    into = BytesIO()
    try:
        copies.read(ERASED, into)
    except NotFound:
        return Erasures()
    return decode(into.getvalue(), type=Erasures)


def export_store(app: App, out: IO[bytes], now: datetime) -> CopyFacts:
    """Write a copy of the store into a file. Raises StoreUnavailable."""
    return write_copy(app.rows, out, began=now, build=__version__)


def copies_of(app: App) -> Copies:
    """The place where this app keeps its copies. Raises ConfigurationError, StoreUnavailable."""
    return open_copies(app.settings.guards, app.settings.store, app.settings.vault)


def newest_copy(copies: Copies) -> str | None:
    """The name of the newest copy."""
    return max((name for name in copies.names() if time_of_copy(name)), default=None)


def _delete_old(copies: Copies, before: datetime) -> int:
    known = [(at, name) for name in copies.names() if (at := time_of_copy(name))]
    old = [name for at, name in sorted(known)[:-ALWAYS_KEPT] if at < before]
    for name in old:
        copies.delete(name)
    return len(old)
