"""Each promise of docs/guarantees.md names what shows it, and that exists."""

import re
from itertools import chain

import pytest

from tests.unit.docs.docs_reader import ROOT, page_text, section_text, table_cells

PAGE = "guarantees.md"
PROMISES = list(chain.from_iterable(table_cells(section_text(PAGE, part)) for part in ("The deal", "The connector")))
COMMAND = re.compile(r"`(?:make ([a-z]+)|(tests/[\w/.]+))`")


@pytest.mark.parametrize("cells", PROMISES, ids=lambda cells: cells[0].strip(" *")[:30])
def test_a_promise_names_commands_that_exist(cells: list[str]) -> None:
    targets = re.findall(r"^([a-z]+):", page_text("Makefile"), re.MULTILINE)
    commands = COMMAND.findall(cells[2])
    assert commands, "a promise that nothing shows"
    assert [path for _, path in commands if path and not (ROOT / path).exists()] == []
    assert {target for target, _ in commands if target} <= set(targets)
