"""A row that this build cannot read: a later build wrote it, or it is damaged. A calm later it can be read again.

Sources: docs/protocol.md#rows-of-other-builds, docs/protocol.md#rule-7-one-bad-record-harms-no-other.

While it cannot be read, its deal is left alone, told and waits, and all others agree. Then the deal is judged as any.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from shared.domain.deal import Side
from shared.foundation.errors import UnreadableRow
from shared.store.row_codec import FORMAT_VERSION, pack, unpack
from shared.store.rows import Put
from tests.simulation.judges.bad_records import judge_unreadable
from tests.simulation.moves import Move
from tests.simulation.people import People

UNREADABLE = "rows that this build cannot read"
LINK = "link"


@dataclass
class Unreadable:
    """A deal with such a row.

    pair    the ids of its opportunity and its referral
    data    the row as it was before
    edits   the number of edits that people had made by then
    writes  all writes since then
    told    the keys of rows that a run has told as unreadable since then
    """

    pair: tuple[str, str]
    data: bytes
    edits: int
    writes: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)


def _damages_a_row(people: People) -> bool:
    """A later build writes the row of a deal on which no run works, or the row is damaged."""
    entries = [] if people.unreadable else [people.harness.store.link(one["Id"]) for one in people.opportunities()]
    at_rest = [one.value for one in entries if one and one.value.intent is None and one.value.referral_id]
    if not at_rest:
        return False
    link = people.chance.choice(at_rest)
    rows, partition = people.harness.store._rows, f"O|{link.opportunity_id}"
    row = rows.get(partition, LINK)
    assert row is not None
    people.unreadable[link.opportunity_id] = Unreadable(
        (link.opportunity_id, str(link.referral_id).lower()), row.data, len(people.edits)
    )
    later = pack({**unpack(row.data), "state": "winding_down"})
    newer = bytes((FORMAT_VERSION + 1,)) + row.data[1:]
    rows.write(partition, [Put(LINK, people.chance.choice((later, newer, row.data[:-3])))])
    return True


UNREADABLE_MOVES = (Move("a row cannot be read any more", 30, _damages_a_row, "", UNREADABLE),)


def rests(people: People, deal: str) -> bool:
    """Whether a deal is linked, no run works on it, and none was interrupted there."""
    try:
        entry = people.harness.store.link(deal)
    except UnreadableRow:
        return False
    return entry is not None and entry.value.intent is None


def keep_write(people: People, write: str) -> None:
    """Keep a write, to see whether it is one of a deal whose row cannot be read."""
    for row in people.unreadable.values():
        row.writes.append(write)


def make_readable(people: People) -> bool:
    """A build is deployed that reads the rows; whether there were any."""
    for deal, row in people.unreadable.items():
        people.harness.store._rows.write(f"O|{deal}", [Put(LINK, row.data)])
    there_were = bool(people.unreadable)
    people.unreadable.clear()
    return there_were


def judge_unreadable_rows(people: People, findings: Iterable[str]) -> Iterator[str]:
    """The findings about all other deals, and what is wrong with those whose rows cannot be read."""
    for finding in findings:
        is_doubled = finding.startswith("doubled")
        if is_doubled or not any(key in finding.lower() for key in _ids(people)):
            yield finding
    for deal, row in people.unreadable.items():
        ids = {deal.lower(), row.pair[1]}
        if any(edit.record.lower() in ids for edit in people.edits[row.edits :]):
            yield from judge_unreadable(row.pair, row.writes, row.told, is_waiting=_waits(people, ids))
        else:
            yield from judge_unreadable(row.pair, row.writes, row.pair, is_waiting=True)


def _ids(people: People) -> list[str]:
    return [key.lower() for row in people.unreadable.values() for key in row.pair]


def _waits(people: People, ids: Collection[str]) -> bool:
    return any(entry.key.lower() in ids for side in Side for entry in people.harness.all_retry_entries(side))
