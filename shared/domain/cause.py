"""Defines the cause that explains why a pair is held, parked or refused."""

from msgspec import Struct


class Cause(Struct, frozen=True):
    """`code` is for programs. `field`, `reason` and `remedy` are for people: what is wrong and what to do about it."""

    code: str
    field: str | None
    reason: str
    remedy: str

    @property
    def key(self) -> str:
        """The key under which the link remembers that this cause was reported."""
        return f"{self.code}:{self.reason}"
