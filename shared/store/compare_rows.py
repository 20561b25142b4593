"""Store how far the daily compare has come, as a row, so that a later run goes on where one has stopped.

partition    key         row
compare      progress    the phase, the place in it, and what was counted up to there

The row is a hint: where it is lost, the compare begins anew (docs/protocol.md#the-daily-compare).
"""

from datetime import datetime
from typing import Any

from shared.foundation.errors import UnreadableRow
from shared.store.row_codec import pack, unpack
from shared.store.rows import Put, Rows
from shared.store.stored_values import CompareProgress

COMPARE, PROGRESS = "compare", "progress"


class CompareRows:
    """Part of `shared.store.link_store.LinkStore`: the row of the daily compare."""

    _rows: Rows

    def compare_progress(self) -> CompareProgress | None:
        """Return how far the last compare has come; None before the first, or if the row cannot be read."""
        row = self._rows.get(COMPARE, PROGRESS)
        try:
            return _progress_from(unpack(row.data)) if row else None
        except (UnreadableRow, ValueError, TypeError, KeyError, AttributeError):
            return None

    def keep_compare_progress(self, progress: CompareProgress) -> None:
        """Write how far the compare has come."""
        self._rows.write(COMPARE, [Put(PROGRESS, pack(_progress_to_json(progress)))])


def _progress_to_json(progress: CompareProgress) -> dict[str, Any]:
    return {
        "begun": progress.begun.isoformat(),
        "phase": progress.phase,
        "after": progress.after,
        "listed_to": progress.listed_to.isoformat() if progress.listed_to else None,
        "sampled_to": progress.sampled_to,
        "counts": dict(progress.counts),
    }


def _progress_from(stored: dict[str, Any]) -> CompareProgress:
    listed_to = stored.get("listed_to")
    return CompareProgress(
        datetime.fromisoformat(stored["begun"]),
        str(stored["phase"]),
        str(stored.get("after") or ""),
        datetime.fromisoformat(listed_to) if listed_to else None,
        str(stored.get("sampled_to") or ""),
        {str(name): int(count) for name, count in stored.get("counts", {}).items()},
    )
