"""Check that docs/event-signature.md agrees with the code."""

import re
from pathlib import Path

from shared.webhook.events import NotUnderstoodReason
from shared.webhook.refusals import Reason

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/event-signature.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """The first cell of each line of the table below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `?([a-z_0-9]+)`? \|", section.partition("\n| --- |")[2], re.MULTILINE)


def test_the_tables_of_reasons_match_the_code() -> None:
    assert first_cells("Reasons of a refusal") == [reason.value for reason in Reason]
    assert first_cells("Reasons why an event is not understood") == [reason.value for reason in NotUnderstoodReason]


def test_every_test_named_on_the_page_exists() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", PAGE)
    assert len(named) > 25
    assert [name for name in named if f"def {name}(" not in code] == []


def test_the_page_lists_all_thirteen_controls() -> None:
    assert first_cells("Controls") == [str(number) for number in range(1, 14)]
