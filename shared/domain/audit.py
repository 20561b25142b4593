"""The lines of the audit field, as data: what happened to a field, or to the whole pair, when, and why.

A line is stored with the link and rendered by `shared.domain.sentences`. The field is never read
(docs/protocol.md#writing-the-connectors-own-fields). The rules are listed in docs/protocol.md#audit-lines.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import replace
from datetime import UTC, datetime

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.deal import SHOWN_SOLUTIONS, VISIBILITY, Change, Person, Side, Status, display_text
from shared.domain.member_sets import has_same_members
from shared.domain.sentences import LineDirection, line_text, system_name

CONFIRMED, RECOVERED, IGNORED, IRREVERSIBLE = "confirmed", "recovered", "ignored", "irreversible"
"""Rules: read back after a write; found after an interrupted run; written without effect; waits for its time."""


UNDATED = datetime.min.replace(tzinfo=UTC)
"""The time of a line that is not written down yet."""


class Line(Struct, frozen=True, omit_defaults=True):
    """One audit line of an opportunity. It is about one field at most. Stored as it is, without what is empty.

    code              its sentence, in `shared.domain.sentences`
    direction         its heading; None where the text needs none
    side              the side that was written, or was to be written
    field             the field, by its name in the mapping file
    before, after     the values on `side`, as a seller reads them; a discarded value is whole
    rule              why it happened
    values            what else the sentence names
    correlation_id    the run that stored the line; the run's log events carry it too
    """

    at: datetime
    code: str
    direction: LineDirection | None = None
    side: Side | None = None
    field: str | None = None
    before: str | None = None
    after: str | None = None
    rule: str | None = None
    values: Mapping[str, str] = {}
    correlation_id: str | None = None

    @property
    def text(self) -> str:
        """The line as a seller reads it, without its time."""
        changed = {"before": self.before, "after": self.after}
        given = {name: value for name, value in changed.items() if value is not None}
        return line_text(self.code, self.direction, {**self.values, **given})


def text_line(at: datetime, text: str) -> Line:
    """A line that an earlier build stored as text, with its heading: it is shown as it is."""
    return Line(at, "text", values={"text": text})


def fold_lines(lines: Sequence[Line], at_most: int) -> tuple[Line, ...]:
    """The same lines, of which the last are one line with all their texts if there are more than `at_most`."""
    if len(lines) <= at_most:
        return tuple(lines)
    kept, folded = lines[: at_most - 1], lines[at_most - 1 :]
    texts = " ".join(line.text for line in folded)
    return (*kept, Line(folded[0].at, "folded", values={"text": texts}, correlation_id=folded[0].correlation_id))


# --- what happened to values


def change_lines(at: datetime, side: Side, changes: Iterable[Change], rule: str = CONFIRMED) -> tuple[Line, ...]:
    """A line for each field changed on `side`, with its old and its new value; none for one that only shows another."""
    is_sent = side is Side.PARTNER_CENTER
    direction = LineDirection.TO_PARTNER_CENTER if is_sent else LineDirection.FROM_PARTNER_CENTER
    line = Line(at, "changed", direction, side, rule=rule)
    return tuple(_line_of_change(line, side, each) for each in changes if each.field != SHOWN_SOLUTIONS)


def _line_of_change(line: Line, side: Side, change: Change) -> Line:
    before, after = display_text(change.old), display_text(change.told)
    if isinstance(change.new, tuple) and before == after:  # the same names, of whom Salesforce says something else
        if not has_same_members(change.old, change.new):
            return _with_change(line, replace(change, old=_with_addresses(change.old), new=_with_addresses(change.new)))
        values = {"label": change.label, "value": after}
        return replace(line, code="member_details", field=change.field, values=values)
    return _with_change(_of_a_tick(line) if _is_tick(side, change) else line, change)


def _with_addresses(people: object) -> tuple[str, ...]:
    """The people of a list with their addresses, by which they differ."""
    listed = people if isinstance(people, tuple) else ()
    return tuple(f"{one} ({one.email})" if isinstance(one, Person) and one.email else str(one) for one in listed)


def _is_tick(side: Side, change: Change) -> bool:
    return side is Side.SALESFORCE and change.field == VISIBILITY


def _of_a_tick(line: Line) -> Line:
    """The line of a tick that the sync sets: a colleague, or the seller's own request for help, has shared the deal."""
    return replace(line, code="ticked", direction=LineDirection.NOTE)


def ignored_lines(at: datetime, side: Side, ignored: Iterable[Change]) -> tuple[Line, ...]:
    """A line for each value that was written to `side` and did not take effect there."""
    line = Line(at, "ignored", LineDirection.NOT_SYNCED, side, rule=IGNORED, values={"system": system_name(side)})
    return tuple(_with_change(replace(line, code=_code_of_ignored(change)), change) for change in ignored)


def _code_of_ignored(change: Change) -> str:
    """The sentence of a stage that leaves a deal unanswered says what answers it then."""
    return "ignored_stage" if isinstance(change.new, Status) and change.new.is_unanswered else "ignored"


def refusal_lines(at: datetime, side: Side, refusal: Cause, changes: Iterable[Change]) -> tuple[Line, ...]:
    """A line for each value that a service refused, with the reason that it gave."""
    values = {**_cause_values(refusal), "system": system_name(side)}
    line = Line(at, "refused", LineDirection.NOT_SYNCED, side, rule=refusal.code, values=values)
    return tuple(_with_change(line, change) for change in changes)


def _with_change(line: Line, change: Change) -> Line:
    before, after = display_text(change.old), display_text(change.told)
    return replace(
        line, field=change.field, before=before, after=after, values={**line.values, "label": change.label}
    )  # fmt: skip


# --- why something is not synced


def cause_line(
    at: datetime, side: Side, field: str | None, found: Cause, direction: LineDirection = LineDirection.NOT_SYNCED
) -> Line:
    """A line that says why a field, or the whole pair, is not synced, and what to do.

    The texts of a service are kept; it may leave out the final full stop.
    """
    if found.values is not None:
        return Line(at, found.code, direction, side, field, rule=found.code, values=found.values)
    return Line(at, "problem", direction, side, field, rule=found.code, values=_cause_values(found))


def _cause_values(found: Cause) -> Mapping[str, str]:
    reason = found.reason if found.reason.endswith((".", "?", "!")) else f"{found.reason}."
    return {"reason": reason, "remedy": found.remedy}
