"""The tool that tries the mutants, and its list of mutants that no test can kill."""

import importlib
import importlib.util

import pytest

from tests.mutants.equivalents import Equivalent, plain_name, read_equivalents
from tests.mutants.forks import STOPPED, in_forks
from tests.mutants.line_record import LineRecord
from tests.mutants.reach import Reached
from tests.mutants.report import Figures
from tests.mutants.trial import Trial

LAYERS = ("shared.domain", "shared.sync")


def wait_for_ever() -> str:
    while True:
        pass


def crash() -> str:
    raise SystemExit(3)


def test_each_piece_of_work_returns_its_text_from_a_process_of_its_own() -> None:
    work = [(name, lambda name=name: name.upper()) for name in ("merge", "plan", "link")]
    assert dict(in_forks(work, workers=2, seconds=10)) == {"merge": "MERGE", "plan": "PLAN", "link": "LINK"}


def test_work_that_crashes_or_never_ends_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    work = [("crash", crash), ("loop", wait_for_ever)]
    assert dict(in_forks(work, workers=2, seconds=0)) == {"crash": STOPPED, "loop": STOPPED}
    del capfd


def test_the_tests_of_a_line_are_chosen_for_what_else_they_reach() -> None:
    reached = {
        "fast": Reached(0.1, {"plan": 0b110, "merge": 0b1}), "same": Reached(0.1, {"plan": 0b110, "merge": 0b1}),
        "slow": Reached(0.5, {"plan": 0b110, "link": 0b1, "merge": 0b1}),
        "slowest": Reached(0.6, {"plan": 0b100, "deal": 0b1}), "other": Reached(0.1, {"link": 0b1}),
    }  # fmt: skip
    assert Trial([], reached, budget=1.2).tests_of("plan", range(2, 3)) == ["fast", "same", "slow"]
    assert Trial([], reached, budget=0.01).tests_of("plan", range(2, 3)) == ["fast"]
    assert Trial([], reached, budget=2).tests_of("plan", range(1, 2)) == ["fast", "same", "slow"]
    assert Trial([], reached, budget=0.01).tests_of("other", range(1)) == []


@pytest.mark.parametrize(
    ("changed", "tests"), [(range(3, 4), ["late"]), (range(6, 6), ["late"]), (range(2, 3), ["early"])]
)
def test_of_a_line_that_no_test_reaches_the_line_before_it_counts(changed: range, tests: list[str]) -> None:
    reached = {"early": Reached(0.1, {"plan": 0b10}), "late": Reached(0.1, {"plan": 0b1000})}
    assert Trial([], reached, budget=1).tests_of("plan", changed) == tests


def test_a_module_has_enough_tests_if_nine_of_ten_of_its_own_mutants_are_noticed_or_listed() -> None:
    assert Figures(12, mypy=2, tests=8, listed=1, left=1).is_enough
    assert not Figures(112, mypy=100, tests=7, listed=1, left=2).is_enough
    assert Figures(3, mypy=3, tests=0, listed=0, left=0).is_enough


def double(numbers: list[int]) -> list[int]:
    if not numbers:
        return []
    return [
        number * 2
        for number in numbers
    ]  # fmt: skip


def test_the_lines_that_run_are_noted_anew_for_each_test() -> None:
    record = LineRecord({"double": double.__code__})
    try:
        for numbers, lines in (([], 0b110), ([], 0b110), ([1], 0b111010)):
            record.start()
            double(numbers)
            assert record.lines == {"double": lines}
    finally:
        record.stop()


@pytest.mark.parametrize(
    ("mutant", "name"),
    [
        ("shared.domain.merge.x__join_texts__mutmut_3", "merge._join_texts"),
        ("shared.domain.merge.xǁMergedǁchange_on__mutmut_12", "merge.Merged.change_on"),
        ("shared.domain.deal.xǁDealǁ__hash____mutmut_1", "deal.Deal.__hash__"),
    ],
)
def test_a_mutant_is_named_as_its_function_is_written(mutant: str, name: str) -> None:
    assert plain_name(mutant) == name


@pytest.mark.parametrize("entry", read_equivalents(), ids=lambda entry: f"{entry.function}: {entry.after}"[:80])
def test_each_listed_mutant_is_of_a_function_that_exists_and_has_a_reason(entry: Equivalent) -> None:
    module, *names = entry.function.split(".")
    found: object = next(loaded for layer in LAYERS if (loaded := find_module(f"{layer}.{module}")) is not None)
    for name in names:
        found = getattr(found, name)
    assert callable(found)
    assert entry.reason.endswith(".")


def find_module(name: str) -> object:
    return importlib.import_module(name) if importlib.util.find_spec(name) else None
