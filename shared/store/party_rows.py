"""Store which deals of ours another party takes part in, as rows.

partition                    key      row
E|<engagement id>            deals    the opportunities of an engagement
M|<other party's referral>   deals    the opportunities whose engagement has this referral

A row is written when another party is first heard of, so a private deal has none. What is lost is found again by a list
of the engagement (docs/protocol.md#rows).
"""

from collections.abc import Iterable, Sequence

from shared.foundation.errors import UnreadableRow
from shared.store.row_codec import pack, unpack
from shared.store.rows import Put, Rows

DEALS, OPPORTUNITIES = "deals", "opportunities"


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

    def _deals(self, partition: str) -> Sequence[str]:
        row = self._rows.get(partition, DEALS)
        try:
            stored = unpack(row.data)[OPPORTUNITIES] if row else ()
        except (UnreadableRow, KeyError, TypeError):  # it is only a hint, and is written anew
            return ()
        return tuple(str(key) for key in stored)

    def _add_deals(self, partition: str, ids: tuple[str, ...]) -> None:
        known = self._deals(partition)
        if not set(ids) <= set(known):
            deals = sorted({*known, *ids})
            self._rows.write(partition, [Put(DEALS, pack({OPPORTUNITIES: deals}))])
