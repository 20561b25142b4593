"""Changes the code in small ways, one at a time, and reports which changes no test notices: make mutants.

mutmut makes the mutants. Its own runner starts pytest anew for each; here pytest collects the tests once, and each
mutant is tried in a fork of that process, by the tests that reach the lines it changes. What is known is kept in
`.mutants`: a mutant that was killed is tried again only when its function changes.
"""

import argparse
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from mutmut.__main__ import create_mutants
from mutmut.configuration import config
from mutmut.utils.file_utils import walk_mutatable_files

from tests.mutants.equivalents import read_equivalents
from tests.mutants.outcomes import MutatedModule
from tests.mutants.plugin import InsteadOfTheRun
from tests.mutants.reach import reach_of_tests
from tests.mutants.report import print_report
from tests.mutants.switches import install_switches
from tests.mutants.trial import Trial
from tests.mutants.type_errors import mutants_with_type_errors
from tests.mutants.workspace import COPY, WORKSPACE, enter_workspace, forget_the_original

TESTS = ("tests/unit/domain", "tests/property", "tests/unit/sync", "tests/unit/operations")
# Asserts are not rewritten: nobody reads why a test fails.
OPTIONS = ("--rootdir=.", "--assert=plain", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist")


def main() -> int:
    """Try the mutants and print the report; the exit code is 1 if too many survive."""
    chosen = _arguments()
    enter_workspace()
    modules = _mutated_modules(chosen)
    if not chosen.report:
        _say(f"{sum(len(list(module.untried())) for module in modules)} mutants to try.")
        _try_all(modules, chosen)
    return print_report(modules, read_equivalents())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="such as merge plan; none means all")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--seconds", type=float, default=3.0, help="of the tests for one mutant")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="files or folders of tests")
    parser.add_argument("--report", action="store_true", help="print what is known, and try nothing")
    return parser.parse_args()


def _mutated_modules(chosen: argparse.Namespace) -> list[MutatedModule]:
    """Write the mutants, and read what is known about those of the chosen modules."""
    with _silence():
        create_mutants(chosen.workers)
    paths = sorted(walk_mutatable_files())
    refused = mutants_with_type_errors(paths)
    return [MutatedModule(path, refused) for path in paths if not chosen.modules or path.stem in chosen.modules]


def _try_all(modules: list[MutatedModule], chosen: argparse.Namespace) -> None:
    install_switches()
    forget_the_original()
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    os.chdir(COPY)
    use = partial(_try_mutants, modules=modules, chosen=chosen)
    with _silence():
        pytest.main([*OPTIONS, *chosen.tests], plugins=[InsteadOfTheRun(use)])
    os.chdir(WORKSPACE)


def _try_mutants(items: list[pytest.Item], modules: list[MutatedModule], chosen: argparse.Namespace) -> None:
    """Try each mutant with the collected tests, and keep the outcomes."""
    gc.freeze()  # else each fork walks through all that is loaded here, and so copies it
    reached = reach_of_tests(items, WORKSPACE / "reached-lines.json", _newest_change(), chosen.workers)
    trial = Trial(items, reached, chosen.seconds)
    owners = {mutant: module for module in modules for mutant in module.untried()}
    changed = {mutant: partial(module.changed_lines, mutant) for mutant, module in owners.items()}
    start = monotonic()
    for number, (mutant, outcome) in enumerate(trial.outcomes(changed, chosen.workers), start=1):
        owners[mutant].keep(mutant, outcome)
        if number % 100 == 0:
            _say(f"{number} of {len(owners)} mutants tried in {monotonic() - start:.0f} s.")


def _newest_change() -> float:
    """When a module with mutants was last written."""
    mutated = (path for path in walk_mutatable_files() if config().should_mutate(path))
    return max((COPY / path).stat().st_mtime for path in mutated)


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


@contextmanager
def _silence() -> Iterator[None]:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield


if __name__ == "__main__":
    sys.exit(main())
