"""Compare what a command prints with the text of a file, without what each run makes anew: times, ids, ages."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.cli.next_command import CommandOptions
from shared.cli.output import Output

GOLDEN = Path(__file__).parent / "golden"
WIDTH = 100
_CHANGING = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "0000-00-00 00:00:00"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*", "0000-00-00T00:00:00"),
    (r'(?<!": )"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\?"', "ETAG"),
    (r"\b(mapping|hash) [0-9a-f]{12}\b", r"\1 000000000000"),
    (r"default\.toml, line \d+", "default.toml, line 0"),
    (r"\b[0-9a-f]{32}\b", "f" * 32),
    (r"\b\d+ (s|min)\b", r"0 \1"),
)
_CHANGING_NUMBERS = ((r'("\w*seconds": )\d+', r"\g<1>0"),)


def golden_output(env: str = "local", *, as_json: bool = False) -> Output:
    """The output of a command at the width of the texts."""
    output = Output(as_json=as_json, complete=CommandOptions(env).complete)
    output.console.width = WIDTH
    return output


def check_golden_document(name: str, printed: str, replaced: Mapping[str, str] | None = None) -> None:
    """Compare a JSON document likewise, with one line for each value."""
    document = json.dumps(json.loads(printed), indent=1, ensure_ascii=False)
    for pattern, shown in _CHANGING_NUMBERS:
        document = re.sub(pattern, shown, document)
    check_golden(name, f"{document}\n", replaced)


def check_golden(name: str, printed: str, replaced: Mapping[str, str] | None = None) -> None:
    """Compare with the text that was printed before; a text that was removed is written again."""
    for known, shown in (replaced or {}).items():
        printed = printed.replace(known, shown.ljust(len(known))[: len(known)])
    for pattern, shown in _CHANGING:
        printed = re.sub(pattern, shown, printed)
    path = GOLDEN / f"{name}.txt"
    if not path.exists():
        path.write_text(printed, encoding="utf-8")
        pytest.fail(f"{path.name} was not there: it is written now. Look at it, and run the test again")
    assert printed == path.read_text(encoding="utf-8")
