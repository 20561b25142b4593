"""What every run of `sync` is given: the ports, the translation, and the numbers of the protocol."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from shared.domain.deal import Side
from shared.domain.scope import Scope
from shared.mapping.translation import Translation
from shared.sync.ports import Clock, Log, PartnerCenter, Salesforce, Store, Workers


class Mode(StrEnum):
    """Off does nothing; preview plans and logs and writes nothing; on syncs (protocol.md section 1)."""

    OFF = "off"
    PREVIEW = "preview"
    ON = "on"


class Policy(Struct, frozen=True):
    """The protocol's numbers; each is a setting."""

    mode: Mode = Mode.ON
    paused: frozenset[str] = frozenset()
    lease: timedelta = timedelta(minutes=5)
    settle_time: timedelta = timedelta(minutes=10)
    deadline: timedelta = timedelta(seconds=60)
    irreversible_wait: timedelta = timedelta(minutes=2)
    poll_overlap: timedelta = timedelta(minutes=10)
    sweep_overlap: timedelta = timedelta(minutes=30)
    held_interval: timedelta = timedelta(hours=1)
    longest_wait: timedelta = timedelta(hours=1)
    shortest_wait: timedelta = timedelta(minutes=1)
    probe_interval: timedelta = timedelta(minutes=15)
    run_time: timedelta = timedelta(minutes=8)
    parallelism: int = 8
    tries: int = 3
    batch: int = 2000


class Context(Struct, frozen=True):
    """One process's ports and rules. `chance` gives numbers from 0 up to 1."""

    partner_center: PartnerCenter
    salesforce: Salesforce
    store: Store
    translation: Translation
    scope: Scope
    clock: Clock
    workers: Workers
    log: Log
    chance: Callable[[], float]
    policy: Policy = field(default_factory=Policy)

    def backoff(self, attempts: int) -> timedelta:
        """Growing, fully jittered distance to the next attempt, up to an hour (protocol.md section 9)."""
        longest = min(self.policy.longest_wait, self.policy.shortest_wait * (1 << min(attempts, 10)))
        return self.policy.shortest_wait + (longest - self.policy.shortest_wait) * self.chance()

    def due_at(self, attempts: int, after: float | None = None) -> datetime:
        """When the next attempt is; the far side's own wish wins."""
        return self.clock.now() + (timedelta(seconds=after) if after is not None else self.backoff(attempts))

    def parallelism(self, side: Side) -> int:
        """How many calls to a side at once."""
        return self.store.side(side).parallelism or self.policy.parallelism
