"""Lets a share of the calls to each side fail, by every kind of fault that concerns calls, records, lists or the store.

What a flow or line items make of a value is left out: it is no fault of a call, and the seeds have it.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

from shared.domain.deal import Side
from tests.simulation.faulty.calls import OF_PARTNER_CENTER, OF_SALESFORCE
from tests.simulation.faulty.kinds import OF_SIGN_INS, OF_THE_STORE
from tests.simulation.faulty.lists import OF_LISTS
from tests.simulation.faulty.records import OF_RECORDS
from tests.simulation.faulty.trouble import Check, Places, Trouble
from tests.simulation.scale_calls import Calls

OF_VALUES = frozenset({"salesforce rewrites a value by a flow", "salesforce ignores an amount"})
CALLS = {Side.PARTNER_CENTER: OF_PARTNER_CENTER, Side.SALESFORCE: OF_SALESFORCE}
OTHERS = tuple(one for one in (*OF_RECORDS, *OF_LISTS, *OF_SIGN_INS, *OF_THE_STORE) if one.name not in OF_VALUES)
ANOTHER = 0.05
"""The share of the faults that are none of a whole call."""
PAUSING = ("throttles", "sign-in", "token", "session", "calls")
RARELY = 0.1
"""What pauses a side is so much rarer than in a seed: during a pause thousands of deals wait, and nobody calls."""
MOST_WAITING = 6
"""Faults that wait for a call of their kind, by side. The oldest one gives way."""
SHORTEST_LIST, SHORTEST_PAGE = 50, 500
"""Records. A page with one record would need a call for each deal."""


@dataclass
class Storm:
    """Injects faults as long as too few calls have met one."""

    share: float
    places: Places
    calls: Calls
    chance: random.Random
    begun: list[tuple[str, Check]] = field(default_factory=list)
    effective: Counter[str] = field(default_factory=Counter)
    is_on: bool = False

    def before_call(self, side: Side) -> None:
        """Inject a fault, unless enough calls to this side have met one."""
        is_enough = self.calls.faulty[side] >= self.share * (self.calls.made[side] + 1)
        if not is_enough and self.is_on:
            self._make_room(side)
            self._begin(self._draw(side))

    def _draw(self, side: Side) -> Trouble:
        troubles = OTHERS if self.chance.random() < ANOTHER else CALLS[side]
        return self.chance.choices(troubles, [_weight_of(trouble) for trouble in troubles])[0]

    def _begin(self, trouble: Trouble) -> None:
        harness = self.places.harness
        self.begun.append((trouble.name, trouble.begin(self.places, self.chance)))
        switches, pages = harness.partner_center.switches, harness.salesforce.rest.pages
        switches.page_size = max(switches.page_size, SHORTEST_LIST)
        pages.short_pages = max(pages.short_pages, SHORTEST_PAGE) if pages.short_pages else None

    def _make_room(self, side: Side) -> None:
        harness = self.places.harness
        waiting = (harness.salesforce if side is Side.SALESFORCE else harness.partner_center).faults
        waiting[:] = [fault for fault in waiting if fault.times > 0][-MOST_WAITING:]

    def pass_over(self) -> None:
        """End all faults, and count those that took effect."""
        self.effective.update(name for name, has_effect in self.begun if has_effect())
        self.begun.clear()
        self.places.clear()

    @property
    def injected(self) -> int:
        """The faults up to now: calls that met one, and what else took effect."""
        names = {trouble.name for trouble in OTHERS}
        return self.calls.faulty.total() + sum(count for name, count in self.effective.items() if name in names)


def _weight_of(trouble: Trouble) -> float:
    is_pausing = any(word in trouble.name for word in PAUSING)
    return trouble.weight * (RARELY if is_pausing else 1.0)
