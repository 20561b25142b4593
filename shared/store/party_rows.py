"""Store which deals of ours another party takes part in, as rows.

partition                    key      row
E|<engagement id>            deals    the opportunities of an engagement
M|<other party's referral>   deals    the opportunities whose engagement has this referral

A row is written when another party is first heard of, so a private deal has none. What is lost is found again by a list
of the engagement (docs/protocol.md#rows). A referral that led to no deal of ours has a row without opportunities: it
says for which version that is so, and no sweep lists the engagement again for it; or it names the engagement of a
record that waits for a deal of ours to arrive, because the retry queue knows the record alone.
"""

from collections.abc import Iterable, Sequence

from shared.foundation.errors import UnreadableRow
from shared.store.row_codec import pack, unpack
from shared.store.rows import Put, Rows

DEALS, OPPORTUNITIES, NONE_OF_OURS, ENGAGEMENT = "deals", "opportunities", "none_of_ours", "engagement"


class PartyRows:
    """Part of `shared.store.link_store.LinkStore`: the rows of other parties."""

    _rows: Rows

    def deals_in_engagement(self, engagement_id: str) -> Sequence[str]:
        """Return the opportunities of an engagement; none if nobody has heard of another party in it."""
        return self._deals(f"E|{engagement_id.lower()}")

    def deals_of_party(self, referral_id: str) -> Sequence[str]:
        """Return the opportunities whose engagement has this referral of another party; none if it is not known."""
        return self._deals(f"M|{referral_id.lower()}")

    def keep_party(self, engagement_id: str, referral_id: str | None, opportunity_ids: Iterable[str]) -> None:
        """Remember that another party takes part in these deals; its referral may not be known."""
        ids = tuple(opportunity_ids)
        self._add_deals(f"E|{engagement_id.lower()}", ids)
        if referral_id is not None:
            self._add_deals(f"M|{referral_id.lower()}", ids)

    def engagement_of_party(self, referral_id: str) -> str | None:
        """Return the engagement in which a list has named this referral, before a deal of ours was known."""
        known = self._read(f"M|{referral_id.lower()}", ENGAGEMENT)
        return known if isinstance(known, str) else None

    def keep_engagement_of_party(self, referral_id: str, engagement_id: str) -> None:
        """Remember in which engagement a list has named this referral, of which no deal of ours is known yet."""
        if self.engagement_of_party(referral_id) != engagement_id and not self.deals_of_party(referral_id):
            row = pack({OPPORTUNITIES: [], ENGAGEMENT: engagement_id})
            self._rows.write(f"M|{referral_id.lower()}", [Put(DEALS, row)])

    def is_none_of_ours(self, referral_id: str, etag: str) -> bool:
        """Return whether this version of another party's referral led to no deal of ours."""
        return self._read(f"M|{referral_id.lower()}", NONE_OF_OURS) == etag

    def keep_none_of_ours(self, referral_id: str, etag: str) -> None:
        """Remember that this version of another party's referral led to no deal of ours."""
        if not self.is_none_of_ours(referral_id, etag):
            row = pack({OPPORTUNITIES: [], NONE_OF_OURS: etag})
            self._rows.write(f"M|{referral_id.lower()}", [Put(DEALS, row)])

    def _deals(self, partition: str) -> Sequence[str]:
        stored = self._read(partition, OPPORTUNITIES)
        return tuple(str(key) for key in stored) if isinstance(stored, list) else ()

    def _read(self, partition: str, key: str) -> object:
        """A value of a row; None if it has none or cannot be read: it is only a hint, and is written anew."""
        row = self._rows.get(partition, DEALS)
        try:
            stored = unpack(row.data) if row else None
        except UnreadableRow:
            return None
        return stored.get(key) if isinstance(stored, dict) else None

    def _add_deals(self, partition: str, ids: tuple[str, ...]) -> None:
        known = self._deals(partition)
        if not set(ids) <= set(known):
            deals = sorted({*known, *ids})
            self._rows.write(partition, [Put(DEALS, pack({OPPORTUNITIES: deals}))])
