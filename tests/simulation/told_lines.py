"""Judges whether people can read every audit line that the store has (docs/protocol.md#audit-lines)."""

from collections import Counter
from collections.abc import Iterator

from shared.domain.audit_text import audit_text
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
