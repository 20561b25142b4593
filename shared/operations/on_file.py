"""Says in words what is on file for a field: a value that was refused, or one that waits."""

from collections.abc import Mapping

from shared.domain.deal import Side
from shared.domain.link import REFUSED_BY_FAR_SIDE
from shared.domain.sentences import system_name
from shared.operations.queue_texts import REASONS

_WAITS: Mapping[str, str] = {
    "decline": "the decline must stand for a while before it is sent",
    "default": "a default stands in for a value that the deal lacked, and is never sent",
    "hold_win": "the win is sent once it can be registered",
    "irreversible": "the change cannot be undone, so it must stand for a while before it is sent",
    "mapping_change": "the field is newly sent, so it waits until an operator approves it",
    "mass_change": "unusually many deals changed in this way, so it waits until an operator approves it",
    "no_reason": "the close waits for its Closing Reason",
    "overruled": "the value of the other side was kept",
    "set_at_creation": "it travels only with a new deal",
    "unasked_stage": "automation may have set the Stage, so it is not sent",
    "unlisted_reason": "the close waits for a Closing Reason that Partner Center knows",
}


def reason_on_file(side: str, code: str) -> str:
    """Return why a value did not travel, without a full stop. `side` is where it is missing; empty where it waits."""
    if code.startswith(REFUSED_BY_FAR_SIDE):
        return f"{system_name(Side(side)) if side else 'a service'} refused the later value"
    if code in _WAITS:
        return _WAITS[code]
    if code in REASONS:
        return REASONS[code][0].lower() + REASONS[code][1:]
    return f"a later value was not carried over to {system_name(Side(side))}" if side else "a later value waits"
