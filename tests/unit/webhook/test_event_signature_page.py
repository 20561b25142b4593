"""docs/event-signature.md says what the code says."""

import re
from pathlib import Path

from shared.webhook.events import NotUnderstoodReason
from shared.webhook.refusals import Reason

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/event-signature.md").read_text(encoding="utf-8")


def table(heading: str) -> list[str]:
    """The first cells of the table's rows, below its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `?([a-z_0-9]+)`? \|", section.partition("\n| --- |")[2], re.MULTILINE)


def test_every_reason_stands_in_its_table_and_the_reverse() -> None:
    assert table("Reasons of a refusal") == [reason.value for reason in Reason]
    assert table("Reasons why an event is not understood") == [reason.value for reason in NotUnderstoodReason]


def test_every_test_the_page_names_exists() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", PAGE)
    assert len(named) > 25
    assert [name for name in named if f"def {name}(" not in code] == []


def test_all_thirteen_controls_are_there() -> None:
    assert table("Controls") == [str(number) for number in range(1, 14)]
