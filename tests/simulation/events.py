"""The messages in the queue: an event may be lost, come twice, or come late."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

LATE = "event comes late"
FATES = {"event comes": 6, "event is lost": 2, "event comes twice": 1, LATE: 2}
COPIES = {"event is lost": 0, "event comes twice": 2}


@dataclass(frozen=True)
class Event:
    """A message in the queue, and the step from which on it is delivered; a related one is about another party."""

    referral: str
    step: int
    is_related: bool = False


def chosen_fate(chance: random.Random) -> str:
    """What becomes of an event."""
    return chance.choices(list(FATES), list(FATES.values()))[0]


def events_of(referral: str, fate: str, step: int, chance: random.Random, *, is_related: bool) -> Sequence[Event]:
    """The messages of one event."""
    delay = chance.randint(15, 60) if fate == LATE else 0
    return [Event(referral, step + delay, is_related)] * COPIES.get(fate, 1)
