"""The lines of the audit field: made here, stored with the link, and rendered newest first.

The field is rendered from the stored lines and never read (docs/protocol.md#writing-the-connectors-own-fields).
"""

from collections.abc import Iterable, Sequence
from copy import replace
from datetime import datetime

from shared.domain.cause import Cause
from shared.domain.deal import Side, display_text
from shared.domain.plan import Change, changes_sentence
from shared.domain.sentences import cause, sentence, system_name
from shared.sync.context import Context
from shared.sync.ports import Line
from shared.sync.reconcile.pair import Pair

LIMIT = 100_000
"""Characters of the audit field, a long text area."""

TO_PARTNER_CENTER, FROM_PARTNER_CENTER = "To Partner Center", "From Partner Center"
NOT_SYNCED, NOTE = "Not synced", "Note"


def audit_line(at: datetime, heading: str, text: str) -> Line:
    """One line: the direction or the kind, and a sentence."""
    return Line(at, f"{heading}: {text}")


def changes_line(at: datetime, heading: str, changes: Iterable[Change]) -> Line:
    """A line that names each changed field with its old and its new value."""
    return audit_line(at, heading, changes_sentence(changes))


def cause_line(at: datetime, found: Cause) -> Line:
    """A line that says why something is not synced, and what to do; a service may leave out the final full stop."""
    reason = found.reason if found.reason.endswith((".", "?", "!")) else f"{found.reason}."
    return audit_line(at, NOT_SYNCED, sentence("problem", reason=reason, remedy=found.remedy))


def ignored_lines(at: datetime, side: Side, ignored: Iterable[Change]) -> tuple[Line, ...]:
    """A line for each value that was written to `side` and did not take effect there."""
    return tuple(cause_line(at, _ignored_cause(side, change)) for change in ignored)


def _ignored_cause(side: Side, change: Change) -> Cause:
    value, kept = display_text(change.new), display_text(change.old)
    return cause("ignored", change.field, label=change.label, value=value, kept=kept, system=system_name(side))


def take_notices(ctx: Context, pair: Pair) -> tuple[Line, ...]:
    """Take the pair's pending notices: recovered lines and the plan's sentences. They are then no longer pending.

    They are stored with the records that they belong to, so that neither exists without the other.
    """
    recovered, pair.recovered_lines = pair.recovered_lines, ()
    if pair.plan is None:
        return recovered
    notices = _notes(ctx, pair.plan.lines)
    pair.plan = replace(pair.plan, lines=())
    return (*recovered, *notices)


def take_all_lines(ctx: Context, pair: Pair) -> tuple[Line, ...]:
    """Take every pending line: the notices, and those of discarded values, which a confirmed effect makes true."""
    notices = take_notices(ctx, pair)
    if pair.plan is None:
        return notices
    losses = loss_lines(ctx, pair)
    pair.plan = replace(pair.plan, losses=())
    return (*notices, *losses)


def loss_lines(ctx: Context, pair: Pair) -> tuple[Line, ...]:
    """The lines of the values that the plan discards; they stay pending."""
    return _notes(ctx, pair.plan.losses) if pair.plan else ()


def _notes(ctx: Context, texts: Iterable[str]) -> tuple[Line, ...]:
    return tuple(audit_line(ctx.clock.now(), NOTE, text) for text in texts)


def render_audit(lines: Sequence[Line], limit: int = LIMIT) -> str:
    """Lines, newest first, as the text of the field; cut at a line end."""
    text = ""
    for line in lines:
        rendered = f"{line.at:%Y-%m-%d %H:%M:%S} UTC - {line.text}\n"
        if len(text) + len(rendered) > limit:
            break
        text += rendered
    return text.rstrip("\n")
