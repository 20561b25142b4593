"""The command shows its name as `cosell`, however it is started, and its version."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import shared.cli
from shared import __version__
from shared.cli.main import app, main


@pytest.mark.parametrize("arguments", [["--help"], ["doctor", "--nonsense"], ["webhook"]])
def test_the_usage_line_names_the_command_cosell(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # As with `python -m shared.cli`: then the library takes the name from the module `__main__`.
    monkeypatch.setattr(sys, "argv", [str(Path(shared.cli.__file__).with_name("__main__.py")), *arguments])
    monkeypatch.setattr(sys.modules["__main__"], "__package__", "shared.cli")
    with pytest.raises(SystemExit):
        main()
    text = "".join(capsys.readouterr())
    assert "Usage: cosell" in text
    assert "python" not in text


@pytest.mark.parametrize("word", ["--version", "version"])
def test_the_version_is_an_option_and_a_command(word: str) -> None:
    result = CliRunner().invoke(app, [word])
    assert (result.exit_code, result.output) == (0, f"{__version__}\n")
