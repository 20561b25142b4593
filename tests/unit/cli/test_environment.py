"""`.cosell/NAME.toml` belongs to the folder where a command is typed, and so does the mapping file that it names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.cli.environment import Environment, read_environment, write_environment
from shared.foundation.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    for name in ("MAPPING", "STORE_FILE", "AZURE_CREDENTIAL"):
        os.environ.pop(name, None)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_relative_mapping_file_is_looked_for_in_the_current_folder(tmp_path: Path) -> None:
    Environment("staging", {"MAPPING": "mapping/staging.toml"}).apply_to_process()
    assert os.environ["MAPPING"] == str(tmp_path / "mapping" / "staging.toml")


@pytest.mark.parametrize("value", ["", "/etc/cosell/acme.toml"])
def test_an_empty_or_absolute_mapping_file_stays_as_it_is(value: str) -> None:
    Environment("staging", {"MAPPING": value}).apply_to_process()
    assert os.environ["MAPPING"] == value


def test_the_shell_has_the_last_word_about_the_mapping_file() -> None:
    os.environ["MAPPING"] = "mapping/mine.toml"
    Environment("staging", {"MAPPING": "mapping/staging.toml"}).apply_to_process()
    assert os.environ["MAPPING"] == "mapping/mine.toml"


def test_the_file_of_an_environment_keeps_the_relative_name() -> None:
    write_environment(Environment("staging", {"MAPPING": "mapping/staging.toml"}))
    environment = read_environment("staging")
    environment.apply_to_process()
    assert environment.settings == {"MAPPING": "mapping/staging.toml"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("local", "start `make serve` or `make trouble` and let it run, or change to the folder where it runs"),
        ("staging", "run `make deploy ENV=staging` first, or change to the folder where it ran"),
    ],
)
def test_a_missing_file_names_each_command_that_makes_it(name: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}.toml does not exist: {said}$"):
        read_environment(name)
