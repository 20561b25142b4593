"""Operations of the table service: what one pair more costs in a run, one echo event, and a push with nothing new."""

from itertools import pairwise

from benchmarks.figures.spreads import slope
from benchmarks.measures.measure import Work
from benchmarks.measures.pairs import calm, push_edits
from benchmarks.systems.stand import Stand, open_stand

SIZES = (10, 20, 30)
"""Pairs in a run. All fit into one chunk, so what is done once a chunk is in no figure."""


def measure_operations(work: Work) -> None:
    """Compare runs of different sizes."""
    created: list[tuple[float, float]] = []
    updated: list[tuple[float, float]] = []
    with open_stand(work.build) as stand:
        stand.link(1)
        for size in SIZES:
            calm(stand)
            stand.push()
            work.add("idle-operations", stand.take_calls()[1])
            ids = list(stand.emulators.ask("sellers_create", count=size))
            stand.push_all(ids)
            created.append((size, stand.take_calls()[1]))
            referrals = list(stand.emulators.ask("referrals_of", ids=ids))
            work.add("echo-operations", _count_echoes(stand, referrals) / size)
            calm(stand)
            push_edits(stand, ids, referrals, turn=size)
            updated.append((size, stand.take_calls()[1]))
    for name, runs in (("create-operations", created), ("update-operations", updated)):
        for fewer, more in pairwise(runs):
            work.add(name, slope(fewer, more))


def _count_echoes(stand: Stand, referrals: list[str]) -> int:
    messages = stand.messages_of(referrals)
    stand.take_calls()
    stand.app.ask("apply", messages=messages)
    return stand.take_calls()[1]
