"""A run of chosen measures: what fails is told, and the rest goes on."""

import itertools
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.figures.effort import Effort
from benchmarks.figures.rows import chosen_rows
from benchmarks.measures.measure import Work
from benchmarks.systems.builds import FORMER, THIS, Build
from benchmarks.systems.processes import CannotMeasure

BUILDS = {name: Build(name, Path(), Path(), "") for name in (THIS, FORMER)}


def measure_two(work: Work) -> None:
    work.add("create", 1.0)
    work.add("update", 2.0)


def fail_on_this_build(work: Work) -> None:
    work.add("webhook", 4.0)
    if work.build.name == THIS:
        raise CannotMeasure("the app answered 401 to an event")


MEASURES = {("create", "update"): measure_two, ("webhook",): fail_on_this_build, ("story",): lambda _: None}


def test_only_chosen_rows_are_kept_for_each_build_that_is_there() -> None:
    told: list[str] = []
    outcome = run.run_rows(chosen_rows("create"), BUILDS, Effort(), told.append, MEASURES)
    assert outcome.samples == {("create", FORMER): [1.0], ("create", THIS): [1.0]}
    assert outcome.reasons == {}
    assert any(line.startswith("[1/1, 0 s] this build: create 1") for line in told)


def test_without_history_only_this_build_is_measured() -> None:
    outcome = run.run_rows(chosen_rows("create"), {THIS: BUILDS[THIS]}, Effort(), lambda _: None, MEASURES)
    assert outcome.samples == {("create", THIS): [1.0]}


def test_a_measure_that_fails_gives_no_figure_but_its_reason_and_the_rest_goes_on() -> None:
    told: list[str] = []
    outcome = run.run_rows(chosen_rows("update webhook story"), BUILDS, Effort(), told.append, MEASURES)
    assert set(outcome.samples) == {("update", FORMER), ("update", THIS), ("webhook", FORMER)}
    assert outcome.reasons == {
        ("webhook", THIS): "the app answered 401 to an event",
        ("story", FORMER): "the measure gave no figure",
        ("story", THIS): "the measure gave no figure",
    }
    assert any("FAILED: the app answered 401 to an event" in line for line in told)


def test_a_run_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = itertools.count(0, 3600)
    monkeypatch.setattr("benchmarks.run.time.monotonic", lambda: float(next(hours)))
    outcome = run.run_rows(chosen_rows("create webhook"), BUILDS, Effort(), lambda _: None, MEASURES)
    assert "the run had taken 120 minutes" in outcome.reasons.values()
