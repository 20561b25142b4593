"""Runs the story with one broken system: `python broken_story.py WAY`. Exit status and output are the story's."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from emulators.base.faults import Fault, FaultKind
from emulators.key_vault.emulator import Access
from emulators.partner_center.event_faults import EventFault, EventFaultKind
from local import story
from local.systems import Systems, start_systems


def salesforce_refuses_to_write(systems: Systems) -> None:
    fault = Fault(FaultKind.ANSWER, path="/composite", sent="PATCH", times=10_000, status=503, body="[]")
    systems.salesforce.faults.append(fault)


def events_are_lost(systems: Systems) -> None:
    systems.partner_center.dispatcher.faults.append(EventFault(EventFaultKind.LOSE, times=10_000))


def the_vault_is_locked(systems: Systems) -> None:
    systems.vault.access = Access(read=False)


WAYS: Mapping[str, Callable[[Systems], None]] = {
    way.__name__: way for way in (salesforce_refuses_to_write, events_are_lost, the_vault_is_locked)
}


@contextmanager
def start_broken_systems(folder: Path) -> Iterator[Systems]:
    with start_systems(folder) as systems:
        WAYS[sys.argv[1]](systems)
        yield systems


if __name__ == "__main__":
    vars(story)["start_systems"] = start_broken_systems
    sys.exit(story.main())
