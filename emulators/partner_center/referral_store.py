"""Keep all referrals of all organisations in memory, in the order of their two dates, so that no list is sorted."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass

from emulators.partner_center.referral_shape import Json

UPDATED, CREATED = "updatedDateTime", "createdDateTime"
_BEFORE_ALL, _AFTER_ALL = "", "~"


@dataclass(frozen=True, slots=True)
class StoredReferral:
    """One referral; times are ticks. `record` is never changed in place: a change makes a new StoredReferral."""

    record: Json
    created: int
    updated: int
    listed: int  # the referral is not in lists before this time
    former: "StoredReferral | None" = None  # the version before, as long as a list may still show it

    @property
    def id(self) -> str:
        """The id of the referral."""
        return str(self.record["id"])

    @property
    def owner_id(self) -> str:
        """The id of the organisation that owns the referral."""
        return str(self.record["organizationId"])

    @property
    def engagement_id(self) -> str:
        """The id of the engagement."""
        return str(self.record["engagementId"])


@dataclass(frozen=True, slots=True)
class Span:
    """A range of ticks that includes both ends; None leaves an end open."""

    low: int | None = None
    high: int | None = None

    def intersection(self, other: "Span") -> "Span":
        """Return the ticks that both spans allow."""
        lows = [s.low for s in (self, other) if s.low is not None]
        highs = [s.high for s in (self, other) if s.high is not None]
        return Span(max(lows, default=None), min(highs, default=None))


class ReferralStore:
    """All referrals, by id, by engagement and by date."""

    def __init__(self) -> None:
        """Start without referrals. `last_listed` is the time from which on lists have each of them."""
        self.last_listed = 0
        self._referrals: dict[str, StoredReferral] = {}
        self._engagements: dict[str, list[str]] = {}
        self._parties: dict[str, set[str]] = {}
        self._order: dict[str, list[tuple[int, str]]] = {UPDATED: [], CREATED: []}

    def __len__(self) -> int:
        return len(self._referrals)

    def __iter__(self) -> Iterator[StoredReferral]:
        return iter(self._referrals.values())

    def get(self, referral_id: str) -> StoredReferral | None:
        """Return the referral with an id, or None. The case of the id does not matter."""
        return self._referrals.get(referral_id.lower())

    def put(self, referral: StoredReferral) -> None:
        """Add a referral, or replace the one with the same id."""
        former = self._referrals.get(referral.id)
        if former is not None:
            self._remove_key(UPDATED, (former.updated, former.id))
            self._remove_key(CREATED, (former.created, former.id))
        else:
            self._engagements.setdefault(referral.engagement_id, []).append(referral.id)
            self._parties.setdefault(referral.engagement_id, set()).add(referral.owner_id)
        insort(self._order[UPDATED], (referral.updated, referral.id))
        insort(self._order[CREATED], (referral.created, referral.id))
        self._referrals[referral.id] = referral
        self.last_listed = max(self.last_listed, referral.listed)

    def referrals_in(self, engagement_id: str) -> list[StoredReferral]:
        """Return the referrals of one engagement, oldest first."""
        return [self._referrals[i] for i in self._engagements.get(engagement_id.lower(), ())]

    def referral_of(self, organization_id: str, engagement_id: str) -> StoredReferral | None:
        """Return the oldest referral of an organisation in the engagement, or None."""
        return next((r for r in self.referrals_in(engagement_id) if r.owner_id == organization_id), None)

    def is_party(self, organization_id: str, engagement_id: str) -> bool:
        """Return whether an organisation owns a referral in the engagement."""
        return organization_id in self._parties.get(engagement_id, ())

    def iterate_by_date(
        self, field: str, span: Span, *, descending: bool, after: tuple[int, str] | None
    ) -> Iterator[StoredReferral]:
        """Yield the referrals whose date `field` is within `span`, in its order, from after the position `after` on."""
        keys = self._order[field]
        low = 0 if span.low is None else bisect_left(keys, (span.low, _BEFORE_ALL))
        high = len(keys) if span.high is None else bisect_right(keys, (span.high, _AFTER_ALL))
        if after is not None and descending:
            high = min(high, bisect_left(keys, after))
        elif after is not None:
            low = max(low, bisect_right(keys, after))
        places = range(high - 1, low - 1, -1) if descending else range(low, high)
        return (self._referrals[keys[place][1]] for place in places)

    def _remove_key(self, field: str, key: tuple[int, str]) -> None:
        keys = self._order[field]
        del keys[bisect_left(keys, key)]
