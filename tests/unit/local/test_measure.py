"""The benchmark itself: that it does the work it measures, adds up right, and judges. Its numbers are no test."""

import os

import pytest

from local import measure
from local.measure import CannotMeasure, Cost, Line, fastest, lines


def cost(first: float, later: float, memory: float = 90.0) -> Cost:
    return Cost({"base": 99.0}, {"a": first, "b": 1.0}, {"c": later}, 300.0, memory)


def test_one_event_one_push_and_one_sweep_load_everything(capsys: pytest.CaptureFixture[str]) -> None:
    with measure.scene() as systems:
        found = measure.probe(systems)
    assert {"function_app", "shared.webhook.admission", "pydantic", "cryptography.x509"} <= found.first.keys()
    assert not any(name.startswith(("httpx", "azure.identity", "simple_salesforce")) for name in found.first)
    assert {"httpx", "msal", "azure.identity", "simple_salesforce.api", "azure.data.tables"} <= found.later.keys()
    assert measure.LOCAL.isdisjoint(found.later)
    assert "azure.functions" in found.base
    assert not any(name.startswith(("rich", "pytest", "trustme", "local.systems")) for name in found.later)
    assert all(spent >= 0 for spent in found.first.values())
    assert found.answered > sum(found.first.values()) > 10
    assert found.resident > 20
    assert capsys.readouterr().err == ""


def test_what_is_here_for_development_only_is_known() -> None:
    found = measure.development_only()
    assert {"pytest", "hypothesis", "mypy", "trustme"} <= set(found)
    assert {"azure", "httpx", "cryptography", "pydantic", "azure_functions_runtime"}.isdisjoint(found)


def test_judged_is_the_sum_of_each_modules_fastest_import() -> None:
    assert fastest([{"a": 3.0, "b": 5.0}, {"a": 4.0, "b": 1.0, "c": 2.0}]) == {"a": 3.0, "b": 1.0, "c": 2.0}
    first, everything, memory, *_ = lines([cost(200, 50), cost(100, 90), cost(300, 70)], cost(0, 0, 120), {})
    assert (first.value, first.median) == (101.0, 201.0)
    assert (everything.value, everything.median) == (151.0, 251.0)
    assert memory.value == 120.0


@pytest.mark.parametrize(
    ("value", "verdict", "fails"),
    [(99, "ok", False), (100, "ok", False), (119, "too slow", False), (121, "too slow", True)],
)
def test_a_limit_missed_within_noise_is_shown_and_beyond_it_fails(value: float, verdict: str, fails: bool) -> None:
    line = Line("x", value, value, "ms", 100)
    assert (line.verdict, line.fails) == (verdict, fails)


def test_without_a_limit_nothing_is_judged() -> None:
    assert (Line("x", 9e9, 9e9, "ms").verdict, Line("x", 9e9, 9e9, "ms").fails) == ("", False)


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "status", "said"), [(300, 0, "ok"), (190, 0, "too slow"), (160, 1, "too slow")])
def test_the_table_and_the_exit_status_say_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], limit: float, status: int, said: str
) -> None:
    monkeypatch.setattr(measure, "probe", lambda *_: cost(100, 100))
    monkeypatch.setattr(measure, "LIMIT_ALL", limit)
    assert measure.main(["--runs", "2", "--packages", "3", "--pid", str(os.getpid())]) == status
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if "everything" in line)
    assert "201 ms" in row
    assert f"{limit} ms" in row
    assert said in row
    assert f"memory of process {os.getpid()}" in shown


def test_a_process_that_is_not_there_cannot_be_weighed(capsys: pytest.CaptureFixture[str]) -> None:
    assert measure.main(["--pid", "99999999"]) == 2
    assert "no process 99999999" in capsys.readouterr().err
    assert 10 < measure.resident(os.getpid()) < 5000


@pytest.mark.parametrize("environ", [{}, {"ENVIRONMENT": "production"}])
def test_an_app_that_does_not_start_is_no_measure(environ: dict[str, str]) -> None:
    with pytest.raises(CannotMeasure, match="ended early"):
        measure.run({"environ": environ, "headers": [], "body": ""}, measure.BASE)


def test_an_event_that_is_refused_is_no_measure() -> None:
    with measure.scene() as systems:
        staged = measure._asked(systems, "", "the systems")
    with pytest.raises(CannotMeasure, match="ended early"):
        measure.run({**staged, "body": staged["body"].replace("created", "updated")}, measure.BASE)
