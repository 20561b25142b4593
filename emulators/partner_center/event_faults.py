"""Inject faults into the delivery of events: lost, sent twice, late, early, out of order, or with a broken signature.

`POST /_control/event-faults` adds a fault, `DELETE /_control/event-faults` removes all. The dispatcher applies them.
Faults in the answers of an emulator are in `emulators/base/faults.py`.
"""

import random
import re
from dataclasses import dataclass
from enum import StrEnum

from emulators.base.control_body import Pause
from emulators.base.faults import Countdown, check_pattern


class EventFaultKind(StrEnum):
    """The faults that an event can have."""

    LOSE = "lose"  # the event is never sent, and nothing reports it
    DUPLICATE = "duplicate"  # it is sent twice
    REORDER = "reorder"  # it is sent after the next event, or after `seconds` if no event follows
    DELAY = "delay"  # it is sent `seconds` later
    BEFORE = "before"  # it is sent before the call that caused it is answered
    WRONG_SIGNATURE = "wrong_signature"  # it is signed with another key
    WRONG_CERTIFICATE = "wrong_certificate"  # it names, and is signed with, a certificate of an untrusted authority
    TAMPERED_BODY = "tampered_body"  # the body is changed after it is signed


@dataclass(slots=True)
class EventFault(Countdown):
    """A fault for events whose name contains a match of the expression `event`.

    The last three kinds apply to all attempts of an event, the others to the event itself.
    """

    kind: EventFaultKind
    event: str = ""
    times: int = 1
    skip: int = 0
    probability: float = 1.0
    seconds: Pause = 0.05

    def __post_init__(self) -> None:
        """Check now whatever could otherwise fail only when the fault applies. Raises ValueError."""
        check_pattern(self.event)

    def applies_to(self, event_name: str, chance: random.Random) -> bool:
        """Return whether the fault applies to this event, and count the event if it matches."""
        return re.search(self.event, event_name) is not None and self.applies_now(chance)
