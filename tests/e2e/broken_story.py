"""`make run` in a world that somebody has broken: `python sabotage.py HOW`; exit status and output are the story's."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from emulators.base.emulator import Fault, FaultKind
from emulators.key_vault.emulator import Access
from emulators.partner_center.events import EventFault, EventFaultKind
from local import story
from local.systems import Systems, started


def salesforce_refuses_to_write(systems: Systems) -> None:
    fault = Fault(FaultKind.ANSWER, path="/composite", times=10_000, status=503, body="[]", skip=1)
    systems.salesforce.faults.append(fault)


def events_are_lost(systems: Systems) -> None:
    systems.partner_center.dispatcher.faults.append(EventFault(EventFaultKind.LOSE, times=10_000))


def the_vault_is_locked(systems: Systems) -> None:
    systems.vault.access = Access(read=False)


HOW: Mapping[str, Callable[[Systems], None]] = {
    breaks.__name__: breaks for breaks in (salesforce_refuses_to_write, events_are_lost, the_vault_is_locked)
}


@contextmanager
def broken(folder: Path) -> Iterator[Systems]:
    with started(folder) as systems:
        HOW[sys.argv[1]](systems)
        yield systems


if __name__ == "__main__":
    vars(story)["started"] = broken
    sys.exit(story.main())
