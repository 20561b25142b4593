"""Each check finds the faults that it exists for, and nothing in a template that only looks different."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.infra.azure.azure_files import ROOT, AzureFiles
from tests.unit.infra.azure.checks import CANNOT_BE_READ, CHECKS, first_fault, run_check
from tests.unit.infra.azure.faults import FAULTS, REWRITES, UNREADABLE


@pytest.fixture(scope="module")
def copied_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files, in which each test puts a fault and takes it out again."""
    folder = tmp_path_factory.mktemp("templates") / "azure"
    shutil.copytree(AzureFiles().folder, folder, ignore=shutil.ignore_patterns("deploy"))
    return folder


@contextmanager
def changed(folder: Path, file: str, pattern: str, new: str, *, count: int = 0) -> Iterator[None]:
    """The folder with a file in which a pattern is replaced."""
    path = folder / file
    source = path.read_text(encoding="utf-8")
    text = re.sub(pattern, new, source, count=count, flags=re.DOTALL if count == 1 else 0)
    assert text != source, "the file no longer has the original text: choose another"
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(source, encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "check", "file", "old", "new"), FAULTS, ids=[f"{check}-{n}" for n, (_, check, *_) in enumerate(FAULTS)]
)
def test_a_check_finds_the_fault(copied_folder: Path, kind: str, check: str, file: str, old: str, new: str) -> None:
    with changed(copied_folder, file, re.escape(old), new.replace("\\", r"\\"), count=1):
        found = first_fault(AzureFiles(copied_folder), "types" if check == UNREADABLE else check)
    assert found, kind
    assert found.startswith(CANNOT_BE_READ) is (check == UNREADABLE), found


@pytest.mark.parametrize("name", REWRITES)
def test_the_checks_find_nothing_in_a_rewrite(copied_folder: Path, name: str) -> None:
    with nested(copied_folder, REWRITES[name]):
        files = AzureFiles(copied_folder)
        assert [fault for check in CHECKS for fault in run_check(files, check)] == []


@contextmanager
def nested(folder: Path, replacements: list[tuple[str, str, str]]) -> Iterator[None]:
    """The folder with several replacements, one after the other."""
    if not replacements:
        yield
        return
    (file, pattern, new), *rest = replacements
    count = 1 if r"\1" in new else 0
    with changed(folder, file, pattern, new, count=count), nested(folder, rest):
        yield


@pytest.mark.parametrize("broken", ["resource x 'A/b@1' = {", "param a string =", "module m 'x.bicep' = { name: }"])
def test_every_check_reports_a_file_that_cannot_be_read(copied_folder: Path, broken: str) -> None:
    with changed(copied_folder, "main.bicep", r"\Z", broken, count=1):
        files = AzureFiles(copied_folder)
        assert all(run_check(files, check) for check in CHECKS)


def test_the_checks_find_nothing_in_an_unchanged_copy(copied_folder: Path) -> None:
    files = AzureFiles(copied_folder)
    assert [fault for check in CHECKS for fault in run_check(files, check)] == []


def test_every_check_has_a_fault_to_find() -> None:
    assert {check for _, check, *_ in FAULTS} == {*CHECKS, UNREADABLE}


def test_the_page_has_the_table_of_the_kinds() -> None:
    page = (ROOT / "docs/reference/azure.md").read_text(encoding="utf-8")
    section = page.split("\n### Checks beyond the compiler\n")[1].split("\n## ")[0]
    rows = {
        (kind, check, int(count))
        for kind, checks, count in re.findall(r"^\| (.+) \| (.+) \| (\d+) \|$", section, re.MULTILINE)
        for check in re.findall(r"`(\w+)`", checks)
    }
    of_kind = Counter(kind for kind, *_ in FAULTS)
    assert rows == {(kind, check, of_kind[kind]) for kind, check, *_ in FAULTS}
