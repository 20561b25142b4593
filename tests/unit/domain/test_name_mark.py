"""A mark in front of a name is no part of it (docs/protocol.md#the-mark-in-the-name)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.link_states import Mark
from shared.domain.name_mark import FORMER_SIGNS, NAME_LENGTH, NO_SIGNS, SIGNS, marked_name, with_mark, without_mark


@pytest.mark.parametrize(
    ("marked", "bare"),
    [
        ("✔ ERP", "ERP"),
        ("✓ ERP", "ERP"),
        ("✘ ✓ ERP", "ERP"),
        ("⚠\ufe0f  ERP", "ERP"),
        ("✔", ""),
        ("✔ERP", "✔ERP"),
        ("ERP ✔ done", "ERP ✔ done"),
        ("ERP", "ERP"),
    ],
)
def test_marks_with_a_space_are_taken_off_the_front(marked: str, bare: str) -> None:
    assert without_mark(marked) == bare


@given(st.text(max_size=NAME_LENGTH).map(str.strip).filter(bool), st.sampled_from(Mark))
def test_a_mark_comes_off_again_and_another_one_replaces_it(name: str, mark: Mark) -> None:
    bare = without_mark(name)
    marked = with_mark(name, mark)
    assert without_mark(marked) == bare
    assert len(marked) <= NAME_LENGTH
    assert with_mark(marked, mark) == marked
    assert with_mark(with_mark(name, Mark.FAILED), mark) == marked


def test_a_name_without_room_has_no_mark() -> None:
    assert with_mark("n" * (NAME_LENGTH - 2), Mark.SYNCED).startswith("✔ n")
    assert with_mark("n" * (NAME_LENGTH - 1), Mark.SYNCED) == "n" * (NAME_LENGTH - 1)
    assert with_mark("ERP", Mark.WAITING) == "ERP"


def test_a_name_is_written_with_its_mark_if_it_shows_another_or_is_new() -> None:
    marked = f"{SIGNS[Mark.SYNCED]} ERP"
    assert marked_name({}, "Name", "ERP", Mark.SYNCED) == {"Name": marked}
    assert marked_name({}, "Name", marked, Mark.SYNCED) == {}
    assert marked_name({}, "Name", marked, None) == {"Name": "ERP"}
    assert marked_name({"Name": "ERP"}, "Name", marked, Mark.SYNCED) == {"Name": marked}
    assert marked_name({"Name": "ERP"}, "Name", "Old", None) == {"Name": "ERP"}
    assert marked_name({}, "Name", "", Mark.SYNCED) == {}


def test_the_former_marks_can_be_taken_off_and_given_back() -> None:
    for mark in Mark:
        assert with_mark("✓ ERP", mark, NO_SIGNS) == "ERP"
    assert with_mark("ERP", Mark.SYNCED, FORMER_SIGNS) == "✓ ERP"
    assert with_mark("✔ ERP", Mark.FAILED, FORMER_SIGNS) == "✗ ERP"
    assert marked_name({}, "Name", "✔ ERP", Mark.WAITING, FORMER_SIGNS) == {"Name": "ERP"}
