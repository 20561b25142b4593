"""Read the portal's list of solutions, a CSV file, and say what is wrong with it by line and column.

The columns may have any order, and further ones between them.

Source: docs/reference/commands.md#cosell-salesforce-solutions-file.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shared.domain.solution_catalogue import Solution
from shared.mapping.solution_ids import spell_id

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("Solution Identifier", "Solution ID", "Identifier", "ID"),
    "name": ("Solution Name", "Name"),
    "type": ("Solution Type", "Type"),
    "publisher": ("Publisher Name", "Publisher"),
    "co_sell_ready": ("Co-sell Ready", "Is Co-sell Ready"),
    "active": ("Active", "Is Active"),
}
"""The headings that each column may have, in any letter case, with any signs between the letters. The first counts."""
LONGEST: Mapping[str, int] = {"name": 80, "type": 40, "publisher": 255}
"""The characters that Salesforce holds. A longer name is cut; a longer value of another column is wrong."""
DELIMITERS = ",;\t"
MOST_FAULTS = 20
_YES = frozenset(("yes", "y", "true", "1", "x", "ready", "active"))
_NO = frozenset(("no", "n", "false", "0", "not ready", "inactive"))
_EXAMPLE = "Solution Identifier, Solution Name, Type, Publisher Name"


class CatalogueFile(Struct, frozen=True):
    """The solutions of a file, in its order, and what is wrong with it: then nothing of it is used.

    `columns` are those that the file has; `cut` are the lines whose name was cut.
    """

    solutions: tuple[Solution, ...] = ()
    faults: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()
    cut: tuple[int, ...] = ()


def read_catalogue_file(content: bytes) -> CatalogueFile:
    """Return what the bytes of a file list."""
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return _wrong(f"line {line}: is no UTF-8 text. Save the file as CSV UTF-8.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter_of(text), strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        begin = 1
        for cells in reader:
            if any(map(str.strip, cells)):
                lines.append((begin, cells))
            begin = reader.line_num + 1
    except csv.Error as error:
        return _wrong(f"line {reader.line_num}: {error}. Save the file as CSV again; quotation marks must be in pairs.")
    return _read_lines(lines) if lines else _wrong(f"is empty. The first line has the headings: {_EXAMPLE}.")


def _wrong(*faults: str) -> CatalogueFile:
    return CatalogueFile(faults=faults)


def _delimiter_of(text: str) -> str:
    """Return the separator that the first line has most often."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=first.count)


def _read_lines(lines: Sequence[tuple[int, list[str]]]) -> CatalogueFile:
    (number, headings), *rest = lines
    places, faults = _places_of(headings, number)
    if faults:
        return _wrong(*faults)
    if not rest:
        return _wrong("lists no solution below its headings. Export the solutions from Partner Center again.")
    found, cut, first = list[Solution](), list[int](), dict[str, Solution]()
    for line, cells in rest:
        values = {name: _cell(cells, place) for name, place in places.items()}
        faults += _faults_of(values, line)
        solution = _solution_of(values, line)
        cut += [line] if len(values.get("name", "")) > LONGEST["name"] else []
        other = first.setdefault(solution.id.casefold(), solution)
        if other is solution:
            found.append(solution)
        elif not other.says_the_same(solution):
            faults.append(f"line {line}: {solution.id} stands on line {other.line} with other values. Delete one line.")
    if faults:
        more = [f"and {len(faults) - MOST_FAULTS} more lines are wrong"] if len(faults) > MOST_FAULTS else []
        return _wrong(*faults[:MOST_FAULTS], *more)
    return CatalogueFile(tuple(found), (), frozenset(places), tuple(cut))


def _places_of(headings: Sequence[str], line: int) -> tuple[dict[str, int], list[str]]:
    """Return the place of each column that is known, and what is wrong with the headings."""
    letters = [_letters(heading) for heading in headings]
    places, faults = dict[str, int](), list[str]()
    for name, listed in COLUMNS.items():
        found = next((known for known in map(_letters, listed) if known in letters), None)
        if found is not None:
            places[name] = letters.index(found)
        if found is not None and letters.count(found) > 1:
            heading = headings[places[name]].strip()
            faults.append(f"line {line}: the heading {heading!r} stands there twice. Delete one of the columns.")
    if "id" not in places:
        read = ", ".join(heading.strip() for heading in headings if heading.strip())[:200]
        faults.append(
            f"line {line}: no column has the ids of the solutions; the headings are: {read}. "
            f"Name it Solution Identifier (example of a first line: {_EXAMPLE})."
        )
    return places, faults


def _letters(heading: str) -> str:
    return "".join(sign for sign in heading.casefold() if sign.isalnum())


def _cell(cells: Sequence[str], place: int) -> str:
    return " ".join(cells[place].split()) if place < len(cells) else ""


def _faults_of(values: Mapping[str, str], line: int) -> Iterator[str]:
    if not values["id"]:
        yield f"line {line}: has no solution id. Enter one such as SOL-15974-MQF, or delete the line."
    elif spell_id(values["id"]) is None:
        yield (
            f"line {line}: {values['id'][:60]!r} is no solution id. An id looks like SOL-15974-MQF, or is a GUID: copy "
            "it from Partner Center."
        )
    for name in ("type", "publisher"):
        if len(values.get(name, "")) > LONGEST[name]:
            yield f"line {line}: {COLUMNS[name][0]} has more than {LONGEST[name]} characters. Shorten it."
    for name in ("co_sell_ready", "active"):
        value = values.get(name, "")
        if value and _truth(value) is None:
            yield f"line {line}: {COLUMNS[name][0]} is {value[:40]!r}. Write yes or no, or leave it empty."


def _solution_of(values: Mapping[str, str], line: int) -> Solution:
    return Solution(
        spell_id(values["id"]) or values["id"],
        line,
        values.get("name", "")[: LONGEST["name"]].rstrip() or None,
        values.get("publisher") or None,
        values.get("type") or None,
        _truth(values.get("co_sell_ready", "")),
        _truth(values.get("active", "")),
    )


def _truth(text: str) -> bool | None:
    word = text.casefold()
    return True if word in _YES else False if word in _NO else None
