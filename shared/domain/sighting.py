"""Names a referral that is to be heard: an event or a list says that another party's record has changed."""

from msgspec import Struct

RELATED = "M|"
"""The beginning of a retry entry's key whose rest is a referral to hear, and not one to pull."""


class Sighting(Struct, frozen=True):
    """A referral that an event or a list names; a list also names its engagement and its version."""

    referral_id: str
    engagement_id: str | None = None
    etag: str | None = None

    @property
    def key(self) -> str:
        """The key of its retry entry."""
        return f"{RELATED}{self.referral_id}"

    @classmethod
    def of(cls, key: str) -> "Sighting":
        """The sighting of a retry entry's key."""
        return cls(key.removeprefix(RELATED))
