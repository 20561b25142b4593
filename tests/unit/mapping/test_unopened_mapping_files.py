"""A mapping file that cannot be opened is described in plain words."""

from pathlib import Path

import pytest

from shared.foundation.errors import ConfigurationError
from shared.mapping.validation import load_mapping


def refusal_of(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_mapping(path)
    return str(caught.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "acme.toml") == "MAPPING: the file acme.toml does not exist."


def test_a_folder_is_reported(tmp_path: Path) -> None:
    assert refusal_of(tmp_path) == f"MAPPING: the file {tmp_path.name} is a folder, not a file."


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionError(13, "Permission denied"), "cannot be read, because the app has no permission"),
        (OSError(5, "Input/output error"), "cannot be read (OSError)"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: OSError, problem: str
) -> None:
    def fail(_: Path) -> bytes:
        raise error

    monkeypatch.setattr(Path, "read_bytes", fail)
    assert refusal_of(tmp_path / "acme.toml") == f"MAPPING: the file acme.toml {problem}."
