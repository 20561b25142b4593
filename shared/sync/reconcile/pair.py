"""Holds one pair while a run works on it."""

from datetime import datetime

from msgspec import Struct, field

from shared.domain.link import Intent, Link
from shared.domain.plan import Plan
from shared.domain.records import Opportunity, Referral
from shared.sync.outcome import Outcome
from shared.sync.ports import Entry, Json, Line


class Pair(Struct):
    """One pair under its lease.

    interrupted      the intent of a run that stopped before its end, until recovery has looked for its effects
    is_from_base     the referral's values were taken from the base and not read
    must_create      a referral must be created
    existing         the referral that an earlier create of unknown outcome made, as the API returns it
    renewed_at       when the lease was last renewed
    recovered_lines  audit lines for writes of an interrupted run that were found to have taken effect
    outcome          how the work ended; None while it goes on
    """

    entry: Entry[Link]
    interrupted: Intent = field(default_factory=Intent)
    opportunity: Opportunity | None = None
    referral: Referral | None = None
    is_from_base: bool = False
    plan: Plan | None = None
    must_create: bool = False
    existing: Json | None = None
    renewed_at: datetime | None = None
    recovered_lines: tuple[Line, ...] = ()
    outcome: Outcome | None = None

    @property
    def link(self) -> Link:
        """The link that the next write of the store will start from."""
        return self.entry.value

    @property
    def id(self) -> str:
        """The opportunity's id."""
        return self.link.opportunity_id
