"""Says in words what the JSON of the commands says in codes: states, coming writes, and why a side is paused.

The words are those of docs/glossary.md and docs/troubleshooting.md.
"""

from collections.abc import Mapping

from shared.domain.link import EffectKind
from shared.domain.link_states import State

STATES: Mapping[State, tuple[str, str]] = {
    State.LIVE: ("live", "both sides are kept in step"),
    State.ON_HOLD: ("unanswered", "Microsoft awaits the owner's answer"),
    State.HELD: ("held", "a seller must complete it"),
    State.PAUSED: ("not ticked", "no value travels until Sync with Partner Center is ticked again"),
    State.CLOSED: ("closed", "no value travels any more"),
    State.GONE: ("gone", "the opportunity is deleted, or hidden from the integration user"),
    State.PARKED: ("parked", "a service refuses a value or the record"),
}
"""The word for each state, and what it means."""
_WRITES: Mapping[EffectKind, str] = {
    EffectKind.CREATE_REFERRAL: "it creates the referral",
    EffectKind.PATCH_REFERRAL: "it writes to the referral",
    EffectKind.WRITE_OPPORTUNITY: "it writes to the opportunity",
    EffectKind.MARK_OPPORTUNITY: "it shows Sync Status and Audit",
    EffectKind.CREATE_OPPORTUNITY: "it creates the opportunity",
}
_PAUSES = {"sign_in": "a failed sign-in", "throttled": "too many calls"}


def state_word(state: str) -> str:
    """The word for a state."""
    return STATES[State(state)][0]


def state_text(state: str) -> str:
    """The word for a state, with what it means."""
    word, meaning = STATES[State(state)]
    return f"{word} ({meaning})"


def write_text(kind: str) -> str:
    """What a write that was begun does; a run that has written nothing yet reads both sides."""
    return _WRITES[EffectKind(kind)] if kind in _WRITES else "it reads both sides"


def pause_text(reason: str) -> str:
    """Why the app makes no calls to a side."""
    return _PAUSES.get(reason, reason)
