"""A wrong mapping file never starts the app: the error names the file, the line and the field."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.domain.deal import Side
from shared.domain.plan import REQUIRED
from shared.foundation.errors import ConfigurationError
from shared.mapping.schema import DEFAULT
from shared.mapping.validation import REQUIRED_FIELDS, load_mapping

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


def line_of(text: str, wanted: str, after: str = "") -> int:
    """The line of the first `wanted` behind `after`, counted the plain way."""
    lines = text.split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(after))
    return 1 + next(number for number in range(start, len(lines)) if lines[number].startswith(wanted))


def without_table(header: str) -> str:
    """The default file without one table."""
    before, _, rest = TEXT.partition(header)
    return before + rest[rest.index("\n[") + 1 :]


def test_the_default_file_is_sound() -> None:
    file, digest = load_mapping()
    assert file.version == 1
    assert len(digest) == 12


def test_what_a_create_needs_is_what_the_plan_asks_for() -> None:
    assert set(REQUIRED_FIELDS) == set(REQUIRED)


# (what is replaced, by what, behind which header; the line is that of what stands there then; the field)
DEFECTS = {
    "an unknown key": ("length = 120", "lenght = 120", "[fields.name]", "fields.name.lenght"),
    "a wrong type of value": ("length = 120", 'length = "long"', "[fields.name]", "fields.name.length"),
    "a number out of range": ("length = 120", "length = 0", "[fields.name]", "fields.name.length"),
    "an unknown kind of field": ('type = "date"', 'type = "dates"', "[fields.closing]", "fields.closing.type"),
    "an unknown direction": (
        'direction = "to_partner_center"', 'direction = "sideways"', "[fields.team]", "fields.team.direction",
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
    "no currency at all": (
        'salesforce = { amount = "Amount", currency = "CurrencyIsoCode" }',
        'salesforce = { amount = "Amount" }',
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
    "solutions that are to be updated": (
        'when = ["create"]', 'when = ["create", "update"]', "[fields.solutions]", "fields.solutions.when",
    ),
    "a needed field that does not travel on create": (
        'when = ["create"]', 'when = ["update"]', "[fields.name]", "fields.name.when",
    ),
    "an empty label": ('label = "Notes"', 'label = ""', "[fields.notes]", "fields.notes.label"),
    "a column of the connector's own": (
        'salesforce = "Description"', 'salesforce = "Audit__c"', "[fields.notes]", "fields.notes.salesforce",
    ),
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
def test_each_fault_is_named_with_its_line(write_file: WriteFile, old: str, new: str, after: str, field: str) -> None:
    before, header, rest = TEXT.partition(after) if after else ("", "", TEXT)
    assert old in (header + rest)
    text = before + (header + rest).replace(old, new, 1)
    at = text.index(new, len(before))
    line = text.count("\n", 0, at) + 1
    assert f"acme.toml, line {line}: {field}" in refusal_of(write_file(text))


@pytest.mark.parametrize("name", REQUIRED_FIELDS)
def test_a_needed_field_that_is_missing_is_told_with_what_it_is_for(write_file: WriteFile, name: str) -> None:
    said = refusal_of(write_file(without_table(f"[fields.{name}]\n")))
    assert f"fields.{name}: is missing: no referral can be created without it" in said


def test_a_missing_key_is_told_at_its_tables_header(write_file: WriteFile) -> None:
    text = TEXT.replace('label = "Deal value"\n', "")
    line = line_of(text, "[fields.money]")
    assert refusal_of(write_file(text)) == f"acme.toml, line {line}: fields.money.label: Field required"


def test_a_key_of_another_table_is_not_taken_for_the_missing_one(write_file: WriteFile) -> None:
    """The line is looked for where the fault is: `referral` stands in every other table too."""
    text = TEXT.replace('referral = "/details/closingDateTime"\n', "")
    assert (
        f"acme.toml, line {line_of(text, '[fields.closing]')}: fields.closing.referral: Field required"
        in refusal_of(write_file(text))
    )


def test_a_needed_field_of_another_kind_is_told(write_file: WriteFile) -> None:
    text = TEXT.replace('type = "date"', 'type = "text"')
    assert f"line {line_of(text, 'type', '[fields.closing]')}: fields.closing.type: must be date" in refusal_of(
        write_file(text)
    )


@pytest.mark.parametrize("direction", ["off", "to_salesforce"])
def test_a_needed_field_that_does_not_reach_partner_center_is_told(write_file: WriteFile, direction: str) -> None:
    text = TEXT.replace("[fields.money]\n", f'[fields.money]\ndirection = "{direction}"\n')
    assert f"line {line_of(text, 'direction', '[fields.money]')}: fields.money.direction" in refusal_of(
        write_file(text)
    )


def test_a_status_that_no_stage_shows_is_told(write_file: WriteFile) -> None:
    text = TEXT.replace(', "Closed/Expired"', "")
    said = refusal_of(write_file(text))
    assert said == f"acme.toml, line {line_of(text, '[[stages]]')}: stages: no stage shows Closed/Expired"


def test_all_faults_are_told_at_once(write_file: WriteFile) -> None:
    text = TEXT.replace("length = 120", "length = 0").replace("length = 255", "length = 0")
    said = refusal_of(write_file(text))
    assert f"line {line_of(text, 'length', '[fields.name]')}: fields.name.length" in said
    assert f"line {line_of(text, 'length', '[fields.solutions]')}: fields.solutions.length" in said


def test_broken_toml_is_told_with_its_line(write_file: WriteFile) -> None:
    text = TEXT.replace('label = "Name"', "label = Name")
    said = refusal_of(write_file(text))
    assert said.startswith("acme.toml: not valid TOML: ")
    assert f"line {line_of(text, 'label = Name')}" in said


def test_a_key_written_twice_is_told(write_file: WriteFile) -> None:
    assert "acme.toml: not valid TOML: " in refusal_of(write_file(TEXT + "\n[ours]\n"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "acme.toml") == "MAPPING: acme.toml cannot be read: FileNotFoundError"


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_bytes(b"\xff\xfeversion = 1")
    assert refusal_of(path) == "MAPPING: acme.toml cannot be read: UnicodeDecodeError"


def test_an_empty_file_names_every_part_that_is_missing(write_file: WriteFile) -> None:
    said = refusal_of(write_file(""))
    for part in ("version", "ours", "fields", "stages"):
        assert f"acme.toml, line 1: {part}: Field required" in said


# --- overlay ----------------------------------------------------------------------------------------------------------


def test_an_overlay_names_only_what_differs(write_file: WriteFile) -> None:
    file, _ = load_mapping(write_file('extends = "default"\n\n[fields.money]\nwinner = "partner_center"\n'))
    assert file.fields["money"].winner is Side.PARTNER_CENTER
    assert file.fields["money"].label == "Deal value"
    assert file.fields["closing"] == load_mapping()[0].fields["closing"]


def test_an_overlay_that_says_nothing_is_the_default(write_file: WriteFile) -> None:
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
    assert [row.name for row in file.stages] == ["Waiting", "Working", "Won", "Over"]


def test_an_overlay_may_add_a_field(write_file: WriteFile) -> None:
    said = '[fields.campaign]\ntype = "text"\nlabel = "Campaign"\nreferral = "/campaignId"\nsalesforce = "NextStep"\n'
    file, _ = load_mapping(write_file(f'extends = "default"\n{said}'))
    assert file.fields_with_stages()["campaign"].select_items() == ("NextStep",)


def test_a_fault_of_an_overlay_is_told_with_the_overlays_line(write_file: WriteFile) -> None:
    text = 'extends = "default"\n\n[fields.money]\nwinner = "nobody"\n'
    assert refusal_of(write_file(text)).startswith("acme.toml, line 4: fields.money.winner: ")


def test_a_kind_that_does_not_fit_what_the_default_says_is_told_at_the_overlays_table(write_file: WriteFile) -> None:
    said = refusal_of(write_file('extends = "default"\n\n\n[fields.money]\ntype = "text"\n'))
    assert "acme.toml, line 4: fields.money.referral: " in said


def test_only_the_default_can_be_extended(write_file: WriteFile) -> None:
    said = refusal_of(write_file(f'# ours\nextends = "mine"\n{TEXT}'))
    assert said == 'acme.toml, line 2: extends: only "default" can be extended'


# --- hash -------------------------------------------------------------------------------------------------------------


def test_the_hash_tells_what_a_file_says_not_how(write_file: WriteFile) -> None:
    same = TEXT.replace("# Which values", "# What")
    other = TEXT.replace("length = 120", "length = 119")
    assert load_mapping(write_file(same))[1] == load_mapping()[1]
    assert load_mapping(write_file(other))[1] != load_mapping()[1]


def test_the_hash_is_the_same_in_every_process(write_file: WriteFile) -> None:
    path = write_file(TEXT.replace('clearable = ["salesforce"]', 'clearable = ["salesforce", "partner_center"]'))
    program = f"import pathlib; from shared.mapping.validation import load_mapping; print(load_mapping(pathlib.Path({str(path)!r}))[1])"
    hashes = {
        subprocess.run(  # noqa: S603 - our own interpreter and text
            [sys.executable, "-c", program],
            capture_output=True, check=True, text=True, cwd=DEFAULT.parents[2], env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "5")
    }  # fmt: skip
    assert hashes == {f"{load_mapping(path)[1]}\n"}
