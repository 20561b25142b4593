"""All kinds of faults: those that are injected, and those that the driver makes and sees itself."""

import random

from shared.domain.deal import Side
from tests.simulation.faulty.calls import OF_PARTNER_CENTER, OF_SALESFORCE
from tests.simulation.faulty.lists import OF_LISTS
from tests.simulation.faulty.records import OF_RECORDS
from tests.simulation.faulty.row_faults import RowFault, RowFaultKind
from tests.simulation.faulty.sign_in_faults import SignInFault
from tests.simulation.faulty.trouble import Check, Places, Trouble

DEALS = "O|"
"""Where the links are stored."""


def _of_rows(name: str, weight: int, kind: RowFaultKind, most: int, partition: str = "") -> Trouble:
    def begin(places: Places, chance: random.Random) -> Check:
        times = chance.randint(1, most)
        fault = RowFault(kind, times, partition)
        places.rows.append(fault)
        return lambda: fault.times < times

    return Trouble(f"the store {name}", weight, begin)


def _of_sign_in(side: Side, name: str, *, is_refused: bool) -> Trouble:
    def begin(places: Places, chance: random.Random) -> Check:
        times = chance.choice((1, 2))
        fault = SignInFault(is_refused, times)
        places.sign_ins[side].append(fault)
        return lambda: fault.times < times

    return Trouble(f"{side} {name}", 1, begin)


OF_THE_STORE = (
    _of_rows("answers no read", 3, RowFaultKind.READ, 6),
    _of_rows("takes no write", 3, RowFaultKind.WRITE, 4),
    _of_rows("loses the reply of a write", 4, RowFaultKind.LOST, 2, DEALS),
    _of_rows("has a row that changed meanwhile", 3, RowFaultKind.CONFLICT, 2, DEALS),
)
OF_SIGN_INS = tuple(
    _of_sign_in(side, name, is_refused=is_refused)
    for side in Side
    for name, is_refused in (("refuses the sign-in", True), ("does not answer the sign-in", False))
)
TROUBLES = (*OF_PARTNER_CENTER, *OF_SALESFORCE, *OF_RECORDS, *OF_LISTS, *OF_THE_STORE, *OF_SIGN_INS)
"""What is injected."""

EVENTS = ("event is lost", "event comes twice", "event comes late")
OVERTAKING_EVENT = "event overtakes an earlier one"
CRASH_BEFORE, CRASH_AFTER = "a process crashes before a call", "a process crashes after a call"
RUNS_AT_ONCE = ("two instances work at once", "three instances work at once")
FROZEN = "an instance stands still for longer than its lease"
WRONG_CLOCK = "the clock of an instance is wrong"
LATE_SAVE = "a save is committed late"
OF_THE_DRIVER = (
    *EVENTS, OVERTAKING_EVENT, CRASH_BEFORE, CRASH_AFTER, *RUNS_AT_ONCE, FROZEN, WRONG_CLOCK, LATE_SAVE,
)  # fmt: skip
"""What the driver does, and sees take effect."""
KINDS = (*(trouble.name for trouble in TROUBLES), *OF_THE_DRIVER)
