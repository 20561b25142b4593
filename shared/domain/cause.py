"""Why a record is set aside."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """`code` is for machines; `field`, `reason` and `remedy` are for people: sentences a seller can act on."""

    code: str
    field: str | None
    reason: str
    remedy: str
