"""Processor time of the app for one call to a side: the smallest read, through the client that the app connects."""

from benchmarks.measures.measure import Work
from benchmarks.measures.pairs import MILLISECONDS
from benchmarks.systems.stand import open_stand

CALLS, RUNS = 500, 5


def measure_calls(work: Work) -> None:
    """Make many calls on one open connection."""
    count = work.effort.deals(CALLS)
    with open_stand(work.build) as stand:
        ids, referrals = stand.link(1)
        for _ in range(work.effort.runs(RUNS)):
            for row, side, key in (
                ("partner-center-call", "partner_center", referrals[0]), ("salesforce-call", "salesforce", ids[0])
            ):  # fmt: skip
                if work.wants(row):
                    cpu = stand.app.ask("call", side=side, count=count, key=key)["cpu"]
                    work.add(row, cpu / count * MILLISECONDS)
