"""The stage table: which stage of an opportunity means which status of a referral (docs/protocol.md#status).

The mapping file lists the stages with their statuses: `[[stages]]` in `shared/mapping/default.toml`.
"""

from collections.abc import Iterator

from msgspec import Struct

from shared.domain.deal import Status


class Stage(Struct, frozen=True):
    """One Salesforce stage: the status that it means, and further statuses that are shown as this stage.

    `arrives` marks the stage that a status from Partner Center gets if several stages mean that status.
    """

    name: str
    status: Status
    also: tuple[Status, ...] = ()
    arrives: bool = False

    def shows(self, status: Status) -> bool:
        """Whether `status` is shown as this stage."""
        return status in (self.status, *self.also)


class StageTable(Struct, frozen=True):
    """Stages and statuses; every stage of the table has a status, and every status that it names has a stage."""

    stages: tuple[Stage, ...]

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    @property
    def on_hold(self) -> str:
        """The stage of deals that nobody has accepted or declined yet: the first of the table."""
        return self.stages[0].name

    def status_of(self, stage: str) -> Status | None:
        """The status that a stage means; None for a stage that is not in the table. Case does not matter."""
        folded = stage.casefold()
        return next((known.status for known in self.stages if known.name.casefold() == folded), None)

    def stage_for(self, status: Status) -> str | None:
        """The stage for a deal that arrives with `status`: a stage that means it before one that only shows it."""
        meant = [stage for stage in self.stages if stage.status == status]
        candidates = meant or [stage for stage in self.stages if stage.shows(status)]
        first = candidates[0] if candidates else None
        stage = next((candidate for candidate in candidates if candidate.arrives), first)
        return stage.name if stage else None

    def status_by_stage(self) -> dict[str, Status]:
        """The status that each stage means, by the case-folded name of the stage."""
        return {known.name.casefold(): known.status for known in reversed(self.stages)}

    def normal_status_by_status(self) -> dict[Status, Status]:
        """The normal form of every status of the table: the status that its stage means (docs/protocol.md#status)."""
        named = (status for known in self.stages for status in (known.status, *known.also))
        return {status: normal for status in named if (normal := self.normal_status(status))}

    def normal_status(self, status: Status) -> Status | None:
        """The status in normal form: the one that its stage means.

        Source: docs/protocol.md#status.
        """
        stage = self.stage_for(status)
        return self.status_of(stage) if stage else None
