"""With a wrong mapping file the app does not start, and the error names the file, the line and the field."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.domain.deal import Side
from shared.domain.obstacles import REQUIRED
from shared.foundation.errors import ConfigurationError
from shared.mapping.schema import DEFAULT, REQUIRED_FIELDS
from shared.mapping.validation import load_mapping

TEXT = DEFAULT.read_text(encoding="utf-8")
WriteFile = Callable[[str], Path]


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    def written(text: str) -> Path:
        path = tmp_path / "acme.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def refusal_of(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_mapping(path)
    return str(caught.value)


def line_of(text: str, start_of_line: str, after: str = "") -> int:
    """The number of the first line that begins with `start_of_line`, at or below the line that begins with `after`."""
    lines = text.split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(after))
    return 1 + next(number for number in range(start, len(lines)) if lines[number].startswith(start_of_line))


def without_table(header: str) -> str:
    """The default file without one table."""
    before, _, rest = TEXT.partition(header)
    return before + rest[rest.index("\n[") + 1 :]


def test_the_default_file_has_no_violation() -> None:
    file, digest = load_mapping()
    assert file.version == 1
    assert len(digest) == 12


def test_the_required_fields_are_those_that_the_plan_requires() -> None:
    assert set(REQUIRED_FIELDS) == set(REQUIRED)


# Each defect: the old text, the new text, the header above it, and the place. The line is that of the new text.
DEFECTS = {
    "an unknown key": ("length = 120", "lenght = 120", "[fields.name]", "fields.name.lenght"),
    "a wrong type of value": ("length = 120", 'length = "long"', "[fields.name]", "fields.name.length"),
    "a number out of range": ("length = 120", "length = 0", "[fields.name]", "fields.name.length"),
    "an unknown kind of field": ('type = "date"', 'type = "dates"', "[fields.closing]", "fields.closing.type"),
    "an unknown direction": (
        'direction = "both"', 'direction = "sideways"', "[fields.team]", "fields.team.direction",
    ),
    "an unknown winner": ('winner = "partner_center"', 'winner = "nobody"', "[fields.status]", "fields.status.winner"),
    "a path that is none": ('referral = "/name"', 'referral = "name"', "[fields.name]", "fields.name.referral"),
    "a column that is none": ('salesforce = "Name"', 'salesforce = "Na me"', "[fields.name]", "fields.name.salesforce"),
    "a part of an inline table": (
        'salesforce = { amount = "Amount", currency = "CurrencyIsoCode" }',
        'salesforce = { amount = "Amount", currncy = "CurrencyIsoCode" }',
        "[fields.money]",
        "fields.money.salesforce",
    ),
    "an unknown fixed currency": (
        'salesforce = { amount = "Amount", currency = "CurrencyIsoCode" }',
        'salesforce = { amount = "Amount", fixed_currency = "XYZ" }',
        "[fields.money]",
        "fields.money.salesforce",
    ),
    "a shared record that is to be updated": (
        'when = ["create"]', 'when = ["update"]', "[fields.account]", "fields.account.when",
    ),
    "a customer that is to be updated": (
        'when = ["create"]', 'when = ["create", "update"]', "[fields.account]", "fields.account.when",
    ),
    "a needed field that does not travel on create": (
        "length = 120", 'when = ["update"]', "[fields.name]", "fields.name.when",
    ),
    "an empty label": ('label = "Description"', 'label = ""', "[fields.notes]", "fields.notes.label"),
    "a column of the connector's own": (
        'salesforce = "Description"', 'salesforce = "Audit__c"', "[fields.notes]", "fields.notes.salesforce",
    ),
    "a mark in front of another column than the name": (
        "length = 32000", "mark = true", "[fields.notes]", "fields.notes.mark",
    ),
    "signs of a mark that is not shown": ("length = 120", 'signs = "none"', "[fields.name]", "fields.name.signs"),
    "a parent's column that would have to be written": (
        'salesforce = "Description"', 'salesforce = "Account.Description"', "[fields.notes]", "fields.notes.salesforce",
    ),
    "a later version": ("version = 1", "version = 2", "", "version"),
    "an own field that is no column": ('flag = "Sync', 'flag = "9Sync', "[ours]", "ours.flag"),
    "a status that is none": (
        'status = "Closed/Won"', 'status = "Closed Won"', 'name = "Closed Won"', "stages.9.status",
    ),
    "an illegal pair": (
        'status = "Closed/Won"', 'status = "Closed/Accepted"', 'name = "Closed Won"', "stages.9.status",
    ),
    "an illegal further pair": (
        'also = ["Closed/Declined"', 'also = ["Active/Declined"', 'name = "Closed Lost"', "stages.10.also",
    ),
    "a stage named twice": ('name = "Prospecting"', 'name = "on hold"', 'name = "Prospecting"', "stages.1.name"),
    "a first stage that is not on hold": (
        'status = "New/Pending"', 'status = "Active/Accepted"', 'name = "On Hold"', "stages.0.status",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "after", "field"), DEFECTS.values(), ids=DEFECTS)
def test_each_violation_is_reported_with_its_line(
    write_file: WriteFile, old: str, new: str, after: str, field: str
) -> None:
    before, header, rest = TEXT.partition(after) if after else ("", "", TEXT)
    assert old in (header + rest)
    text = before + (header + rest).replace(old, new, 1)
    at = text.index(new, len(before))
    line = text.count("\n", 0, at) + 1
    assert f"acme.toml, line {line}: {field}" in refusal_of(write_file(text))


@pytest.mark.parametrize("name", REQUIRED_FIELDS)
def test_a_missing_required_field_is_reported_with_the_reason(write_file: WriteFile, name: str) -> None:
    message = refusal_of(write_file(without_table(f"[fields.{name}]\n")))
    assert f"fields.{name}: is missing: no referral can be created without it" in message


def test_a_missing_key_is_reported_at_the_header_of_its_table(write_file: WriteFile) -> None:
    text = TEXT.replace('label = "Amount"\n', "")
    line = line_of(text, "[fields.money]")
    assert refusal_of(write_file(text)) == (
        f"acme.toml, line {line}: fields.money.label: "
        "this key is missing; expected a text in quotation marks that is not empty."
    )


def test_a_missing_key_is_not_confused_with_the_same_key_of_another_table(write_file: WriteFile) -> None:
    """The key `referral` stands in every other table too, so the line must be searched in the right table."""
    text = TEXT.replace('referral = "/details/closingDateTime"\n', "")
    assert refusal_of(write_file(text)) == (
        f"acme.toml, line {line_of(text, '[fields.closing]')}: fields.closing.referral: "
        "this key is missing; expected a path in the referral, such as /details/dealValue."
    )


def test_a_required_field_of_another_type_is_reported(write_file: WriteFile) -> None:
    text = TEXT.replace('type = "date"', 'type = "text"')
    assert refusal_of(write_file(text)) == (
        f"acme.toml, line {line_of(text, 'type', '[fields.closing]')}: fields.closing.type: "
        'expected date, because no referral can be created without this field; found "text".'
    )


@pytest.mark.parametrize("direction", ["off", "to_salesforce"])
def test_a_required_field_that_is_not_written_to_partner_center_is_reported(
    write_file: WriteFile, direction: str
) -> None:
    text = TEXT.replace("[fields.solutions]\n", f'[fields.solutions]\ndirection = "{direction}"\n')
    line = line_of(text, "direction", "[fields.solutions]")
    assert refusal_of(write_file(text)) == (
        f"acme.toml, line {line}: fields.solutions.direction: expected both or "
        f'to_partner_center, because no referral can be created without this field; found "{direction}".'
    )


def test_a_status_that_no_stage_shows_is_reported(write_file: WriteFile) -> None:
    text = TEXT.replace(', "Closed/Expired"', "")
    message = refusal_of(write_file(text))
    assert message == (
        f"acme.toml, line {line_of(text, '[[stages]]')}: stages: expected a stage for every status; "
        "no stage shows Closed/Expired. Add it to `also` of a stage."
    )


def test_all_violations_are_reported_at_once(write_file: WriteFile) -> None:
    text = TEXT.replace("length = 120", "length = 0").replace("length = 255", "length = 0")
    message = refusal_of(write_file(text))
    assert f"line {line_of(text, 'length', '[fields.name]')}: fields.name.length" in message
    assert f"line {line_of(text, 'length', '[fields.solutions]')}: fields.solutions.length" in message


def test_an_empty_file_names_every_part_that_is_missing(write_file: WriteFile) -> None:
    message = refusal_of(write_file(""))
    for part in ("version", "ours", "fields", "stages"):
        assert f"acme.toml, line 1: {part}: this key is missing; expected " in message


# --- overlay ----------------------------------------------------------------------------------------------------------


def test_an_overlay_contains_only_what_differs(write_file: WriteFile) -> None:
    file, _ = load_mapping(write_file('extends = "default"\n\n[fields.money]\nwinner = "partner_center"\n'))
    assert file.fields["money"].winner is Side.PARTNER_CENTER
    assert file.fields["money"].label == "Amount"
    assert file.fields["closing"] == load_mapping()[0].fields["closing"]


def test_an_empty_overlay_equals_the_default(write_file: WriteFile) -> None:
    assert load_mapping(write_file('extends = "default"\n')) == load_mapping()


def test_an_overlay_replaces_the_stage_table_whole(write_file: WriteFile) -> None:
    stages = "\n".join(
        f'[[stages]]\nname = "{name}"\nstatus = "{status}"\nalso = {also}\n'
        for name, status, also in [
            ("Waiting", "New/Pending", ["New/Received"]),
            ("Working", "Active/Accepted", []),
            ("Won", "Closed/Won", []),
            ("Over", "Closed/Lost", ["Closed/Declined", "Closed/Expired", "Closed/Error"]),
        ]
    )
    file, _ = load_mapping(write_file(f'extends = "default"\n{stages}'))
    assert [stage.name for stage in file.stages] == ["Waiting", "Working", "Won", "Over"]


def test_an_overlay_may_add_a_field(write_file: WriteFile) -> None:
    message = (
        '[fields.campaign]\ntype = "text"\nlabel = "Campaign"\nreferral = "/campaignId"\nsalesforce = "NextStep"\n'
    )
    file, _ = load_mapping(write_file(f'extends = "default"\n{message}'))
    assert file.fields_with_stages()["campaign"].select_items() == ("NextStep",)


def test_a_violation_in_an_overlay_is_reported_with_its_line(write_file: WriteFile) -> None:
    text = 'extends = "default"\n\n[fields.money]\nwinner = "nobody"\n'
    assert refusal_of(write_file(text)).startswith("acme.toml, line 4: fields.money.winner: ")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            '[ours]\nlink = "sync_status__c"',
            "ours.link: expected a column that no other key of ours names; found sync_status__c, which ours.status",
        ),
        (
            '[fields.notes]\nsalesforce = "audit__C"',
            "fields.notes.salesforce: expected a column that is not the connector's own; found audit__C, which ours",
        ),
    ],
)
def test_a_column_of_the_connector_is_used_once_in_any_letter_case(
    write_file: WriteFile, lines: str, sentence: str
) -> None:
    assert f"line 3: {sentence}" in refusal_of(write_file(f'extends = "default"\n{lines}\n'))


def test_a_type_that_conflicts_with_the_default_is_reported_at_the_table_of_the_overlay(write_file: WriteFile) -> None:
    message = refusal_of(write_file('extends = "default"\n\n\n[fields.notes]\ntype = "money"\n'))
    assert message == (
        "acme.toml, line 4: fields.notes.referral: expected a table with the keys amount, currency; "
        'found "/details/notes" in the default file.\n'
        "acme.toml, line 4: fields.notes.salesforce: expected a table with the keys amount, currency, fixed_currency; "
        'found "Description" in the default file.\n'
        "acme.toml, line 4: fields.notes.length: this key is not known; expected one of label, direction, when, "
        "winner, clearable, optional, type, referral, salesforce, convert. The default file has this key."
    )


def test_only_the_default_can_be_extended(write_file: WriteFile) -> None:
    message = refusal_of(write_file(f'# ours\nextends = "mine"\n{TEXT}'))
    assert message == (
        'acme.toml, line 2: extends: expected "default", the only file that can be extended; found "mine".'
    )


# --- hash -------------------------------------------------------------------------------------------------------------


def test_the_hash_depends_on_the_content_and_not_on_comments(write_file: WriteFile) -> None:
    same = TEXT.replace("# This file says", "# The lines below say")
    assert same != TEXT
    other = TEXT.replace("length = 120", "length = 119")
    assert load_mapping(write_file(same))[1] == load_mapping()[1]
    assert load_mapping(write_file(other))[1] != load_mapping()[1]


def test_the_hash_does_not_depend_on_the_mark_of_names(write_file: WriteFile) -> None:
    """No base depends on it, so no referral need be read again."""
    marked = write_file('extends = "default"\n[fields.name]\nmark = true\n')
    assert load_mapping(marked)[1] == load_mapping()[1]
    assert load_mapping(marked)[0].fields["name"].to_rule("name") == load_mapping()[0].fields["name"].to_rule("name")


def test_the_hash_is_the_same_in_every_process(write_file: WriteFile) -> None:
    path = write_file(TEXT.replace('clearable = ["salesforce"]', 'clearable = ["salesforce", "partner_center"]'))
    program = f"""
import pathlib
from shared.mapping.validation import load_mapping
print(load_mapping(pathlib.Path({str(path)!r}))[1])
"""
    hashes = {
        subprocess.run(  # noqa: S603 - our own interpreter and text
            [sys.executable, "-c", program],
            capture_output=True, check=True, text=True, cwd=DEFAULT.parents[2], env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "5")
    }  # fmt: skip
    assert hashes == {f"{load_mapping(path)[1]}\n"}
