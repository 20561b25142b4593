"""The record that a mapping file was checked counts for exactly that file and exactly the code that checked it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.mapping.checked_file import RECORD, make_record, unchecked_reason

CODE = {
    "requirements.txt": b"pydantic==2",
    "shared/domain/deal.py": b"deal = 1",
    "shared/mapping/schema.py": b"schema = 1",
    "shared/mapping/default.toml": b"version = 1",
    "shared/sync/runs.py": b"runs = 1",
}
MAPPING = b'extends = "default"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of an app whose mapping file was checked when its zip was made."""
    for name, data in {**CODE, "mapping/staging.toml": MAPPING, RECORD: make_record(MAPPING, CODE)}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def reason_in(home: Path) -> str | None:
    return unchecked_reason(home / "mapping/staging.toml", home)


def test_a_file_that_was_checked_by_this_code_need_not_be_checked_again(home: Path) -> None:
    assert reason_in(home) is None


def test_code_that_does_not_check_the_file_does_not_matter(home: Path) -> None:
    (home / "shared/sync/runs.py").write_bytes(b"runs = 2")
    (home / "shared/mapping/__pycache__").mkdir()
    (home / "shared/mapping/__pycache__/schema.cpython-313.pyc").write_bytes(b"x")
    assert reason_in(home) is None


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no record": (lambda home: (home / RECORD).unlink(), "no_record"),
    "no JSON": (lambda home: (home / RECORD).write_bytes(b"\xff"), "unreadable"),
    "no object": (lambda home: (home / RECORD).write_bytes(b"[]"), "unreadable"),
    "a hash is missing": (lambda home: (home / RECORD).write_bytes(b'{"mapping": "x"}'), "unreadable"),
    "the file changed": (lambda home: (home / "mapping/staging.toml").write_bytes(MAPPING + b"#"), "other_file"),
    "the code changed": (lambda home: (home / "shared/mapping/schema.py").write_bytes(b"schema = 2"), "other_code"),
    "the domain changed": (lambda home: (home / "shared/domain/deal.py").write_bytes(b"deal = 2"), "other_code"),
    "a module is new": (lambda home: (home / "shared/mapping/new.py").write_bytes(b""), "other_code"),
    "a module is gone": (lambda home: (home / "shared/domain/deal.py").unlink(), "other_code"),
    "the default changed": (lambda home: (home / "shared/mapping/default.toml").write_bytes(b""), "other_code"),
    "a package changed": (lambda home: (home / "requirements.txt").write_bytes(b"pydantic==3"), "other_code"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_record_that_does_not_match_is_ignored(home: Path, change: str) -> None:
    work, reason = CHANGES[change]
    work(home)
    assert reason_in(home) == reason


def test_another_version_of_python_is_other_code(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 99, 0))
    assert reason_in(home) == "other_code"
