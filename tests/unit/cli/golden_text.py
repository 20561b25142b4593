"""Compare what a command prints with the text of a file, without what each run makes anew: times, ids, ages."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
WIDTH = 100
_CHANGING = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "0000-00-00 00:00:00"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*", "0000-00-00T00:00:00"),
    (r'"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"', "ETAG"),
    (r"mapping [0-9a-f]{12}\b", "mapping MAPPING"),
    (r"\b[0-9a-f]{32}\b", "f" * 32),
    (r"\b\d+ (s|min)\b", r"0 \1"),
)


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
