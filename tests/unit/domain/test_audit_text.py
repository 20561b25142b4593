"""The text of the audit field: one entry for each line, newest first, cut at a line end."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.audit import Line, change_lines, fold_lines, text_line
from shared.domain.audit_text import AUDIT_LENGTH, audit_text
from shared.domain.deal import Change, Side

NOW = datetime(2026, 11, 22, 10, 0, 7, 500_000, tzinfo=UTC)
NOTES = Change("notes", "Description", "old", "new\nlines " * 50)


def test_each_line_has_its_time_heading_and_sentence() -> None:
    lines = [*change_lines(NOW, Side.SALESFORCE, [Change("name", "Name", None, "Robots")]), text_line(NOW, "Note: x")]
    assert audit_text(lines) == (
        "2026-11-22 10:00:07 UTC - From Partner Center: Name empty → Robots.\n2026-11-22 10:00:07 UTC - Note: x"
    )


def test_a_close_without_a_reason_that_an_earlier_build_told_lists_the_reasons_too() -> None:
    line = Line(NOW, "no_reason", values={"value": "Closed Lost", "sent": "Declined"})
    assert line.text.endswith("; Timeline too short; Abuse, spam or phishing; Others.")


def test_a_changed_text_is_shown_in_one_line_and_cut() -> None:
    (line,) = change_lines(NOW, Side.PARTNER_CENTER, [NOTES])
    assert (line.before, line.field) == ("old", "notes")
    assert line.after == "new lines " * 8 + "… (500 characters)"
    assert line.text == f"To Partner Center: Description old → {line.after}."


def test_the_text_fits_the_field_and_ends_with_a_whole_line() -> None:
    lines = [text_line(NOW - timedelta(seconds=number), "x" * 1000) for number in range(200)]
    text = audit_text(lines)
    assert AUDIT_LENGTH - 1100 < len(text) <= AUDIT_LENGTH
    assert {len(line) for line in text.splitlines()} == {1026}


def test_a_line_that_just_fits_is_shown_whole() -> None:
    line = text_line(NOW, "Deal X")
    text = "2026-11-22 10:00:07 UTC - Deal X"
    assert audit_text([line], len(text) + 1) == text
    assert audit_text([line], len(text)) == ""
    assert audit_text([line, text_line(NOW, "Deal Y")], 2 * (len(text) + 1)) == f"{text}\n{text[:-1]}Y"
    assert audit_text([line, text_line(NOW, "Deal Y")], 2 * len(text) + 1) == text
    assert audit_text([text_line(NOW, "Deal X ")]) == f"{text} "


def test_what_is_told_twice_in_one_second_is_shown_once() -> None:
    line, other, text = text_line(NOW, "Deal X"), text_line(NOW, "Deal Y"), "2026-11-22 10:00:07 UTC - Deal X"
    again, later = (text_line(NOW + timedelta(seconds=late), "Deal X") for late in (0.25, 1))
    assert audit_text([again, line]) == text
    assert audit_text([again, line, other], 2 * (len(text) + 1)) == f"{text}\n{text[:-1]}Y"
    assert audit_text([later, line]).count("Deal X") == 2


def test_no_line_is_an_empty_text() -> None:
    assert audit_text([]) == ""


@pytest.mark.parametrize("at_most", [3, 4])
def test_lines_that_fit_are_not_folded(at_most: int) -> None:
    lines = tuple(text_line(NOW, str(number)) for number in range(3))
    assert fold_lines(lines, at_most) == lines


def test_folded_lines_keep_their_texts_time_and_run() -> None:
    lines = [
        Line(
            NOW - timedelta(hours=number),
            "problem",
            values={"reason": f"{number}.", "remedy": "Act."},
            correlation_id=f"run {number}",
        )
        for number in range(4)
    ]
    first, folded = fold_lines(lines, 2)
    assert first == lines[0]
    assert folded.text == "1. Act. 2. Act. 3. Act."
    assert (folded.at, folded.correlation_id) == (NOW - timedelta(hours=1), "run 1")
