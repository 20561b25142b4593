"""Notes what `cosell status` prints of links beside their trouble, while it scans them once: no row is read for it."""

from collections.abc import Sequence

from shared.domain.deal import Deal
from shared.domain.link import Link, Pointer
from shared.domain.sighting import Sighting
from shared.store.stored_values import RetryEntry


class Notes:
    """The `names` of deals by opportunity and referral id: of those that wait, and of those that are listed."""

    def __init__(self, queued: Sequence[RetryEntry]) -> None:
        """Note the names of all deals with one of these retry entries."""
        self.names = dict[str, str]()
        self._queued = {Sighting.of(entry.key).referral_id for entry in queued}

    def take_link(self, link: Link, *, is_listed: bool) -> None:
        """Note what is printed of a link; `is_listed` says whether a person must look at it."""
        ids = [key for key in (link.opportunity_id, link.referral_id) if key]
        if is_listed or not self._queued.isdisjoint(ids):
            self._take_name(link.base, *ids)

    def take_pointer(self, referral_id: str, pointer: Pointer) -> None:
        """Note the name under which an opportunity was to be created for a referral."""
        if (effect := pointer.intended_opportunity) is not None:
            self._take_name(effect.values, referral_id)

    def _take_name(self, deal: Deal, *ids: str) -> None:
        if name := deal.get("name"):
            self.names.update(dict.fromkeys(ids, str(name)))
