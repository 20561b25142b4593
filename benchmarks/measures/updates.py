"""1,000 updates where each call takes 150 ms, over the time of two scripts that do the same on the same systems."""

from benchmarks.measures.creates import IN_FLIGHT, LATENCY
from benchmarks.measures.measure import Work
from benchmarks.measures.pairs import calm, check_amounts, push_edits
from benchmarks.peers.start import run_peer
from benchmarks.systems.stand import EMBEDDED, TABLES, Stand, open_stand

UPDATES, RUNS = 1_000, 3
NAIVE_PART = 10
"""The naive loop has no part that does not grow with the records, so a tenth of them tells its time."""


def measure_embedded(work: Work) -> None:
    """Measure on the embedded store."""
    _measure_updates(work, EMBEDDED)


def measure_tables(work: Work) -> None:
    """Measure on tables."""
    _measure_updates(work, TABLES)


def _measure_updates(work: Work, store: str) -> None:
    with open_stand(work.build, store, PARALLELISM=str(IN_FLIGHT)) as stand:
        ids, referrals = stand.link(work.effort.deals(UPDATES))
        for turn in range(work.effort.runs(RUNS)):
            seconds = _time_push(stand, ids, referrals, turn)
            if work.wants(f"batched-{store}"):
                work.add(f"batched-{store}", seconds / _time_peer(stand, "batched_push", ids, referrals, 100 + turn))
            if work.wants(f"naive-{store}"):
                part = max(1, len(ids) // NAIVE_PART)
                naive = _time_peer(stand, "naive_push", ids[:part], referrals[:part], 200 + turn)
                work.add(f"naive-{store}", seconds / (naive / part * len(ids)))


def _time_push(stand: Stand, ids: list[str], referrals: list[str], turn: int) -> float:
    calm(stand)
    stand.at_latency(LATENCY)
    seconds = push_edits(stand, ids, referrals, turn)["wall"]
    stand.at_latency(0)
    return seconds


def _time_peer(stand: Stand, peer: str, ids: list[str], referrals: list[str], turn: int) -> float:
    """Seconds of a script for the same edits. Afterwards the app takes its writes for those of people, untimed."""
    calm(stand)
    since = stand.emulators.ask("now")
    stand.emulators.ask("pass_time", seconds=1)
    stand.emulators.ask("sellers_edit", ids=ids, turn=turn)
    stand.at_latency(LATENCY)
    seconds = run_peer(stand, peer, ids, since, IN_FLIGHT)
    stand.at_latency(0)
    check_amounts(stand, referrals, turn)
    return seconds
