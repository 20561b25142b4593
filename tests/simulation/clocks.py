"""Instances whose machines show the wrong time, by up to a day (docs/protocol.md#time-and-deadlines)."""

import random
from collections.abc import Collection
from datetime import timedelta

from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.wrong_clocks import instance_with_clock

CLOCKS = "the clocks of the instances differ"
AHEAD = (0, 0, 310, -310, 3_600, -3_600, 86_400, -86_400)
"""Seconds that a machine may be ahead."""
CHANCES = (0.0, 0.5, 0.99)


def instance_of(harness: Harness, chance: random.Random, also: Collection[str]) -> Instance:
    """A new process, which always gets the same random number; if clocks differ, with a clock of its own."""
    number = chance.choice(CHANCES)
    if CLOCKS not in also:
        return harness.new_instance(chance=number)
    return instance_with_clock(harness, timedelta(seconds=chance.choice(AHEAD)), chance=number)
