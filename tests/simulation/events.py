"""The messages in the queue: an event may be lost, come twice, or come late."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

LATE = "event comes late"
BURSTS = "events that come as a burst"
OF_BURST = 0.7
"""The share of the steps whose events waited behind many others, in a seed of `BURSTS`."""
FATES = {"event comes": 6, "event is lost": 2, "event comes twice": 1, LATE: 2}
COPIES = {"event is lost": 0, "event comes twice": 2}


@dataclass(frozen=True)
class Event:
    """A message in the queue, and the step from which on it is delivered; a related one is about another party."""

    referral: str
    step: int
    is_related: bool = False
    is_of_burst: bool = False


def chosen_fate(chance: random.Random) -> str:
    """What becomes of an event."""
    return chance.choices(list(FATES), list(FATES.values()))[0]


def events_of(event: Event, fate: str, chance: random.Random) -> Sequence[Event]:
    """The messages of one event, which would come at its step."""
    delay = chance.randint(15, 60) if fate == LATE else 0
    return [replace(event, step=event.step + delay)] * COPIES.get(fate, 1)


def is_of_burst(seed: int, step: int) -> bool:
    """Whether the events of a step are old when they are taken. Drawn apart, so that it changes nothing else."""
    return random.Random(f"{seed}/burst/{step}").random() < OF_BURST  # noqa: S311 - a seed that repeats is the point
