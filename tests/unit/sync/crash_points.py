"""Finds the calls of a run at which a crash can make a difference: those that change persistent state.

A crash leaves only persistent state behind: the store, Salesforce and Partner Center. So a crash before a call has the
same effect as a crash right after the previous call. A crash after a call that changed nothing has the same effect as
a crash before it. The tests skip both.
"""

from collections.abc import Callable, Sequence

import pytest

from shared.foundation.errors import Unavailable
from tests.unit.sync.harness import Harness, Instance

OBJECTS = ("Opportunity", "Account", "Contact", "OpportunityContactRole", "Cosell_Inbox__c", "Lead")
BEFORE_FIRST_CALL = -1


def persistent_state(harness: Harness) -> str:
    """The store's rows, Salesforce's records and Partner Center's referrals, as one text."""
    rows = harness.rows._connection.execute("SELECT partition, key, data, at FROM rows ORDER BY partition, key")
    here = [name for name in OBJECTS if harness.salesforce.org.model.find_object(name)]
    records = [harness.salesforce.records(name) for name in here]
    return repr((rows.fetchall(), records, harness.partner_center.referrals()))


def crash_points(
    arrange: Callable[[Harness], object], run: Callable[[Instance], object], make: Callable[[], Harness] = Harness
) -> tuple[list[int], int]:
    """`BEFORE_FIRST_CALL` and the numbers of the calls that change persistent state, and the number of all calls."""
    with make() as harness:
        arrange(harness)
        instance = harness.new_instance()
        states = [persistent_state(harness)]
        instance.process.after_each_call = lambda: states.append(persistent_state(harness))
        run(instance)
        changed = [number for number in range(len(states) - 1) if states[number + 1] != states[number]]
        return [BEFORE_FIRST_CALL, *changed], len(instance.process.calls)


def every_nth[T](numbers: Sequence[T], every: int) -> Sequence[T]:
    """Every `every`-th number, from the first on. The slow tests of `.ci/run` take all numbers."""
    return numbers[::every]


def fail() -> None:
    """Fail as a call does to which the other side gives no answer: an action for `interrupt_at`."""
    raise Unavailable("down")


EVERY_NTH = [7, pytest.param(1, marks=pytest.mark.slow)]
"""Parameters of a test that uses `every_nth`."""


def crash_instance_at(instance: Instance, number: int) -> None:
    """Plan a crash right after the call with this number, or before the first call."""
    if number == BEFORE_FIRST_CALL:
        instance.process.crash_at(0, after=False)
    else:
        instance.process.crash_at(number, after=True)
