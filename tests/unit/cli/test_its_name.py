"""The command calls itself what a person calls it, however it was started."""

import sys
from pathlib import Path

import pytest

import shared.cli
from shared.cli.main import main


@pytest.mark.parametrize("arguments", [["--help"], ["doctor", "--nonsense"], ["webhook"]])
def test_usage_names_the_command(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # As `python -m shared.cli` starts it: the library then reads the module's name off `__main__`.
    monkeypatch.setattr(sys, "argv", [str(Path(shared.cli.__file__).with_name("__main__.py")), *arguments])
    monkeypatch.setattr(sys.modules["__main__"], "__package__", "shared.cli")
    with pytest.raises(SystemExit):
        main()
    told = "".join(capsys.readouterr())
    assert "Usage: cosell" in told
    assert "python" not in told
