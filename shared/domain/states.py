"""The states of a link, and what a stage of Salesforce means as a deal's status.

States (protocol.md section 7; `paused`, `closed` and `gone` are entered with the engine's later rules):

    (nothing) --flagged, complete--> live
    (nothing) --flagged, incomplete--> held --mended--> live
    (nothing) --inbound New--> on_hold --answered--> live
    live --refused by the far side--> parked --a change on either side--> live
"""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from shared.domain.deal import Status


class State(StrEnum):
    """The state of a link."""

    LIVE = "live"
    ON_HOLD = "on_hold"
    HELD = "held"
    PAUSED = "paused"
    CLOSED = "closed"
    GONE = "gone"
    PARKED = "parked"


class Mark(StrEnum):
    """What the seller sees at a glance: the sync status field of the opportunity."""

    SYNCED = "Synced"
    WAITING = "Waiting"
    FAILED = "Failed"


class Stage(Struct, frozen=True):
    """One stage of Salesforce: the status it stands for, and further statuses that are shown as this stage.

    `arrives` marks the stage that a status coming from Partner Center is given when several stages mean it.
    """

    name: str
    status: Status
    also: tuple[Status, ...] = ()
    arrives: bool = False

    def shows(self, status: Status) -> bool:
        """Whether `status` is shown as this stage."""
        return status in (self.status, *self.also)


class StageTable(Struct, frozen=True):
    """Stages and statuses, total in both directions for every stage it names."""

    stages: tuple[Stage, ...]

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    @property
    def on_hold(self) -> str:
        """The stage of deals that nobody has answered yet: the table's first."""
        return self.stages[0].name

    def status_of(self, stage: str) -> Status | None:
        """What a stage means; None for a stage that the table does not know."""
        folded = stage.casefold()
        return next((row.status for row in self.stages if row.name.casefold() == folded), None)

    def stage_for(self, status: Status) -> str | None:
        """The stage to give to a deal that arrives with `status`: one that stands for it before one that shows it."""
        rows = [row for row in self.stages if row.status == status] or [row for row in self.stages if row.shows(status)]
        chosen = next((row for row in rows if row.arrives), rows[0] if rows else None)
        return chosen.name if chosen else None

    def normal(self, status: Status) -> Status | None:
        """The status in normal form: what the stage it is shown as stands for (the narrower side judges equality)."""
        stage = self.stage_for(status)
        return self.status_of(stage) if stage else None
