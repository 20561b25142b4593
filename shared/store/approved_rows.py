"""Store which fields of the mapping file an operator has approved to be sent to Partner Center, as one row.

partition   key        row
mapping     approved   by field, the sources from which it may be sent

Source: docs/protocol.md#a-field-that-is-newly-sent.
"""

from collections.abc import Callable

from shared.domain.mapping_change import Approved
from shared.foundation.errors import StoreConflict, UnreadableRow
from shared.store.row_codec import pack, unpack
from shared.store.rows import Insert, Replace, Rows

MAPPING, APPROVED = "mapping", "approved"


class ApprovedRows:
    """Part of `shared.store.link_store.LinkStore`: the fields that may be sent."""

    _rows: Rows

    def approved_fields(self) -> Approved | None:
        """Return the approved sources of each field; None where nothing was ever approved. Raises UnreadableRow."""
        row = self._rows.get(MAPPING, APPROVED)
        return None if row is None else _approved_from(row.data)

    def keep_first_approval(self, approved: Approved) -> Approved:
        """Store what counts as approved at the first start; returns what another instance stored if it was first."""
        try:
            self._rows.write(MAPPING, [Insert(APPROVED, _packed(approved))])
        except StoreConflict:
            return self.approved_fields() or {}
        return approved

    def change_approval(self, change: Callable[[Approved], Approved]) -> None:
        """Change what is approved. Raises StoreConflict if another instance was first."""
        row = self._rows.get(MAPPING, APPROVED)
        data = _packed(change(_approved_from(row.data) if row else {}))
        self._rows.write(MAPPING, [Replace(APPROVED, data, row.etag) if row else Insert(APPROVED, data)])


def _packed(approved: Approved) -> bytes:
    return pack({name: list(sources) for name, sources in approved.items()})


def _approved_from(data: bytes) -> Approved:
    stored = unpack(data)
    if not isinstance(stored, dict):
        raise UnreadableRow("the approved fields are damaged", remedy=f"delete the row {MAPPING}/{APPROVED}")
    return {str(name): tuple(map(str, sources)) for name, sources in stored.items()}
