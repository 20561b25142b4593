"""The context holds what every run needs: the ports, the translation, and the numbers of the protocol."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from shared.domain.deal import Side
from shared.domain.scope import Scope
from shared.mapping.translation import Translation
from shared.sync.ports import Clock, Log, PartnerCenter, Salesforce, Store, Workers


class Mode(StrEnum):
    """`off` does nothing; `preview` plans, logs and writes nothing; `on` syncs (docs/protocol.md#off-preview-on)."""

    OFF = "off"
    PREVIEW = "preview"
    ON = "on"


PUSH, PULL = "push", "pull"
"""The two directions, which an operator can pause one by one."""


class Policy(Struct, frozen=True):
    """The numbers of the protocol.

    The settings of the sync set `mode`, `paused`, `lease`, `settle_time`, `deadline`, `irreversible_wait`, `run_time`
    and `parallelism`. Nothing sets the others: their defaults are constants of the protocol.
    """

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
    """The ports and rules of one process. `chance` returns random numbers from 0 up to, but not including, 1."""

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

    def parallelism(self, side: Side) -> int:
        """Return the number of calls that may go to a side at the same time."""
        return self.store.side_state(side).parallelism or self.policy.parallelism

    def is_time_up(self, started: datetime) -> bool:
        """Whether 80 % of a run's time has passed (docs/protocol.md#the-time-limit-of-a-run)."""
        return self.clock.now() - started > self.policy.run_time * 0.8
