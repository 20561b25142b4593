"""Judges by the audit lines of the store: people can read each, and no value is written again and again.

Source: docs/protocol.md#audit-lines, docs/protocol.md#the-ping-pong-guard.
"""

from collections import Counter
from collections.abc import Iterator

from shared.domain.audit import CONFIRMED, Line
from shared.domain.audit_text import audit_text
from shared.domain.deal import Side
from shared.domain.ping_pong import MOST_WRITES, WITHIN
from tests.simulation.moves import TICK
from tests.simulation.people import People


def judge_lines(people: People) -> Iterator[str]:
    """The stored lines that the Audit field of a ticked opportunity lacks."""
    for record in people.opportunities():
        lacking = _lines(audit_text(people.harness.store.audit(record["Id"]))) - _lines(record["Audit__c"] or "")
        yield from (f"untold: the audit of {record['Id']} lacks {line}" for line in lacking if record[TICK])


def _lines(text: str) -> Counter[str]:
    """The lines without their times: a write shows its own line with the time at which it begins."""
    return Counter(line.partition(" UTC - ")[2] or line for line in text.splitlines())


def judge_repeated_writes(people: People) -> Iterator[str]:
    """Each value that was written to one field of a side more than three times in an hour."""
    for record in people.opportunities():
        written: dict[tuple[Side | None, str | None], list[Line]] = {}
        for line in reversed(people.harness.store.audit(record["Id"])):
            if line.rule == CONFIRMED and line.code == "changed":
                kept = written.setdefault((line.side, line.field), [])
                kept[:] = [one for one in kept if one.after == line.after and line.at - one.at < WITHIN] + [line]
                if len(kept) > MOST_WRITES:
                    yield f"repeated: {line.side} {line.field} {line.after} of {record['Id']} at {line.at}"
