"""Replace the Azure CLI, or another program, on PATH: record every command line, and play prepared answers."""

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = """#!{python} -IS
import json, pathlib, sys
home = pathlib.Path({home!r})
with (home / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
for answer in json.loads((home / "answers").read_text()):
    words = answer["words"]
    if sys.argv[1:len(words) + 1] == words:
        sys.stdout.write(answer["out"])
        sys.stderr.write(answer["err"])
        sys.exit(answer["code"])
sys.stderr.write("ERROR: no answer was prepared for this command")
sys.exit(2)
"""


@dataclass
class StandInAz:
    """The replaced program. A command gets the newest answer whose words are the start of that command."""

    home: Path

    def answer(self, command: str, out: object = None, *, err: str = "", code: int = 0) -> None:
        """Prepare the answer to a command: `out` as JSON, `err` on stderr, and the exit status `code`."""
        text = "" if out is None else json.dumps(out)
        prepared = json.loads((self.home / "answers").read_text())
        answer = {"words": command.split(), "out": text, "err": err, "code": code}
        (self.home / "answers").write_text(json.dumps([answer, *prepared]))

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call so far."""
        path = self.home / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def put_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "az") -> StandInAz:
    """Create the replacement of the program `name` in `folder` and put it first on PATH."""
    folder.mkdir()
    program = folder / name
    program.write_text(SCRIPT.format(python=sys.executable, home=str(folder)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "answers").write_text("[]")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return StandInAz(folder)
