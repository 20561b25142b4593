"""The lines of the audit field: made here, and stored with the link.

The field is rendered from the stored lines and never read (docs/protocol.md#writing-the-connectors-own-fields).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.deal import Side, display_text
from shared.domain.sentences import cause, sentence, system_name

if TYPE_CHECKING:
    from shared.domain.plan import Change  # it imports modules that a run needs, and that would slow down a start

TO_PARTNER_CENTER, FROM_PARTNER_CENTER = "To Partner Center", "From Partner Center"
NOT_SYNCED, NOTE = "Not synced", "Note"


class Line(Struct, frozen=True):
    """One audit line of an opportunity."""

    at: datetime
    text: str


def audit_line(at: datetime, heading: str, text: str) -> Line:
    """One line: the direction or the kind, and a sentence."""
    return Line(at, f"{heading}: {text}")


def note_lines(at: datetime, texts: Iterable[str]) -> tuple[Line, ...]:
    """Lines that explain something, one for each text."""
    return tuple(audit_line(at, NOTE, text) for text in texts)


def changes_line(at: datetime, side: Side, changes: Iterable["Change"]) -> Line:
    """A line that names each field changed on `side`, with its old and its new value."""
    heading = TO_PARTNER_CENTER if side is Side.PARTNER_CENTER else FROM_PARTNER_CENTER
    return audit_line(at, heading, sentence("changed", changes="; ".join(str(change) for change in changes)))


def cause_line(at: datetime, found: Cause) -> Line:
    """A line that says why something is not synced, and what to do; a service may leave out the final full stop."""
    reason = found.reason if found.reason.endswith((".", "?", "!")) else f"{found.reason}."
    return audit_line(at, NOT_SYNCED, sentence("problem", reason=reason, remedy=found.remedy))


def ignored_lines(at: datetime, side: Side, ignored: Iterable["Change"]) -> tuple[Line, ...]:
    """A line for each value that was written to `side` and did not take effect there."""
    return tuple(cause_line(at, _ignored_cause(side, change)) for change in ignored)


def _ignored_cause(side: Side, change: "Change") -> Cause:
    value, kept = display_text(change.new), display_text(change.old)
    return cause("ignored", change.field, label=change.label, value=value, kept=kept, system=system_name(side))
