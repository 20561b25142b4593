"""A lead of Partner Center: whether it arrives, and what its record in Salesforce takes over from it. Pure.

A lead arrives read-only, as a Lead or as an Opportunity. Nothing is sent while it is a lead.

Source: docs/protocol.md#leads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from shared.domain.audit import CONFIRMED, Line
from shared.domain.cause import Cause
from shared.domain.deal import CLOSED, Person, Side, display_text, fingerprint
from shared.domain.sentences import LineDirection

REFUSED = "!"
"""What stands before the fingerprint of a value that the record does not hold, because Salesforce did not take it."""


class Leads(StrEnum):
    """What becomes of a lead: nothing, a Lead, or an Opportunity."""

    OFF = "off"
    LEAD = "lead"
    OPPORTUNITY = "opportunity"


class LeadFacts(Struct, frozen=True):
    """What a lead says, in normal form. `solutions` are names with their ids.

    `cut` are the parts of the first person that do not fit whole.
    """

    name: str | None = None
    people: tuple[Person, ...] = ()
    source: str | None = None
    requested_action: str | None = None
    solutions: tuple[str, ...] = ()
    notes: str | None = None
    cut: frozenset[str] = frozenset()


class KnownLead(Struct, frozen=True):
    """What the store knows of the Salesforce lead of a referral. It holds no personal data.

    record_id  the id of the record
    etag       the version of the referral that was last looked at
    status     the status of the referral then
    written    by column, the fingerprint of the last value of Partner Center that was written, or told; it is
               behind `REFUSED` where Salesforce did not take it
    unknown    the keys that a later build stored, as in `Link`
    """

    record_id: str
    etag: str
    status: str = ""
    written: Mapping[str, str] = {}
    unknown: Mapping[str, Any] = {}

    @property
    def is_closed(self) -> bool:
        """Whether the lead has ended in Partner Center: a deal that was made of it is one of its own."""
        return self.status.startswith(CLOSED)

    def holds(self, wanted: "LeadValues") -> bool:
        """Whether the referral says nothing that the record does not show, or is known not to take over."""
        return self.status == wanted.status and all(self.knows(*one) for one in wanted.values.items())

    def knows(self, column: str, value: str | None) -> bool:
        """Whether this is the last value of Partner Center that was written, refused or told."""
        return self.written.get(column, "").removeprefix(REFUSED) == fingerprint(value)


class LeadValues(Struct, frozen=True):
    """What the record of a lead is to hold, by column; and the columns whose values stand in for one that is missing.

    `labels` name the columns as the page does, and `cut` are those that cannot hold the whole text.
    """

    values: Mapping[str, str | None]
    status: str
    labels: Mapping[str, str] = {}
    defaults: frozenset[str] = frozenset()
    cut: frozenset[str] = frozenset()

    def without(self, column: str) -> "LeadValues":
        """The same without a column that Salesforce does not take."""
        rest = {name: value for name, value in self.values.items() if name != column}
        return LeadValues(rest, self.status, self.labels, self.defaults - {column}, self.cut - {column})

    def label(self, column: str) -> str:
        """The column as the page names it."""
        return self.labels.get(column, column)


class LeadChange(Struct, frozen=True):
    """The values to write, the lines that tell of it, and what is known of each column afterwards."""

    values: Mapping[str, str | None]
    lines: tuple[Line, ...]
    written: Mapping[str, str]


def new_lead(wanted: LeadValues, now: datetime) -> LeadChange:
    """What a new record of a lead holds."""
    values = {column: value for column, value in wanted.values.items() if value is not None}
    lines = [Line(now, "lead_arrived", LineDirection.FROM_PARTNER_CENTER, Side.SALESFORCE)]
    for column in sorted(wanted.defaults):
        named = {"label": wanted.label(column), "after": str(wanted.values[column])}
        lines.append(Line(now, "lead_default", LineDirection.NOTE, Side.SALESFORCE, column, values=named))
    return LeadChange(values, (*lines, *_cut_lines(wanted, wanted.values, now)), _marks(wanted))


def changed_lead(known: KnownLead | None, current: Mapping[str, Any], wanted: LeadValues, now: datetime) -> LeadChange:
    """What a record takes over of a lead that changed in Partner Center: each value that no person has edited.

    A value that a person edited stays, and Partner Center's is told once. Where nothing is known of the record, as
    after a crash, only an empty column is filled.
    """
    before = known.written if known else {}
    values: dict[str, str | None] = {}
    lines = list(_status_lines(known, wanted, now))
    for column, value in wanted.values.items():
        there, mark = current.get(column), before.get(column, REFUSED)
        if (known is not None and known.knows(column, value)) or there == value:
            continue
        is_ours = there is None if mark.startswith(REFUSED) else fingerprint(there) == mark
        if is_ours:
            values[column] = value
        lines.append(_line_of(column, there, value, wanted, now, is_written=is_ours))
    marks = {column: _mark_of(known, column, value, current.get(column)) for column, value in wanted.values.items()}
    return LeadChange(values, (*lines, *_cut_lines(wanted, values, now)), marks)


def refused_mark(value: str | None) -> str:
    """What is known of a column that Salesforce did not take."""
    return f"{REFUSED}{fingerprint(value)}"


def _mark_of(known: KnownLead | None, column: str, value: str | None, there: str | None) -> str:
    """What is known of a column afterwards: one that was refused, and was not tried again, stays refused."""
    if known is not None and known.knows(column, value) and there != value:
        return known.written[column]
    return fingerprint(value)


def _line_of(
    column: str, there: str | None, value: str | None, wanted: LeadValues, now: datetime, *, is_written: bool
) -> Line:
    texts = (display_text(there, whole=not is_written), display_text(value, whole=not is_written))
    named = {"label": wanted.label(column)}
    if is_written:
        return Line(
            now, "changed", LineDirection.FROM_PARTNER_CENTER, Side.SALESFORCE, column, *texts, CONFIRMED, named
        )
    return Line(now, "lead_differs", LineDirection.NOTE, Side.SALESFORCE, column, *texts, "lead_differs", named)


def _cut_lines(wanted: LeadValues, written: Iterable[str], now: datetime) -> Iterator[Line]:
    """The line of each text that is written and does not fit whole."""
    for column in sorted(wanted.cut.intersection(written)):
        values = {"label": wanted.label(column)}
        yield Line(now, "lead_cut", LineDirection.NOTE, Side.SALESFORCE, column, values=values)


def _status_lines(known: KnownLead | None, wanted: LeadValues, now: datetime) -> Iterator[Line]:
    if known is not None and known.status != wanted.status:
        yield Line(now, "lead_status", LineDirection.NOTE, None, values={"status": wanted.status})


def refused_line(column: str, refusal: Cause, wanted: LeadValues, now: datetime) -> Line:
    """The line of a value that Salesforce refused: the record is written without it."""
    named = {"label": wanted.label(column), "reason": refusal.reason.rstrip("."), "remedy": refusal.remedy}
    return Line(now, "lead_refused", LineDirection.NOT_SYNCED, Side.SALESFORCE, column, rule=refusal.code, values=named)


def hidden_lines(
    known: KnownLead | None, hidden: Mapping[str, str | None], wanted: LeadValues, now: datetime
) -> tuple[Line, ...]:
    """The line of each value for which Salesforce shows us no column, unless it was told."""
    new = {one: value for one, value in hidden.items() if value is not None and not (known and known.knows(one, value))}
    side, direction = Side.SALESFORCE, LineDirection.NOT_SYNCED
    return tuple(Line(now, "lead_hidden", direction, side, one, values={"label": wanted.label(one)}) for one in new)


def resembling_line(matches: Sequence[str], now: datetime) -> Line:
    """The line of a lead that resembles other records of the org."""
    found = ", ".join(matches) or "other records"
    return Line(now, "lead_resembles", LineDirection.NOTE, Side.SALESFORCE, values={"matches": found})


def _marks(wanted: LeadValues) -> dict[str, str]:
    return {column: fingerprint(value) for column, value in wanted.values.items()}
