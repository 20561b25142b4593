"""Which test reaches which lines, and how long it takes: only the tests of a line can kill a mutant of the line."""

import json
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest
from msgspec import Struct

from tests.mutants.forks import in_forks
from tests.mutants.items import clean_up, run_item, warm_up
from tests.mutants.line_record import LineRecord
from tests.mutants.switches import switches_by_function


class Reached(Struct, frozen=True):
    """What one test reaches: for each function a number with a bit for each line, the lowest for its first.

    The seconds are those of the processor, so that a busy machine does not count.
    """

    seconds: float
    lines: dict[str, int]
    passes: bool = True


def reach_of_tests(items: list[pytest.Item], file: Path, newest: float, workers: int) -> dict[str, Reached]:
    """What each test reaches, by its id: from the file, and for new tests by running them once.

    The file is of no use if it was written before the newest change of a mutated module.
    """
    known = _without_changed(_read(file), items, file) if file.exists() and file.stat().st_mtime > newest else {}
    new = [item for item in items if item.nodeid not in known]
    parts = [new[number::workers] for number in range(workers)]
    targets = [file.with_suffix(f".{number}") for number in range(workers)]
    for _ in in_forks(zip(targets, map(_measurer, parts, targets), strict=True), workers, seconds=3600):
        pass
    for target in targets:
        known.update(_read(target))
        target.unlink(missing_ok=True)
    _write(file, known)
    ids = {item.nodeid for item in items}
    return {test: reached for test, reached in known.items() if test in ids}


def _without_changed(known: dict[str, Reached], items: list[pytest.Item], file: Path) -> dict[str, Reached]:
    """What is known, without the tests of files that have changed since."""
    written = file.stat().st_mtime
    changed = {item.nodeid for item in items if item.path.stat().st_mtime > written}
    return {test: row for test, row in known.items() if test not in changed}


def _measurer(items: list[pytest.Item], target: Path) -> Callable[[], str]:
    return lambda: _measure(items, target)


def _measure(items: list[pytest.Item], target: Path) -> str:
    record = LineRecord({name: switch.choose_original() for name, switch in switches_by_function().items()})
    found = {}
    for item in items[:1]:
        warm_up(item)
    for item in items:
        record.start()
        start = process_time()
        passes = run_item(item, None)
        if not passes:
            clean_up(item)
        found[item.nodeid] = Reached(round(process_time() - start, 4), dict(record.lines), passes)
    _write(target, found)
    return ""


def _read(file: Path) -> dict[str, Reached]:
    rows: dict[str, list[object]] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return {test: Reached(*row) for test, row in rows.items()}  # type: ignore[arg-type] # as _write wrote it


def _write(file: Path, reached: dict[str, Reached]) -> None:
    rows = {test: [row.seconds, row.lines, row.passes] for test, row in reached.items()}
    file.write_text(json.dumps(rows, indent=0), "utf-8")
