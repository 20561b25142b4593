"""What a mapping file means as a whole: each value with the line that it comes from, and again as a file."""

from pathlib import Path

import pytest

from shared.mapping.effective import NOT_SET, Effective, effective_mapping
from shared.mapping.schema import DEFAULT
from shared.mapping.toml_writer import toml_lines, toml_text
from shared.mapping.validation import load_mapping
from shared.mapping.violations import Place

TEXT = """extends = "default"
remove = ["contacts"]

[fields.money]
winner = "partner_center"

[new.Opportunity]
defaults = { Region__c = "EM\\u0007EA", Since__c = 2026-01-02, Rate__c = 0.5 }

[[owners]]
by = "country"
users = { DE = "anna@example.com" }

[[owners]]
by = "account_owner"
"""
STAGES = """
[[stages]]
name = "Open"
status = "New/Pending"
also = ["New/Received", "Active/Accepted", "Closed/Won", "Closed/Lost", "Closed/Declined", "Closed/Expired", "Closed/Error"]
"""  # noqa: E501 - one line of the file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "acme.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def origin_of(effective: Effective, *place: str | int) -> str:
    return next(key.origin.text for key in effective.keys if key.place == place)


def text_of(effective: Effective) -> str:
    return "\n".join(toml_lines([(key.place, key.value, key.origin.text) for key in effective.keys]))


def line_in_default(text: str) -> int:
    return DEFAULT.read_text(encoding="utf-8").split("\n").index(text) + 1


def test_each_value_has_the_line_that_it_comes_from(path: Path) -> None:
    effective = effective_mapping(path)
    assert origin_of(effective, "fields", "money", "winner") == "acme.toml, line 5"
    assert origin_of(effective, "owners", 0, "users", "DE") == "acme.toml, line 12"
    expected = f"shared/mapping/default.toml, line {line_in_default('length = 120')}"
    assert origin_of(effective, "fields", "name", "length") == expected
    assert origin_of(effective, "fields", "money", "direction") == NOT_SET
    assert [(key.place, key.origin.text) for key in effective.removed] == [
        (("fields", "contacts"), "acme.toml, line 2")
    ]


def test_a_list_of_the_file_replaces_that_of_the_default(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(f'extends = "default"\n{STAGES}', encoding="utf-8")
    effective = effective_mapping(path)
    assert origin_of(effective, "stages", 0, "name") == "acme.toml, line 4"
    assert origin_of(effective, "stages", 0, "arrives") == NOT_SET


def test_what_is_shown_is_a_whole_file_that_means_the_same(path: Path, tmp_path: Path) -> None:
    effective, shown = effective_mapping(path), tmp_path / "shown.toml"
    shown.write_text(text_of(effective), encoding="utf-8")
    assert load_mapping(shown) == (effective.file, effective.hash)


def test_the_default_shown_as_a_file_is_the_default(tmp_path: Path) -> None:
    shown = tmp_path / "shown.toml"
    shown.write_text(text_of(effective_mapping()), encoding="utf-8")
    assert load_mapping(shown) == load_mapping()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('a "b" \\ c', '"a \\"b\\" \\\\ c"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ("\x7f\x9b", '"\\u007F\\u009B"'),
        ("Zoë \u202e\U000e0041", '"Zoë \\u202E\\U000E0041"'),
    ],
)
def test_a_character_that_a_terminal_could_obey_is_escaped(text: str, written: str) -> None:
    assert toml_text(text) == written


def test_a_key_that_needs_them_has_quotation_marks() -> None:
    place: Place = ("fields", "area", "values", "Not yet")
    assert list(toml_lines([(place, "No", NOT_SET)])) == ["", "[fields.area.values]", '"Not yet" = "No"  # not set']
