"""What a kind of fault is: its name, how often it begins, and how to tell whether it took effect."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.domain.deal import Side
from tests.simulation.faulty.row_faults import FaultyRows, RowFault
from tests.simulation.faulty.sign_in_faults import FaultySignIn, FaultyToken, SignInFault
from tests.simulation.held_values import Edit
from tests.unit.sync.harness import Harness, Instance

Check = Callable[[], bool]
"""Whether a fault has taken effect up to now."""


@dataclass
class Places:
    """Where faults are injected: the emulators of the harness, the rows of the store, and both sign-ins.

    flow_edits   the values that a flow of the org put in the place of those that the connector wrote
    touched      the referrals whose version has moved without an edit
    """

    harness: Harness
    rows: list[RowFault] = field(default_factory=list)
    sign_ins: dict[Side, list[SignInFault]] = field(default_factory=lambda: {side: [] for side in Side})
    flow_edits: list[Edit] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def open_to(self, instance: Instance) -> None:
        """Let the faults of the store and of the sign-ins reach this instance."""
        ports: tuple[Any, ...] = (instance.ctx.store, instance.ctx.partner_center, instance.ctx.salesforce)
        store, partner_center, salesforce = (port._port for port in ports)  # each is a CrashablePort
        store._rows = FaultyRows(store._rows, self.rows)
        partner_center._token = FaultyToken(partner_center._token, self.sign_ins[Side.PARTNER_CENTER])
        partner_center._sender._token = partner_center._token
        connection = salesforce.connection
        connection._sign_in = FaultySignIn(connection._sign_in, self.sign_ins[Side.SALESFORCE])

    @contextmanager
    def without_flows(self) -> Iterator[None]:
        """Save what no flow rewrites, because the log of the people's edits would not have it."""
        hooks = self.harness.salesforce.org.hooks
        flows, hooks.flows = hooks.flows, []
        try:
            yield
        finally:
            hooks.flows = flows

    def clear(self) -> None:
        """End all faults."""
        harness = self.harness
        harness.clear_faults()
        self.rows.clear()
        for faults in self.sign_ins.values():
            faults.clear()
        switches = harness.partner_center.switches
        switches.list_stale, switches.list_gap, switches.list_repeats, switches.page_size = 0.0, 0.0, 0, 100
        switches.list_gap_of = ""
        harness.salesforce.rest.pages.short_pages = None


@dataclass(frozen=True)
class Trouble:
    """A kind of fault. `begin` injects it, and returns what tells later whether it has taken effect.

    One with `aims` is injected where a run stands before one of these calls of a port, because such calls are rare.
    """

    name: str
    weight: int
    begin: Callable[[Places, random.Random], Check]
    aims: tuple[str, ...] = ()


@dataclass
class Effects:
    """Which kinds of faults took effect in a seed: those that were begun, and those that the driver has seen."""

    begun: list[tuple[str, Check]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def begin(self, trouble: Trouble, places: Places, chance: random.Random) -> None:
        """Inject a fault."""
        self.begun.append((trouble.name, trouble.begin(places, chance)))

    def see(self, *names: str) -> None:
        """Note kinds that the driver has made itself, and that took effect."""
        self.seen.update(names)

    def kinds(self) -> frozenset[str]:
        """The kinds that have taken effect up to now."""
        return frozenset(self.seen) | {name for name, has_effect in self.begun if has_effect()}


def some_of(troubles: Sequence[Trouble], chance: random.Random, count: int) -> Sequence[Trouble]:
    """So many kinds, drawn by their weights: a seed that has a few of all kinds meets each of them more than once."""
    keys = sorted(range(len(troubles)), key=lambda place: chance.random() ** (1 / troubles[place].weight))
    return [troubles[place] for place in keys[-count:]] if count else []
