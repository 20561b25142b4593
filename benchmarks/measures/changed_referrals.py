"""Many linked referrals that colleagues have changed: heard of by a sweep, or by a burst of events."""

import time

from benchmarks.measures.creates import IN_FLIGHT, LATENCY
from benchmarks.measures.measure import Work
from benchmarks.measures.pairs import calm, check_days, has_days
from benchmarks.peers.start import run_peer
from benchmarks.systems.stand import MOST_RUNS, Stand, open_stand

CHANGED, SWEEP_RUNS, BURST_RUNS = 1_000, 3, 2
AGE, THREADS = 60.0, 4
"""Seconds that a message of the burst has waited, and messages that an instance takes at once (`host.json`)."""
WAIT_SECONDS = 30.0
FIRST_TURN_OF_SCRIPT, FIRST_TURN_ALONE = 100, 50
"""Turns of the script and of one event alone, so that no edit enters a value that is there already."""


def measure_sweep(work: Work) -> None:
    """Measure sweeps until the change of every deal has arrived, and the script after each, on the same systems."""
    with open_stand(work.build, PARALLELISM=str(IN_FLIGHT)) as stand:
        ids, referrals = stand.link(work.effort.deals(CHANGED))
        for turn in range(work.effort.runs(SWEEP_RUNS)):
            calm(stand)
            day = stand.emulators.ask("colleagues_edit", ids=referrals, turn=turn)
            stand.rest()
            stand.at_latency(LATENCY)
            seconds = _sweep_all(stand, ids, day)
            work.add("swept-calls", stand.take_calls()[0])
            stand.at_latency(0)
            work.add("swept-time", seconds / _time_script(stand, ids, referrals, FIRST_TURN_OF_SCRIPT + turn))


def _time_script(stand: Stand, ids: list[str], referrals: list[str], turn: int) -> float:
    calm(stand)
    since = stand.emulators.ask("now")
    stand.emulators.ask("pass_time", seconds=1)
    day = stand.emulators.ask("colleagues_edit", ids=referrals, turn=turn)
    stand.at_latency(LATENCY)
    seconds = run_peer(stand, "batched_pull", ids, since, IN_FLIGHT)
    stand.at_latency(0)
    check_days(stand, ids, day)
    return seconds


def _sweep_all(stand: Stand, ids: list[str], day: str) -> float:
    """Seconds of the sweeps until nothing is left."""
    seconds = 0.0
    for _ in range(MOST_RUNS):
        seconds += stand.sweep()["wall"]
        if has_days(stand, ids, day):
            break
    check_days(stand, ids, day)
    return seconds


def measure_burst(work: Work) -> None:
    """Count the calls for a burst, with the runs of the push that finish it, and for one event alone."""
    with open_stand(work.build) as stand:
        ids, referrals = stand.link(work.effort.deals(CHANGED))
        for turn in range(work.effort.runs(BURST_RUNS)):
            calm(stand)
            work.add("single", _count_calls(stand, ids[:1], referrals[:1], FIRST_TURN_ALONE + turn, age=0.0))
            calm(stand)
            work.add("burst", _count_calls(stand, ids, referrals, turn, AGE) / len(ids))


def _count_calls(stand: Stand, ids: list[str], referrals: list[str], turn: int, age: float) -> int:
    """The calls for the events of changes to these referrals. What a push needs without events is no part of them."""
    day = stand.emulators.ask("colleagues_edit", ids=referrals, turn=turn)
    stand.rest()
    messages = stand.messages_of(referrals)
    stand.push()
    idle, _ = stand.take_calls()
    stand.app.ask("apply", messages=messages, threads=THREADS, age=age)
    calls, _ = stand.take_calls()
    deadline = time.monotonic() + WAIT_SECONDS
    while not has_days(stand, ids, day) and time.monotonic() < deadline:
        stand.push()
        calls += stand.take_calls()[0] - idle
    check_days(stand, ids, day)
    return calls
