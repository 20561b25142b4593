"""What a pair's queue of audit lines tells once: docs/protocol.md#notes."""

from datetime import UTC, datetime

from shared.domain.audit import UNDATED
from shared.domain.deal import Change
from shared.domain.joined_texts import both_kept_line
from shared.sync.pending_lines import PendingLines

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CHANGES = (Change("notes", "Description", "Other words", "Both texts"),)


def queue_of_a_run_that_joins_again_what_an_interrupted_run_had_joined() -> PendingLines:
    line = both_kept_line(UNDATED, "notes", "Description")
    return PendingLines(recovered=(both_kept_line(NOW, "notes", "Description"),), losses=(line,))


def test_a_join_is_told_once_if_the_recovered_line_is_stored_with_the_intent() -> None:
    queue = queue_of_a_run_that_joins_again_what_an_interrupted_run_had_joined()
    assert len(queue.dated_notes(NOW)) == 1
    queue.drop_notes()
    assert queue.take_confirmed(CHANGES, NOW) == ()


def test_a_join_is_told_once_if_both_lines_are_stored_together() -> None:
    queue = queue_of_a_run_that_joins_again_what_an_interrupted_run_had_joined()
    assert len(queue.take_confirmed(CHANGES, NOW)) == 1
