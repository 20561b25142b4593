"""Hands the audit lines of the store to their judge (`judges/audit_lines.py`), as plain values."""

from collections.abc import Iterator

from shared.domain.audit import CONFIRMED, Line
from tests.simulation.judges.audit_lines import StoredLine, doubled_lines, repeated_writes, untold_lines
from tests.simulation.moves import TICK
from tests.simulation.people import People


def judge_lines(people: People) -> Iterator[str]:
    """What the audit lacks of each opportunity that is ticked, and what was written again and again."""
    for record in people.opportunities():
        stored = [_plain(line) for line in reversed(people.harness.store.audit(record["Id"]))]
        yield from untold_lines(record["Id"], stored, record["Audit__c"] or "") if record[TICK] else ()
        yield from doubled_lines(record["Id"], stored)
        yield from repeated_writes(record["Id"], stored)


def _plain(line: Line) -> StoredLine:
    is_written = line.rule == CONFIRMED and line.code == "changed" and line.side and line.field
    return StoredLine(line.at, line.text, (str(line.side), str(line.field), str(line.after)) if is_written else None)
