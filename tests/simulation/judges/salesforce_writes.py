"""Judges each write to Salesforce: only columns of the connector's, and of people's only values that differ.

It knows what the connector has read from the answers of Salesforce (docs/protocol.md#rule-4-only-what-changed,
docs/protocol.md#writing-values-that-people-edit).

unowned        a column, object or record that the connector may not write
unconditional  a column of people that is written without the version that was read
unread         a condition on a version that nobody has read
unchanged      a value that the record has already
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.simulation.judges.owned import (
    DELETED,
    INBOX,
    OF_A_NEW_OPPORTUNITY,
    OF_NEW_RECORDS,
    OF_PEOPLE,
    OURS,
)
from tests.simulation.judges.sent_to_salesforce import RecordWrite, read_records, written_records

DEAL = "Opportunity"
Record = Mapping[str, Any]


@dataclass
class SalesforceWrites:
    """What was read of each version, and what is shown: columns that the connector owns in this seed beside its own."""

    shown: Collection[str] = ()
    read: dict[tuple[str, str], list[Record]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, answer: bytes) -> None:
        """Remember the opportunities that an answer shows."""
        for record in read_records(answer, DEAL):
            known = self.read[record["Id"], record["LastModifiedDate"][:19]]
            if record not in known:
                known.append(record)

    def judge(self, method: str, path: str, body: bytes) -> Iterator[str]:
        """What is wrong with a request."""
        for write in written_records(method, path, body):
            yield from self._judge(write)

    def _judge(self, write: RecordWrite) -> Iterator[str]:
        if write.method == "DELETE":
            if write.sobject and write.sobject not in DELETED:
                yield f"unowned: a {write.sobject} is deleted"
        elif write.sobject == DEAL and write.record:
            yield from self._judge_change(write)
        elif write.sobject != INBOX:
            allowed = {*OURS, *OF_PEOPLE, *OF_A_NEW_OPPORTUNITY} if write.sobject == DEAL else None
            yield from _judge_new(write, OF_NEW_RECORDS.get(write.sobject) if allowed is None else allowed)

    def _judge_change(self, write: RecordWrite) -> Iterator[str]:
        columns = write.values.keys() - OURS - set(self.shown)
        if unowned := columns - OF_PEOPLE.keys():
            yield f"unowned: {sorted(unowned)} of {write.record} are written"
        of_people = columns & OF_PEOPLE.keys()
        if of_people and write.stamp is None:
            yield f"unconditional: {sorted(of_people)} of {write.record} are written without a version"
        elif of_people:
            yield from self._judge_values(write, of_people)

    def _judge_values(self, write: RecordWrite, columns: Collection[str]) -> Iterator[str]:
        read = self.read.get((str(write.record), str(write.stamp)), [])
        if not read:
            yield f"unread: {write.record} is written under a version of {write.stamp} that was never read"
            return
        for group in sorted({OF_PEOPLE[column] for column in columns}):
            if all(_is_equal(record, write.values, group) for record in read):
                yield f"unchanged: {group[0]} of {write.record} is written, and is the same already"


def _judge_new(write: RecordWrite, allowed: Collection[str] | None) -> Iterator[str]:
    if allowed is None or (write.method == "PATCH" and write.external is None):
        yield f"unowned: a {write.sobject} is written: {write.method} {sorted(write.values)}"
    elif unowned := write.values.keys() - set(allowed):
        yield f"unowned: {sorted(unowned)} of a new {write.sobject} are written"


def _is_equal(record: Record, values: Record, columns: Collection[str]) -> bool:
    written = [column for column in columns if column in values]
    return all(_plain(record.get(column)) == _plain(values[column]) for column in written)


def _plain(value: object) -> object:
    """A value as both spellings have it: numbers by their size, texts by their lines."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    return (str(value).replace("\r\n", "\n").strip() or None) if value is not None else None
