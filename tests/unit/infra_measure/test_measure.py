import os

import pytest

from infra.local import measure


def test_the_cost_is_beyond_the_base_and_split_by_module() -> None:
    cost = measure.measure(["wave", "colorsys"], base=["struct"], runs=1)
    assert len(cost.each) == 2
    assert sum(cost.each) <= cost.milliseconds
    assert 2 <= cost.modules < 30
    assert cost.resident > 3
    assert measure.measure(["wave"], base=["wave"], runs=1).modules == 0


def test_a_module_that_does_not_import_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(measure.CannotMeasure, match="No module named 'no_such'"):
        measure.measure(["no_such"], base=[], runs=1)
    assert measure.main(["--first", "no_such", "--all", "json", "--runs", "1"]) == 1
    assert "no_such" in capsys.readouterr().err


def test_a_process_that_runs_is_weighed_and_one_that_does_not_is_an_error() -> None:
    assert 10 < measure.resident(os.getpid()) < 5000
    with pytest.raises(measure.CannotMeasure, match="99999999"):
        measure.resident(99_999_999)


def test_the_tables_show_each_module_and_mark_what_is_too_much(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "WORKER", ("json",))
    monkeypatch.setattr(measure, "BASE", ("json",))
    monkeypatch.setattr(measure, "LIMIT_MEMORY", 1.0)
    found = measure.measure(["colorsys"], runs=1)
    monkeypatch.setattr(measure, "measure", lambda *_, **__: found)
    assert measure.main(["--first", "colorsys", "--all", "colorsys", "--pid", str(os.getpid())]) == 0
    shown = capsys.readouterr().out
    assert shown.count("colorsys") == 2
    assert shown.count("too much") == 3
    assert f"process {os.getpid()}" in shown
