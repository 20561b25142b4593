"""The line of a place in a TOML text is found in every notation of TOML."""

import pytest

from shared.mapping.toml_lines import LineIndex, line_of
from shared.mapping.violations import Place

TEXT = '''\
# a comment
top = 1
dotted.key = 2

[plain]
one = "1"
"quoted key" = 2
inline = { a = 1, b = { c = 2 } }
several = [
    1,
    # one = "not here"
    2,
]
text = """
one = 3
[nowhere]
"""

[plain.inner]
one = 1

["with space".x]
y = 1

[[rows]]
name = "first"

[[rows]]
name = "second"
also = ["x", "y"]

[rows.inner]
deep = 1

[[rows.leaves]]
name = "leaf"
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("top",), 2),
        (("dotted", "key"), 3),
        (("dotted",), 3),
        (("plain",), 5),
        (("plain", "one"), 6),
        (("plain", "quoted key"), 7),
        (("plain", "inline", "b", "c"), 8),
        (("plain", "several"), 9),
        (("plain", "several", 1), 9),
        (("plain", "text"), 14),
        (("plain", "inner"), 19),
        (("plain", "inner", "one"), 20),
        (("with space", "x", "y"), 23),
        (("rows",), 25),
        (("rows", 0, "name"), 26),
        (("rows", 1), 28),
        (("rows", 1, "name"), 29),
        (("rows", 1, "also", 1), 30),
        (("rows", 1, "inner", "deep"), 33),
        (("rows", 1, "leaves", 0, "name"), 36),
    ],
)
def test_the_line_of_a_place_is_found(place: Place, line: int) -> None:
    assert line_of(TEXT, place) == line


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("plain", "absent"), 5),
        (("plain", "inner", "absent"), 19),
        (("rows", 1, "absent"), 28),
        (("rows", 2, "name"), 25),
        (("nowhere",), 1),
        ((), 1),
    ],
)
def test_an_absent_place_has_the_line_of_its_table(place: Place, line: int) -> None:
    assert line_of(TEXT, place) == line


def test_windows_line_ends_are_counted_once() -> None:
    assert line_of("a = 1\r\n[b]\r\nc = 2\r\n", ("b", "c")) == 3


def test_a_text_that_is_not_valid_is_read_up_to_its_first_fault() -> None:
    index = LineIndex("[plain]\na = 1\nb = [\n    1 2,\n]\n[other]\nc = 1\n")
    assert (index.unfinished, index.has(("plain", "a")), index.has(("other", "c"))) == (3, True, False)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (2, ("top",)),
        (7, ("plain", "quoted key")),
        (11, ()),  # a comment
        (12, ("plain", "several")),
        (23, ("with space", "x", "y")),
        (26, ("rows", 0, "name")),
        (33, ("rows", 1, "inner", "deep")),
    ],
)
def test_a_line_belongs_to_a_place(line: int, place: Place) -> None:
    assert LineIndex(TEXT).place_at(line) == place


def test_a_very_deep_key_has_a_line() -> None:
    key = ".".join("k" * 2000)
    assert line_of(f"a = 1\n{key} = 1\n", ("k",) * 2000) == 2
