"""Time of creates at 150 ms a call: of 500 with 8 and with 32 calls in flight, and of the first of 2,000."""

import time

from benchmarks.measures.measure import Work
from benchmarks.systems.processes import CannotMeasure
from benchmarks.systems.stand import Stand, open_stand

LATENCY = 0.15
"""Seconds that each call of both sides takes longer, as calls to the two services do."""
CREATES, RUNS, IN_FLIGHT, MORE_IN_FLIGHT = 500, 3, 8, 32
BATCH, BATCH_RUNS = 2_000, 2
LOOK_SECONDS, LOOKED_AT = 0.1, 50
MOST_SECONDS = 1_500.0


def floor_seconds(creates: int, in_flight: int, latency: float = LATENCY) -> float:
    """The shortest time of so many creates of one call each, with so many in flight.

    >>> round(floor_seconds(500, 8), 1)
    9.4
    """
    return creates / in_flight * latency


def measure_latency(work: Work) -> None:
    """Measure creates with 8 calls in flight, over the floor."""
    creates = work.effort.deals(CREATES)
    for seconds in _time_creates(work, IN_FLIGHT):
        work.add("latency", seconds / floor_seconds(creates, IN_FLIGHT))


def measure_parallel(work: Work) -> None:
    """Measure creates with 32 calls in flight."""
    for seconds in _time_creates(work, MORE_IN_FLIGHT):
        work.add("parallel", seconds)


def _time_creates(work: Work, in_flight: int) -> list[float]:
    """Seconds of each run. Every run has systems of its own, so that none looks at the writes of another."""
    seconds = []
    for _ in range(work.effort.runs(RUNS)):
        with open_stand(work.build, PARALLELISM=str(in_flight)) as stand:
            stand.link(2)
            stand.at_latency(LATENCY)
            ids = list(stand.emulators.ask("sellers_create", count=work.effort.deals(CREATES)))
            seconds.append(stand.push_all(ids)["wall"])
    return seconds


def measure_first_id(work: Work) -> None:
    """Measure when the first of a batch of creates shows its referral's id."""
    for _ in range(work.effort.runs(BATCH_RUNS)):
        with open_stand(work.build) as stand:
            stand.link(2)
            stand.at_latency(LATENCY)
            ids = list(stand.emulators.ask("sellers_create", count=work.effort.deals(BATCH)))
            work.add("first-id", _seconds_until_one_is_shown(stand, ids))


def _seconds_until_one_is_shown(stand: Stand, ids: list[str]) -> float:
    """Look at some opportunities of each part of the batch: to look at all would slow the emulator down."""
    looked_at = ids[:: max(1, len(ids) // LOOKED_AT)]
    began = time.monotonic()
    stand.app.begin("timer", name="push_opportunities")
    while True:
        is_over = stand.app.has_answered(LOOK_SECONDS)
        if stand.emulators.ask("shown", ids=looked_at):
            return time.monotonic() - began
        if is_over or time.monotonic() - began > MOST_SECONDS:
            raise CannotMeasure("no opportunity of the batch shows an id at the end of the push")
