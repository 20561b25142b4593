"""The file of `cosell --env local` belongs to the first `make serve` of a folder, for as long as that one runs."""

from pathlib import Path

from local.environment_file import publish_environment
from shared.cli.environment import Environment, environment_file, read_environment

FIRST, SECOND = (Environment("local", {"SALESFORCE_URL": f"https://localhost:{port}"}) for port in (1, 2))


def test_the_file_exists_while_its_owner_runs(tmp_path: Path) -> None:
    folder = tmp_path / ".cosell"
    with publish_environment(FIRST, folder) as is_published:
        assert is_published
        assert read_environment("local", folder) == FIRST
    assert not environment_file("local", folder).exists()


def test_a_second_owner_neither_writes_nor_removes_the_file(tmp_path: Path) -> None:
    with publish_environment(FIRST, tmp_path):
        with publish_environment(SECOND, tmp_path) as is_published:
            assert not is_published
        assert read_environment("local", tmp_path) == FIRST
    with publish_environment(SECOND, tmp_path) as is_published:
        assert is_published


def test_a_file_that_a_killed_owner_left_is_replaced(tmp_path: Path) -> None:
    environment_file("local", tmp_path).write_text("[settings]\nSALESFORCE_URL = 'https://localhost:3'\n")
    with publish_environment(FIRST, tmp_path):
        assert read_environment("local", tmp_path) == FIRST
