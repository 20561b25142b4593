"""All referrals of all organisations, kept in order of their two dates so that a list needs no sorting."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass

from emulators.partner_center.referral_shape import Json

UPDATED, CREATED = "updatedDateTime", "createdDateTime"
_BEFORE_ALL, _AFTER_ALL = "", "~"


@dataclass(frozen=True, slots=True)
class StoredReferral:
    """One referral as it stands; times in ticks. `record` is never changed in place: a change makes a new row."""

    record: Json
    created: int
    updated: int
    listed: int  # not in lists before this moment

    @property
    def id(self) -> str:
        """The referral's id."""
        return str(self.record["id"])

    @property
    def owner_id(self) -> str:
        """The id of the organisation that owns the referral."""
        return str(self.record["organizationId"])

    @property
    def engagement_id(self) -> str:
        """The engagement's id."""
        return str(self.record["engagementId"])


@dataclass(frozen=True, slots=True)
class Span:
    """A closed range of ticks; None is open."""

    low: int | None = None
    high: int | None = None

    def intersection(self, other: "Span") -> "Span":
        """What both spans allow."""
        lows = [s.low for s in (self, other) if s.low is not None]
        highs = [s.high for s in (self, other) if s.high is not None]
        return Span(max(lows, default=None), min(highs, default=None))


class ReferralStore:
    """Rows by id, by engagement and by date."""

    def __init__(self) -> None:
        """Empty."""
        self._rows: dict[str, StoredReferral] = {}
        self._engagements: dict[str, list[str]] = {}
        self._parties: dict[str, set[str]] = {}
        self._order: dict[str, list[tuple[int, str]]] = {UPDATED: [], CREATED: []}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[StoredReferral]:
        return iter(self._rows.values())

    def get(self, referral_id: str) -> StoredReferral | None:
        """The row of an id, whatever its case."""
        return self._rows.get(referral_id.lower())

    def put(self, row: StoredReferral) -> None:
        """Insert or replace."""
        former = self._rows.get(row.id)
        if former is not None:
            self._remove_key(UPDATED, (former.updated, former.id))
            self._remove_key(CREATED, (former.created, former.id))
        else:
            self._engagements.setdefault(row.engagement_id, []).append(row.id)
            self._parties.setdefault(row.engagement_id, set()).add(row.owner_id)
        insort(self._order[UPDATED], (row.updated, row.id))
        insort(self._order[CREATED], (row.created, row.id))
        self._rows[row.id] = row

    def referrals_in(self, engagement_id: str) -> list[StoredReferral]:
        """The referrals of one engagement, oldest first."""
        return [self._rows[i] for i in self._engagements.get(engagement_id.lower(), ())]

    def is_party(self, organization_id: str, engagement_id: str) -> bool:
        """Whether an organisation owns a referral in the engagement."""
        return organization_id in self._parties.get(engagement_id, ())

    def iterate_by_date(
        self, field: str, span: Span, *, descending: bool, after: tuple[int, str] | None
    ) -> Iterator[StoredReferral]:
        """Rows by one of the dates within `span`, from behind the position `after`."""
        keys = self._order[field]
        low = 0 if span.low is None else bisect_left(keys, (span.low, _BEFORE_ALL))
        high = len(keys) if span.high is None else bisect_right(keys, (span.high, _AFTER_ALL))
        if after is not None and descending:
            high = min(high, bisect_left(keys, after))
        elif after is not None:
            low = max(low, bisect_right(keys, after))
        places = range(high - 1, low - 1, -1) if descending else range(low, high)
        return (self._rows[keys[place][1]] for place in places)

    def _remove_key(self, field: str, key: tuple[int, str]) -> None:
        keys = self._order[field]
        del keys[bisect_left(keys, key)]
