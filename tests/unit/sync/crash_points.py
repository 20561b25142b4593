"""At which calls of a run it is worth dying: where the world has changed.

What a dead process leaves behind is the world alone: store, Salesforce, Partner Center. So to die before a call is to
die right after the call before it, and to die after a call that changed nothing is to die where it did not happen.
"""

from collections.abc import Callable, Sequence

import pytest

from tests.unit.sync.harness import Harness, Instance

OBJECTS = ("Opportunity", "Account", "Contact", "OpportunityContactRole")
BEFORE_ALL = -1


def world(harness: Harness) -> str:
    """All that outlives a process, as text."""
    rows = harness.rows._connection.execute("SELECT partition, key, data, at FROM rows ORDER BY partition, key")
    records = [harness.salesforce.records(name) for name in OBJECTS]
    return repr((rows.fetchall(), records, harness.partner_center.referrals()))


def crash_points(arrange: Callable[[Harness], object], run: Callable[[Instance], object]) -> tuple[list[int], int]:
    """The numbers of the calls that change the world, `BEFORE_ALL` first; and how many calls the run makes."""
    with Harness() as harness:
        arrange(harness)
        instance = harness.instance()
        worlds = [world(harness)]
        instance.life.witness = lambda: worlds.append(world(harness))
        run(instance)
        changed = [number for number in range(len(worlds) - 1) if worlds[number + 1] != worlds[number]]
        return [BEFORE_ALL, *changed], len(instance.life.calls)


def every_nth[T](numbers: Sequence[T], every: int) -> Sequence[T]:
    """The first, and each so-manyth of the others: all of them take long, and have their time in .ci/run."""
    return numbers[::every]


EVERY = [7, pytest.param(1, marks=pytest.mark.slow)]
"""Parameters of a test that takes `some`."""


def crash_at(instance: Instance, number: int) -> None:
    """Let an instance die right after the call of a number, or before its first."""
    if number == BEFORE_ALL:
        instance.life.crash_at(0, after=False)
    else:
        instance.life.crash_at(number, after=True)
