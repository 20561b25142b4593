"""Each row of the page about bad input names tests that exist, and an outcome that a person can read."""

import re

from tests.unit.docs.docs_reader import ROOT

PAGE = ROOT / "docs/reference/bad-input.md"


def rows() -> list[list[str]]:
    """The cells of each row of the page's table."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_every_row_says_outcome_telling_and_remedy_and_names_tests_that_exist() -> None:
    missing = []
    for cells in rows():
        assert len(cells) == 5, cells[0]
        assert all(cells), cells[0]
        tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", cells[4])
        assert tests, cells[0]
        missing += [name for file, name in tests if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")]
    assert missing == []
    assert len(rows()) >= 8
