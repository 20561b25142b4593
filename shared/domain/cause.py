"""Why a record is set aside."""

from msgspec import Struct


class Cause(Struct, frozen=True):
    """`code` is for machines; `field`, `reason` and `remedy` are for people: sentences a seller can act on."""

    code: str
    field: str | None
    reason: str
    remedy: str

    @property
    def key(self) -> str:
        """Under which it is told: once, and again only if it is another one."""
        return f"{self.code}:{self.reason}"
