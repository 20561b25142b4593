"""Every citation resolves: `docs/protocol.md#merge` names a page and a heading that exist."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.unit.docs.docs_reader import ROOT, heading_anchors, is_frozen, tracked_files

CITATION = re.compile(r"\b(docs/(?:[\w-]+/)*[\w-]+\.md)(?:#([\w-]+))?")
UNRESOLVABLE = {
    "a section number": re.compile(
        r"(?:partner-center|salesforce|azure|protocol|design|features|official-connector|examples-to-follow)\.md"
        r",? (?:sections? )?[A-Z]?\d"
    ),
    "a bare section": re.compile(r"\bsections? \d"),
    "a page that is not in the repository": re.compile(
        r"\b(?:design|features|official-connector|examples-to-follow)\.md|(?<!docs/)(?<!\]\()reference/[\w-]+\.md"
    ),
}
SUFFIXES = {".py", ".toml", ".bicep", ".bicepparam", ".xml", ".json", ".yaml", ".yml", ".md", ".cjs"}
FEWEST_CITATIONS = 440
DATA = ("package-lock.json", "f9a8dde.json", "f9a8dde_systems.json")


@cache
def cited_texts() -> list[tuple[Path, str]]:
    """The files, each with those of its lines that can hold a citation: the patterns need one of these words."""
    return [
        (path.relative_to(ROOT), "\n".join(line for line in _lines_of(path) if ".md" in line or "section" in line))
        for path in tracked_files()
        if path.suffix in SUFFIXES and path.name not in DATA and path != Path(__file__) and not is_frozen(path)
    ]


def _lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")


def test_every_citation_names_a_heading_that_exists() -> None:
    unresolved = [
        f"{path}: {page}#{anchor}"
        for path, text in cited_texts()
        for page, anchor in CITATION.findall(text)
        if not (ROOT / page).is_file() or (anchor and anchor not in heading_anchors(ROOT / page))
    ]
    assert unresolved == []


@pytest.mark.parametrize("kind", UNRESOLVABLE)
def test_no_citation_names_a_section_number_or_a_page_outside_the_repository(kind: str) -> None:
    reference_pages = re.compile(r"^docs/reference/")
    unresolvable = [
        f"{path}: {match[0]}"
        for path, text in cited_texts()
        for match in UNRESOLVABLE[kind].finditer(text)
        if not reference_pages.match(str(path))
    ]
    assert unresolvable == []


def test_the_rules_of_the_product_cite_their_sources() -> None:
    """At commit f9a8dde, 228 citations did not resolve. They were replaced, not removed, and more were added."""
    count = sum(
        bool(anchor) for path, text in cited_texts() if path.suffix != ".md" for _, anchor in CITATION.findall(text)
    )
    assert count >= FEWEST_CITATIONS
