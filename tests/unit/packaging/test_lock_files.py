"""The lock files agree: each one adds packages to the one before, and pins no package to another version."""

import re
from itertools import pairwise

import pytest

from tests.unit.packaging.lock_file import ROOT

LOCK_FILES = ("requirements.txt", "requirements-cli.txt", "requirements-local.txt", "requirements-dev.txt")
"""From the smallest set to the largest: Azure, the command `cosell`, `make run`, the tests and checks."""


def pins(name: str) -> set[str]:
    """The pinned packages with version and marker."""
    return set(re.findall(r"^([a-z].*) \\$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("smaller", "larger"), list(pairwise(LOCK_FILES)))
def test_a_larger_lock_file_has_the_same_versions(smaller: str, larger: str) -> None:
    assert pins(smaller) < pins(larger)


def test_make_run_needs_no_tool_of_developers() -> None:
    names = {re.split(r"[=\[]", pin)[0] for pin in pins("requirements-local.txt")}
    assert names & {"pytest", "mypy", "ruff", "hypothesis", "coverage", "hatchling", "tree-sitter"} == set()


@pytest.mark.parametrize("name", LOCK_FILES)
def test_every_pin_has_a_hash(name: str) -> None:
    entries = re.split(r"^(?=[a-z])", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
