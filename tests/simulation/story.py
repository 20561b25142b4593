"""The story of a seed: what happens in each storm, step by step. Each step has a chance of its own.

So a step that is left out changes no other step, and `shrink.py` can find the few steps that break a promise.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step of a storm. `act` is the name of what happens (acts.py), or empty if the step's chance chooses it."""

    chance: str
    act: str = ""


Storm = tuple[Step, ...]
Story = tuple[Storm, ...]


def steps_of(seed: int, storm: int, count: int) -> Storm:
    """The steps of a storm before anything has happened."""
    return tuple(Step(f"{seed}/{storm}/{number}") for number in range(count))
