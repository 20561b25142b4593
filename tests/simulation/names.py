"""What people do with the names of deals, in seeds of their own, and what a mark in front of a name must say."""

from collections.abc import Collection, Iterator
from pathlib import Path

from shared.mapping.schema import DEFAULT
from tests.simulation.held_values import NAME_MARK, Record
from tests.simulation.moves import Move, of_colleague, of_seller
from tests.simulation.people import People
from tests.unit.sync.harness import Harness

NAMES = "people who rename deals"
TAKEN = "a Partner Center that takes new names"
MARKED = "a mapping file that shows the mark in front of names"
SIGNS = {"Synced": "✔", "Synced with differences": "⚠", "Failed": "✘", "Waiting": None}
MARKED_FILE = Path(__file__).with_name("marked.toml")


def _new_name(people: People, old: str) -> str:
    """A new name. Sellers mostly edit the text behind the mark."""
    mark = NAME_MARK.match(old)
    kept = mark[0] if mark and people.chance.random() < 0.7 else ""
    return f"{kept}Renamed {next(people.numbers)}."


NAME_MOVES: tuple[Move, ...] = (
    of_seller("renames", 14, "name", lambda people, old: {"Name": _new_name(people, old["Name"])}, NAMES),
    of_colleague("renames", 10, "name", lambda people, old: {"name": _new_name(people, old["name"])}, NAMES),
)


def mapping_of(also: Collection[str]) -> Path:
    """The mapping file of a seed."""
    return MARKED_FILE if MARKED in also else DEFAULT


def begin_with_names(harness: Harness, also: Collection[str]) -> None:
    """Let Partner Center take new names in the seeds that ask for it."""
    if TAKEN in also:
        harness.partner_center.switches.extra_paths = ("/name",)


def takes_names(harness: Harness) -> bool:
    """Whether Partner Center takes new names."""
    return "/name" in harness.partner_center.switches.extra_paths


def judge_name_marks(people: People, unmarked: Collection[str]) -> Iterator[str]:
    """Each ticked deal with another mark in front of its name than its status says, but for the `unmarked` ones."""
    marked = (one for one in people.opportunities() if MARKED in people.also and one["Id"] not in unmarked)
    for record in marked:
        if record["Sync_with_Partner_Center__c"] and _sign(record) != SIGNS[record["Sync_Status__c"]]:
            yield f"marked: {record['Id']} is {record['Sync_Status__c']}, and its name is {record['Name']!r}"


def _sign(record: Record) -> str | None:
    found = NAME_MARK.match(record["Name"])
    return found[0].strip() if found else None
