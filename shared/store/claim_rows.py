"""Claims on accounts, of the instances that work on one store.

partition                key       row
A|<account match key>    claim     an instance is looking up the account, and creates it if it is missing

Source: docs/protocol.md#rows.
"""

from datetime import timedelta

from shared.foundation.errors import StoreConflict
from shared.store.list_rows import hashed_key
from shared.store.row_codec import pack
from shared.store.rows import Delete, Insert, Replace, Rows
from shared.store.stored_values import Entry

CLAIM = "claim"


class ClaimRows:
    """Part of `shared.store.link_store.LinkStore`: the claims on accounts."""

    _rows: Rows

    def claim_account(self, key: str, lease: timedelta) -> Entry[None] | None:
        """Claim an account's match key. Returns None while another claim is younger than `lease`."""
        partition = f"A|{hashed_key(key)}"
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
            self._rows.write(f"A|{hashed_key(key)}", [Delete(CLAIM, claim.etag)])
        except StoreConflict:
            return
