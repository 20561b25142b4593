"""Conversations with programs, and the count of table operations."""

import sys
from pathlib import Path

import pytest

from benchmarks.systems.processes import CannotMeasure, run_program
from benchmarks.systems.stand import TableLog, count_operations

ECHO = "import json, sys\nfor line in sys.stdin: print(json.dumps([json.loads(line)['do']] * 2), flush=True)"
LOG = b"""\
Azurite Table service is successfully listening at http://127.0.0.1:1
127.0.0.1 - - [02/Dec/2026:15:01:02 +0000] "POST /devstoreaccount1/$batch HTTP/1.1" 202 -
127.0.0.1 - - [02/Dec/2026:15:01:02 +0000] "GET /devstoreaccount1/cosell(PartitionKey='a',RowKey='b') HTTP/1.1" 200 -
"""


def test_each_question_gets_its_answer(tmp_path: Path) -> None:
    with run_program([sys.executable, "-c", ECHO], {}, tmp_path, tmp_path / "errors.log") as program:
        assert [program.ask("this"), program.ask("that")] == [["this", "this"], ["that", "that"]]


def test_a_program_that_ends_early_is_told_with_its_last_line(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import sys; sys.exit('the port is taken')"]
    with (
        run_program(words, {}, tmp_path, tmp_path / "errors.log") as program,
        pytest.raises(CannotMeasure, match=r"^the start: the program ended with 1: the port is taken$"),
    ):
        program.answer("the start")


def test_a_program_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with run_program([sys.executable, "-c", ECHO], {}, tmp_path, tmp_path / "errors.log") as program:
        assert not program.has_answered()
        with pytest.raises(CannotMeasure, match=r"^a push took longer than 0 s$"):
            program.answer("a push", 0.0)


def test_a_program_gets_its_settings_and_nothing_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC", "off")
    code = "import json, os; print(json.dumps([os.environ.get('SYNC'), os.environ.get('MAPPING')]))"
    with run_program([sys.executable, "-c", code], {"MAPPING": "a"}, tmp_path, tmp_path / "errors.log") as program:
        assert program.answer("the settings") == [None, "a"]


def test_each_request_is_one_operation_also_a_batch() -> None:
    assert count_operations(LOG) == 2


def test_operations_are_counted_since_the_last_time(tmp_path: Path) -> None:
    log = tmp_path / "azurite.log"
    log.write_bytes(LOG)
    table = TableLog(log)
    assert (table.take(), table.take()) == (2, 0)
    with log.open("ab") as more:
        more.write(LOG)
    assert table.take() == 2


def test_a_store_without_a_log_has_no_operations() -> None:
    assert TableLog(None).take() == 0
