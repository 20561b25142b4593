"""The mutants that mypy refuses: `make check` would refuse them too, so no test needs to."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from mutmut.mutation.data import MutantLineSpans

from tests.mutants.workspace import COPY, WORKSPACE

CODES = frozenset({
    "arg-type", "assignment", "attr-defined", "call-arg", "call-overload", "comparison-overlap", "dict-item", "index",
    "list-item", "name-defined", "no-any-return", "operator", "return-value", "str", "type-var", "union-attr",
})  # fmt: skip
"""Only real errors of types: that an expression is redundant (`x or True`) says nothing about the code."""


def mutants_with_type_errors(paths: list[Path]) -> set[str]:
    """The mutants in which mypy finds an error. It is asked again only if a module has changed."""
    known = WORKSPACE / "type-errors.json"
    newest = max((COPY / path).stat().st_mtime for path in paths)
    if not known.exists() or known.stat().st_mtime < newest:
        known.write_text(json.dumps(sorted(_ask_mypy(paths))), "utf-8")
    return set(json.loads(known.read_text("utf-8")))


def _ask_mypy(paths: Iterable[Path]) -> set[str]:
    command = [sys.executable, "-m", "mypy", "-p", "shared", "--output", "json"]
    reported = subprocess.run(command, cwd=COPY, capture_output=True, text=True, check=False).stdout.splitlines()  # noqa: S603 # fixed
    errors = [json.loads(line) for line in reported if line.startswith("{")]
    return {name for path in paths for name in _guilty(path, _lines_of(path, errors))}


def _lines_of(path: Path, errors: list[dict[str, object]]) -> set[int]:
    return {int(str(error["line"])) for error in errors if error["file"] == str(path) and error["code"] in CODES}


def _guilty(path: Path, lines: set[int]) -> set[str]:
    spans = MutantLineSpans.load(path)
    if spans is None:
        return set()
    module = ".".join(path.with_suffix("").parts)
    functions = spans.span_by_function_name.items()
    return {f"{module}.{name}" for name, span in functions if any(span.start <= line <= span.end for line in lines)}
