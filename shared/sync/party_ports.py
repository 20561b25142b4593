"""Defines the part of the store's port that is about other parties in our engagements."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class PartyStore(Protocol):
    """What is remembered of other parties (docs/protocol.md#rows)."""

    def deals_in_engagement(self, engagement_id: str) -> Sequence[str]:
        """The opportunities of an engagement; none if nobody has heard of another party in it."""

    def deals_of_party(self, referral_id: str) -> Sequence[str]:
        """The opportunities whose engagement has this referral of another party; none if it is not known."""

    def keep_party(self, engagement_id: str, referral_id: str | None, opportunity_ids: Iterable[str]) -> None:
        """Remember that another party takes part in these deals; its referral may not be known."""

    def engagement_of_party(self, referral_id: str) -> str | None:
        """The engagement in which a list has named this referral, before a deal of ours was known; None if none has."""

    def keep_engagement_of_party(self, referral_id: str, engagement_id: str) -> None:
        """Remember in which engagement a list has named this referral, of which no deal of ours is known yet."""

    def is_none_of_ours(self, referral_id: str, etag: str) -> bool:
        """Whether this version of another party's referral led to no deal of ours."""

    def keep_none_of_ours(self, referral_id: str, etag: str) -> None:
        """Remember that this version of another party's referral led to no deal of ours."""
