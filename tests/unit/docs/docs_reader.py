"""Reads the docs for tests: sections, tables, links and anchors of Markdown, and what git tracks."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
TOP = tuple(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY"))
PAGES = (*TOP, *sorted(DOCS.rglob("*.md")))

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


NAMES = [str(path.relative_to(DOCS if path.is_relative_to(DOCS) else ROOT)) for path in PAGES]
"""The pages as `text` takes them."""


@cache
def text(page: str) -> str:
    """A page of docs/, or of the top level."""
    path = DOCS / page
    return (path if path.exists() else ROOT / page).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its rank or higher. Raises KeyError."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n", text(page), re.MULTILINE)
    if found is None:
        raise KeyError(f"{page} has no heading {heading!r}")
    rest = text(page)[found.end() :]
    return re.split(rf"^#{{1,{len(found[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(markdown: str) -> list[list[str]]:
    """The cells of all tables, without heads and rules."""
    found: list[list[str]] = []
    lines = markdown.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_table = line.startswith("|") and not following.startswith("| ---") and not line.startswith("| ---")
        if is_table:
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def table(page: str, heading: str) -> Mapping[str, list[str]]:
    """The rows under a heading by their first cell, a name in code; a cell of words only is no name."""
    listed = [row for row in rows(section(page, heading)) if row[0].startswith("`")]
    named = {name: [cell.strip() for cell in row[1:]] for row in listed for name in names(row[0])}
    assert len(named) == sum(len(names(row[0])) for row in listed), f"{page}, {heading}: a name stands twice"
    return named


def names(cell: str) -> list[str]:
    """The names in code of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def bare(cell: str) -> str:
    """A cell without marks of code."""
    return cell.replace("`", "").strip()


def links(path: Path) -> list[str]:
    """The targets of a page's links."""
    return _LINK.findall(_FENCED.sub("", path.read_text(encoding="utf-8")))


def anchors(path: Path) -> set[str]:
    """What a link to a heading of the page may name."""
    heads = re.findall(r"^#+ (.+)$", _FENCED.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@cache
def tracked() -> tuple[Path, ...]:
    """The files that git tracks; none where this is no checkout."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    return tuple(path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file())


@cache
def sources(folder: str) -> Mapping[Path, str]:
    """The Python sources under a folder."""
    return {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py"))}


def found_in(folder: str, pattern: str) -> Iterator[str]:
    """Every first group of a pattern in the sources under a folder."""
    expression = re.compile(pattern)
    for code in sources(folder).values():
        yield from (match[1] for match in expression.finditer(code))
