"""What waits in the retry queue is late only beyond the schedule, and each cause of it has its words."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.domain.deal import Side
from shared.operations.queue_texts import REASONS, is_late, late_text
from shared.store.stored_values import RetryEntry

NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)
RUN_TIME, MINUTE = timedelta(minutes=8), timedelta(minutes=1)
EVENTS = Path(__file__).parents[3] / "docs" / "events.md"


def entry(cause: str, *, since: int, due: int) -> RetryEntry:
    """An entry that has waited for so many minutes, and whose next try is so many minutes from now."""
    return RetryEntry(Side.SALESFORCE, "006", NOW + due * MINUTE, cause, since=NOW - since * MINUTE)


@pytest.mark.parametrize(
    ("cause", "since", "due", "expected"),
    [
        ("busy", 0, 1, False),
        ("not_shown", 30, 20, False),
        ("not_shown", 61, 20, True),
        ("Unavailable", 5, -1, False),
        ("Unavailable", 14, -14, True),
        ("refused", 0, 60, True),
        ("held", 600, 1, False),
        ("waiting", 600, -30, False),
        ("operator", 600, 0, False),
        ("operator", 600, -14, True),
    ],
)
def test_a_pair_is_late_beyond_the_schedule_only(cause: str, since: int, due: int, *, expected: bool) -> None:
    assert is_late(entry(cause, since=since, due=due), NOW, RUN_TIME) is expected


@pytest.mark.parametrize(
    ("cause", "event"),
    [("Unavailable", "pair_failed"), ("ambiguous", "pair_failed"), ("busy", "pair_due"), ("StoreConflict", "pair_due")],
)
def test_a_late_pair_names_the_event_that_is_logged(cause: str, event: str) -> None:
    assert f"({event})" in late_text(cause)


def test_each_cause_of_the_docs_has_its_words() -> None:
    section = EVENTS.read_text(encoding="utf-8").split("## Causes of `pair_due`")[1].split("\n## ")[0]
    causes = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert "busy" in causes
    assert causes - REASONS.keys() == set()
