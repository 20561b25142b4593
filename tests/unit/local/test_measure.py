"""`make measure` does the work that it measures, adds up correctly, and compares with its limits.

The tests do not check the measured numbers.
"""

import os

import pytest

from local import measure
from local.measure import CannotMeasure, Measure, RunCost, fastest_imports, list_measures


def make_run_cost(first: float, later: float, memory: float = 90.0) -> RunCost:
    return RunCost({"base": 99.0}, {"a": first, "b": 1.0}, {"c": later}, 300.0, memory)


@pytest.mark.slow
def test_one_event_one_push_and_one_sweep_load_everything(capsys: pytest.CaptureFixture[str]) -> None:
    with measure.start_systems_process() as systems:
        run_cost = measure.measure_fresh_run(systems)
    assert {"function_app", "shared.webhook.admission", "cryptography.x509"} <= run_cost.first.keys()
    late = ("httpx", "azure.identity", "simple_salesforce", "pydantic", "shared.mapping.schema")
    assert not any(name.startswith(late) for name in run_cost.first)
    assert {
        "httpx",
        "pydantic",
        "msal",
        "azure.identity",
        "simple_salesforce.api",
    } <= run_cost.later.keys()
    assert measure.LOCAL_MODULES.isdisjoint(run_cost.later)
    assert "azure.functions" in run_cost.base
    assert not any(name.startswith(("rich", "pytest", "trustme", "local.systems")) for name in run_cost.later)
    assert all(spent >= 0 for spent in run_cost.first.values())
    assert run_cost.answered > sum(run_cost.first.values()) > 10
    assert run_cost.resident > 20
    assert capsys.readouterr().err == ""


def test_packages_for_development_only_are_found() -> None:
    packages = measure.development_packages()
    assert {"pytest", "hypothesis", "mypy", "trustme"} <= set(packages)
    assert {"azure", "httpx", "cryptography", "pydantic", "azure_functions_runtime"}.isdisjoint(packages)


def test_the_value_is_the_sum_of_each_modules_fastest_import() -> None:
    assert fastest_imports([{"a": 3.0, "b": 5.0}, {"a": 4.0, "b": 1.0, "c": 2.0}]) == {"a": 3.0, "b": 1.0, "c": 2.0}
    first, everything, memory, *_ = list_measures(
        [make_run_cost(200, 50), make_run_cost(100, 90), make_run_cost(300, 70)], make_run_cost(0, 0, 120), {}
    )
    assert (first.value, first.median) == (101.0, 201.0)
    assert (everything.value, everything.median) == (151.0, 251.0)
    assert memory.value == 120.0


@pytest.mark.parametrize(
    ("value", "verdict", "fails"),
    [(99, "ok", False), (100, "ok", False), (119, "too slow", False), (121, "too slow", True)],
)
def test_a_value_above_its_limit_is_shown_and_fails_if_noise_cannot_explain_it(
    value: float, verdict: str, fails: bool
) -> None:
    line = Measure("x", value, value, "ms", 100)
    assert (line.verdict, line.is_failed) == (verdict, fails)


def test_a_measure_without_a_limit_has_no_result() -> None:
    assert (Measure("x", 9e9, 9e9, "ms").verdict, Measure("x", 9e9, 9e9, "ms").is_failed) == ("", False)


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "status", "result"), [(300, 0, "ok"), (190, 0, "too slow"), (160, 1, "too slow")])
def test_the_table_and_the_exit_status_agree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], limit: float, status: int, result: str
) -> None:
    monkeypatch.setattr(measure, "measure_fresh_run", lambda *_: make_run_cost(50, 150))
    monkeypatch.setattr(measure, "LIMIT_ALL", limit)
    assert measure.main(["--runs", "2", "--packages", "3", "--pid", str(os.getpid())]) == status
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if "everything" in line)
    assert "201 ms" in row
    assert f"{limit} ms" in row
    assert result in row
    assert f"memory of process {os.getpid()}" in shown


def test_the_memory_of_an_unknown_process_cannot_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure.main(["--pid", "99999999"]) == 2
    assert "no process has the id 99999999" in capsys.readouterr().err
    assert 10 < measure.resident_megabytes(os.getpid()) < 5000


@pytest.mark.parametrize("environ", [{}, pytest.param({"ENVIRONMENT": "production"}, marks=pytest.mark.slow)])
def test_an_app_that_does_not_start_cannot_be_measured(environ: dict[str, str]) -> None:
    with pytest.raises(CannotMeasure, match="ended early"):
        measure.measure_staged_run({"environ": environ, "headers": [], "body": ""}, measure.BASE_MODULES)


def test_an_app_that_refuses_the_event_cannot_be_measured() -> None:
    with measure.start_systems_process() as systems:
        staged = measure._exchange_line(systems, "", "the systems")
        forged = {**staged, "body": staged["body"] + " "}
        with pytest.raises(CannotMeasure, match="ended early"):
            measure.measure_staged_run(forged, measure.BASE_MODULES)
