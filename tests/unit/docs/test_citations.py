"""Every citation resolves: `docs/protocol.md#merge` names a page and a heading that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docs.docs_reader import ROOT, anchors, tracked

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
DATA = ("package-lock.json", "f9a8dde.json", "f9a8dde_systems.json")


def cited_texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        if path.suffix in SUFFIXES and path.name not in DATA and path != Path(__file__):
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def test_every_citation_names_a_heading_that_exists() -> None:
    unresolved = [
        f"{path}: {page}#{anchor}"
        for path, text in cited_texts()
        for page, anchor in CITATION.findall(text)
        if not (ROOT / page).is_file() or (anchor and anchor not in anchors(ROOT / page))
    ]
    assert unresolved == []


@pytest.mark.parametrize("kind", UNRESOLVABLE)
def test_no_citation_is_of_a_kind_that_cannot_resolve(kind: str) -> None:
    own_reference = re.compile(r"^docs/reference/")
    found = [
        f"{path}: {match[0]}"
        for path, text in cited_texts()
        for match in UNRESOLVABLE[kind].finditer(text)
        if not own_reference.match(str(path))
    ]
    assert found == []


def test_the_rules_of_the_product_cite_their_sources() -> None:
    """At f9a8dde 228 citations led nowhere; they were replaced, not removed."""
    count = sum(
        bool(anchor) for path, text in cited_texts() if path.suffix != ".md" for _, anchor in CITATION.findall(text)
    )
    assert count >= 228
