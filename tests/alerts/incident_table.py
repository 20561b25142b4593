"""The table of incidents (`incidents.toml`), as values and as the lines of docs/reference/azure.md."""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("incidents.toml")


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One incident of the table: see the head of the file."""

    rule: str
    severity: int
    group: str
    story: str
    text: str
    fires: int
    clears: int
    values: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@cache
def expected_incidents() -> tuple[Expected, ...]:
    """All incidents, in the order of the table."""
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return msgspec.convert(table["incident"], tuple[Expected, ...])


def table_lines() -> Iterator[str]:
    """The lines of the table for people."""
    yield "| rule | incident | severity | action group | fires | clears | an alert for each `Name` | also fire |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for each in expected_incidents():
        values, also = (", ".join(f"`{name}`" for name in names) or "none" for names in (each.values, each.also))
        cells = (f"`{each.rule}`", each.text, each.severity, f"`{each.group}`", each.fires, each.clears, values, also)
        yield f"| {' | '.join(map(str, cells))} |"
