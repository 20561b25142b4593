"""Reads the docs for tests: sections, tables, links and anchors of Markdown pages, and the files that git tracks."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
TOP_PAGES = tuple(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY"))
PAGES = (*TOP_PAGES, *sorted(DOCS.rglob("*.md")))

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


PAGE_NAMES = [str(path.relative_to(DOCS if path.is_relative_to(DOCS) else ROOT)) for path in PAGES]
"""The names of the pages, as `page_text` takes them."""


@cache
def page_text(page: str) -> str:
    """The text of a page of `docs`, or of the top level."""
    path = DOCS / page
    return (path if path.exists() else ROOT / page).read_text(encoding="utf-8")


def section_text(page: str, heading: str) -> str:
    """The text under a heading, up to the next heading of the same level or higher. Raises KeyError."""
    match = re.search(rf"^(#+) {re.escape(heading)}\n", page_text(page), re.MULTILINE)
    if match is None:
        raise KeyError(f"{page} has no heading {heading!r}")
    rest = page_text(page)[match.end() :]
    return re.split(rf"^#{{1,{len(match[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def table_cells(markdown: str) -> list[list[str]]:
    """The cells of each line of all tables, without the header lines."""
    result: list[list[str]] = []
    lines = markdown.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_body_line = line.startswith("|") and not following.startswith("| ---") and not line.startswith("| ---")
        if is_body_line:
            result.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return result


def prose_blocks(markdown: str) -> Iterator[str]:
    """Each paragraph and each list item as one line, without headings, tables and code blocks."""
    block: list[str] = []
    for line in [*_FENCED.sub("", markdown).splitlines(), ""]:
        text = line.strip()
        starts_item = re.match(r"(?:[-*]|\d+\.) ", text)
        if block and (not text or starts_item or text.startswith(("|", "#"))):
            yield " ".join(block)
            block = []
        if text and not text.startswith(("|", "#")):
            block.append(text[starts_item.end() :] if starts_item else text)


def cells_by_name(page: str, heading: str) -> Mapping[str, list[str]]:
    """The further cells of each table line under a heading, by the name in backticks that its first cell holds.

    Lines whose first cell does not start with a name in backticks are left out.
    """
    named_lines = [line for line in table_cells(section_text(page, heading)) if line[0].startswith("`")]
    cells = {name: [cell.strip() for cell in line[1:]] for line in named_lines for name in code_names(line[0])}
    assert len(cells) == sum(len(code_names(line[0])) for line in named_lines), (
        f"{page}, {heading}: a name is listed twice"
    )
    return cells


def code_names(cell: str) -> list[str]:
    """The names in backticks of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def without_backticks(cell: str) -> str:
    """The text of a cell without backticks."""
    return cell.replace("`", "").strip()


def link_targets(path: Path) -> list[str]:
    """The targets of the links on a page."""
    return _LINK.findall(_FENCED.sub("", path.read_text(encoding="utf-8")))


@cache
def heading_anchors(path: Path) -> frozenset[str]:
    """The anchors of the page's headings, as GitHub forms them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


@cache
def tracked_files() -> tuple[Path, ...]:
    """The files that git tracks; empty if this is not a git checkout."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    return tuple(path for name in process.stdout.split("\0") if name and (path := ROOT / name).is_file())


def is_frozen(path: Path) -> bool:
    """Whether a file belongs to the templates of an early version, which name pages of that version."""
    return path.is_relative_to(ROOT / "tests/unit/infra/azure/compiled")


@cache
def python_sources(folder: str) -> Mapping[Path, str]:
    """The text of each Python file under a folder."""
    return {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py"))}


def matches_in(folder: str, pattern: str) -> Iterator[str]:
    """The first group of each match of a pattern in the Python files under a folder."""
    expression = re.compile(pattern)
    for code in python_sources(folder).values():
        yield from (match[1] for match in expression.finditer(code))
