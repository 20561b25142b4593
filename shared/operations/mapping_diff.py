"""Compare two mapping files: which keys differ, what that means, and how many linked deals it concerns.

It reads the store and writes nothing. Source: docs/protocol.md#a-changed-mapping.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from shared.domain.deal import STATUS, Status
from shared.domain.link import Link
from shared.domain.mapping_change import Approved
from shared.mapping.effective import Effective
from shared.mapping.outbound import outbound_sources
from shared.mapping.violations import Place, describe_place

ENTERS = "compared when a side next changes, and merged by its policy: nothing of it is known yet"
LEAVES = "no longer compared: both sides keep their values"
READ_ANEW = "read in another way: nothing of it is known, so it is merged by its policy when a side next changes"
NEWLY_SENT = "newly sent to Partner Center: its values wait for `cosell approve`"
NOT_SENT = "no longer sent to Partner Center"
NEXT_LOOK = "counts from the next look at a deal"
NEW_DEALS = "counts for new deals only"
STAGES = "these deals have another stage or status: they are written when a side next changes"
_NEW_ONLY = ("owners", "notify_owner", "new", "lead")
_ABSENT = object()


class KeyChange(Struct, frozen=True):
    """One key that differs; a value that a file does not have is None."""

    key: str
    before: Any
    after: Any


class Change(Struct, frozen=True):
    """One table of the mapping that differs: what that means, and how many linked deals it concerns."""

    name: str
    keys: tuple[KeyChange, ...]
    effects: tuple[str, ...]
    links: int


class MappingDiff(Struct, frozen=True):
    """What differs between two files, and how many deals are linked."""

    changes: tuple[Change, ...]
    links: int


def diff_mappings(before: Effective, after: Effective, links: Iterable[Link], approved: Approved | None) -> MappingDiff:
    """Return what differs. `approved` is what may be sent; None where the store says nothing yet."""
    changed = _changed_keys(before, after)
    counts = _count_links(before, after, links)
    found = []
    for name, keys in changed.items():
        effects = tuple(_effects(name, before, after, approved))
        found.append(Change(name, tuple(keys), effects, _links_of(name, before, counts)))
    return MappingDiff(tuple(found), counts["*"])


def _changed_keys(before: Effective, after: Effective) -> Mapping[str, list[KeyChange]]:
    """Return the keys that differ, by table: a field, or a table of the file."""
    old, new = ({key.place: key.value for key in each.keys} for each in (before, after))
    changed: dict[str, list[KeyChange]] = {}
    for place in dict.fromkeys((*old, *new)):
        values = old.get(place, _ABSENT), new.get(place, _ABSENT)
        if values[0] != values[1]:
            was, now = (None if value is _ABSENT else value for value in values)
            changed.setdefault(_table_of(place), []).append(KeyChange(describe_place(place), was, now))
    return changed


def _table_of(place: Place) -> str:
    return describe_place(place[:2]) if place[0] == "fields" else str(place[0])


def _count_links(before: Effective, after: Effective, links: Iterable[Link]) -> Counter[str]:
    """Return how many deals have a value of each field, and a status that the stage tables show differently.

    The key `*` counts all. Deals that have ended are not synced, so they do not count.
    """
    counts, tables = Counter[str](), (before.file.stage_table(), after.file.stage_table())
    for link in links:
        if link.has_ended:
            continue
        counts["*"] += 1
        counts.update(name for name in before.file.fields if name in link.base)
        status = link.base.get(STATUS)
        if isinstance(status, Status) and len({table.stage_for(status) for table in tables}) > 1:
            counts["stages"] += 1
    return counts


def _links_of(name: str, before: Effective, counts: Counter[str]) -> int:
    if name in _NEW_ONLY:
        return 0
    field = name.removeprefix("fields.")
    is_known = name == "stages" or field in before.file.fields
    return counts["stages" if name == "stages" else field] if is_known else counts["*"]


def _effects(name: str, before: Effective, after: Effective, approved: Approved | None) -> Iterator[str]:
    if name in _NEW_ONLY:
        yield NEW_DEALS
        return
    if name == "stages":
        yield STAGES
        return
    field = name.removeprefix("fields.")
    old, new = before.file.fields.get(field), after.file.fields.get(field)
    if old is None and new is None:
        yield NEXT_LOOK
    elif old is None or new is None:
        yield ENTERS if old is None else LEAVES
    elif old.to_rule(field).source != new.to_rule(field).source:
        yield READ_ANEW
    else:
        yield NEXT_LOOK
    yield from _effects_on_sending(field, before, after, approved)


def _effects_on_sending(field: str, before: Effective, after: Effective, approved: Approved | None) -> Iterator[str]:
    old, new = outbound_sources(before.file), outbound_sources(after.file)
    known: Collection[str] = approved.get(field, ()) if approved is not None else [old[field]] if field in old else ()
    if field in new and new[field] not in known:
        yield NEWLY_SENT
    elif field in old and field not in new:
        yield NOT_SENT
