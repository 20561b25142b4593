"""Defines the cause that explains why a pair is held, parked or refused."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Cause(Struct, frozen=True):
    """`code` is for programs. `field`, `reason` and `remedy` are for people: what is wrong and what to do about it.

    `unknown` holds the keys that a later build stored, as in `Link`. `values` are those that our own texts name; None
    for the texts of a service, and for a cause that was read from the store. `matches` are the ids of records that
    stand in the way; they are not stored.
    """

    code: str
    field: str | None
    reason: str
    remedy: str
    unknown: Mapping[str, Any] = {}
    values: Mapping[str, str] | None = None
    matches: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key under which the link remembers that this cause was reported."""
        return f"{self.code}:{self.reason}"
