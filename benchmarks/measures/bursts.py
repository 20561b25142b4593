"""What a run costs after a burst of writes: the push that looks at its own ones, and the sweep that finds nothing."""

from benchmarks.measures.measure import Work
from benchmarks.measures.pairs import calm
from benchmarks.systems.processes import CannotMeasure
from benchmarks.systems.stand import open_stand

CREATES, CREATE_RUNS = 4_000, 2
BURST, SWEEP_RUNS = 10_000, 3


def measure_own_writes(work: Work) -> None:
    """Measure the first push after the creates, a minute later. The pushes after it cost less."""
    with open_stand(work.build) as stand:
        stand.link(2)
        for _ in range(work.effort.runs(CREATE_RUNS)):
            calm(stand)
            stand.link(work.effort.deals(CREATES))
            work.add("own-writes", stand.push()["cpu"])


def measure_quiet_sweep(work: Work) -> None:
    """Measure sweeps after a burst. The first takes the burst to its notice, and does not count.

    Raises CannotMeasure if a sweep wrote something.
    """
    with open_stand(work.build) as stand:
        stand.link(2)
        stand.sweep()
        stand.link(work.effort.deals(BURST))
        stand.sweep()
        for _ in range(work.effort.runs(SWEEP_RUNS)):
            stand.rest()
            events = stand.sweep()["events"]
            if set(events) - {"sweep_done"}:
                raise CannotMeasure(f"the sweep found something new: {', '.join(sorted(events))}")
            calls, operations = stand.take_calls()
            work.add("quiet-calls", calls)
            work.add("quiet-operations", operations)
