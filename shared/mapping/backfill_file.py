"""Write the proposals of a first load as a CSV file, and read the file that a person has reviewed.

Only `decision`, `referral_id` and `opportunity_id` are used. The names and amounts beside them must still be those of
these records: a spreadsheet that sorts one column alone would otherwise link strangers. Dates are for reading, because
spreadsheets write them anew.

Source: docs/reference/backfill.md#the-file.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from msgspec import Struct

from shared.domain.scope import OPPORTUNITY_ID, long_id

LINK, SKIP = "link", "skip"
KEYS = ("decision", "referral_id", "opportunity_id")
GUARDS = ("referral_name", "opportunity_name", "referral_money", "opportunity_money")
"""The columns whose values must be those of the records when the file is applied."""
DATES = ("referral_closing", "opportunity_closing")
COLUMNS = (
    "decision", "score", "reasons", "referral_id", "opportunity_id", "referral_name", "opportunity_name",
    "referral_customer", "opportunity_customer", "referral_money", "opportunity_money", *DATES,
    "referral_status", "opportunity_status", "ticked",
)  # fmt: skip
MOST_FAULTS = 20
_REFERRAL_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DELIMITERS = {",": "", ";": "semicolons", "\t": "tabs"}
_FORMULA = "=+-@'\t"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


class Row(Struct, frozen=True):
    """A line of the file that is to be linked, and what it says of both records beside their ids."""

    line: int
    referral_id: str
    opportunity_id: str
    guards: Mapping[str, str]


class ReviewedFile(Struct, frozen=True):
    """The rows to link, and what is wrong with the file: then nothing of it is used.

    `notes` say what a spreadsheet has changed that harms nothing. `skipped` and `undecided` count the other lines.
    """

    rows: tuple[Row, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: int = 0
    undecided: int = 0


# --- writing


def file_text(lines: Iterable[Mapping[str, str]]) -> str:
    """The text of a file with these lines. It begins with a mark by which spreadsheets know that it is UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe_cell(line.get(name, "")) for name in COLUMNS] for line in lines)
    return f"\ufeff{out.getvalue()}"


def safe_cell(text: str) -> str:
    """A text that a spreadsheet shows and never calculates, without control characters."""
    plain = _CONTROL.sub(" ", text).strip()
    return f"'{plain}" if plain[:1] in _FORMULA and plain else plain


# --- reading


def read_file(content: bytes) -> ReviewedFile:
    """Return what the bytes of a reviewed file decide."""
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return _wrong(f"line {line}: is no UTF-8 text. Save the file as CSV UTF-8.")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        lines = [*_lines_of(text, delimiter)]
    except csv.Error as error:
        return _wrong(f"{error}. Save the file as CSV again; quotation marks must be in pairs.")
    if not lines:
        return _wrong(f"is empty. The first line has the headings: {', '.join(COLUMNS)}.")
    separated = _DELIMITERS[delimiter]
    notes = (f"A spreadsheet has separated the columns by {separated}: they are read so.",) if separated else ()
    return _read_lines(lines, notes)


def _wrong(*faults: str) -> ReviewedFile:
    return ReviewedFile(faults=faults)


def _lines_of(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader, begin = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1
    for cells in reader:
        if any(map(str.strip, cells)):
            yield begin, cells
        begin = reader.line_num + 1


def _read_lines(lines: Sequence[tuple[int, list[str]]], notes: tuple[str, ...]) -> ReviewedFile:
    (_, headings), *rest = lines
    names = [heading.strip().casefold() for heading in headings]
    lacking = [name for name in (*KEYS, *GUARDS) if names.count(name) != 1]
    if lacking:
        return _wrong(
            f"lacks the columns {', '.join(lacking)}, or has them twice. Write the proposals again, and change the"
            " cells of decision and opportunity_id only: the other columns show that each line is still whole."
        )
    rows, faults, counts = list[Row](), list[str](), Counter[str]()
    has_other_dates = False
    for line, cells in rest:
        values = dict.fromkeys(names, "") | {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
        if any(map(str.strip, cells[len(names) :])):
            faults.append(f"line {line}: has more cells than the headings. Write the file again.")
        has_other_dates |= not all(_is_day(values.get(name, "")) for name in DATES)
        decision = values["decision"].casefold()
        counts[decision] += 1
        if decision not in (LINK, SKIP, ""):
            faults.append(f"line {line}: the decision is {values['decision']!r}. It is link, skip, or empty.")
        elif decision == LINK:
            faults += _faults_of(values, line)
            rows.append(_row_of(values, line))
    faults += _doubled(rows)
    if faults:
        more = [f"and {len(faults) - MOST_FAULTS} more lines are wrong"] if len(faults) > MOST_FAULTS else []
        return _wrong(*faults[:MOST_FAULTS], *more)
    if has_other_dates:
        notes += ("A spreadsheet has written dates in another form: they are not compared with the records.",)
    return ReviewedFile(tuple(rows), (), notes, counts[SKIP], counts[""])


def _is_day(text: str) -> bool:
    try:
        return not text or bool(date.fromisoformat(text))
    except ValueError:
        return False


def _faults_of(values: Mapping[str, str], line: int) -> Iterator[str]:
    if not _REFERRAL_ID.fullmatch(values["referral_id"].lower()):
        yield f"line {line}: referral_id is {values['referral_id']!r}, which is no referral id. Write the file again."
    if not OPPORTUNITY_ID.fullmatch(values["opportunity_id"]):
        shown = repr(values["opportunity_id"]) if values["opportunity_id"] else "empty"
        yield f"line {line}: opportunity_id is {shown}. Enter the id of an opportunity: 15 or 18 characters from 006."


def _row_of(values: Mapping[str, str], line: int) -> Row:
    guards = {name: values.get(name, "") for name in GUARDS}
    return Row(line, values["referral_id"].lower(), long_id(values["opportunity_id"]), guards)


def _doubled(rows: Sequence[Row]) -> Iterator[str]:
    """Each record can be linked once."""
    for name in ("referral_id", "opportunity_id"):
        first: dict[str, int] = {}
        for row in rows:
            key = getattr(row, name)
            if first.setdefault(key, row.line) != row.line:
                yield f"line {row.line}: links {key}, as line {first[key]} does. Let one of them be skip."
