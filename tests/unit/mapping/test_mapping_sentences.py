"""Each fault of a mapping file has a plain sentence: what was expected, what was found, and the nearest right name."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from shared.foundation.errors import ConfigurationError
from shared.mapping.schema import DEFAULT
from shared.mapping.validation import load_mapping
from tests.unit.mapping.attribute_faults import ATTRIBUTE_FAULTS
from tests.unit.mapping.location_faults import LOCATION_FAULTS
from tests.unit.mapping.overlay_faults import OVERLAY_FAULTS, STATUSES
from tests.unit.mapping.owner_faults import OWNER_FAULTS

Refuse = Callable[[str], list[str]]

DEFAULT_TEXT = DEFAULT.read_text(encoding="utf-8")
OVERLAY = 'extends = "default"\n'


@pytest.fixture
def refuse(tmp_path: Path) -> Refuse:
    """Load a text as the mapping file `acme.toml`, which must be refused, and return the sentences."""

    def refused(text: str) -> list[str]:
        path = tmp_path / "acme.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError) as caught:
            load_mapping(path)
        return str(caught.value).split("\n")

    return refused


FAULTS = {**OVERLAY_FAULTS, **OWNER_FAULTS, **ATTRIBUTE_FAULTS, **LOCATION_FAULTS}


@pytest.mark.parametrize(("content", "sentences"), FAULTS.values(), ids=FAULTS)
def test_each_fault_has_its_sentence(refuse: Refuse, content: str, sentences: list[str]) -> None:
    assert refuse(f"{OVERLAY}{content}\n") == [f"acme.toml, {sentence}" for sentence in sentences]


# Each fault: texts of the default file and what replaces them, and the sentences, each with the text of its line.
DEFAULT_FAULTS: Mapping[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "a missing key that is there under a wrong name": (
        {'label = "Amount"': 'lable = "Amount"'},
        [
            (
                "lable =",
                (
                    "fields.money.lable: this key is not known; expected one of label, direction, when, winner, "
                    "clearable, optional, type, referral, salesforce, convert. Did you mean label?"
                ),
            )
        ],
    ),
    "a required field under a wrong name": (
        {"[fields.money]": "[fields.mony]"},
        [
            (
                "[fields.name]",
                (
                    "fields.money: is missing: no referral can be created without it. "
                    "The table fields.mony on line 68 has a similar name."
                ),
            )
        ],
    ),
    "a currency that is not a code": (
        {'currency = "CurrencyIsoCode"': 'fixed_currency = "Euro"'},
        [
            (
                'salesforce = { amount = "Amount"',
                (
                    "fields.money.salesforce.fixed_currency: expected a currency code of ISO 4217, such as EUR; "
                    'found "Euro". Did you mean EUR?'
                ),
            )
        ],
    ),
    "an empty currency": (
        {'currency = "CurrencyIsoCode"': 'fixed_currency = ""'},
        [
            (
                'salesforce = { amount = "Amount"',
                (
                    "fields.money.salesforce.fixed_currency: expected a currency code of ISO 4217, such as EUR; "
                    "found an empty text."
                ),
            )
        ],
    ),
    "a status that is nearly right is not missing too": (
        {'status = "Closed/Won"': 'status = "Closed Won"'},
        [
            (
                'status = "Closed Won"',
                f'stages.9.status: expected one of {STATUSES}; found "Closed Won". Did you mean Closed/Won?',
            )
        ],
    ),
    "a stage that stands twice, and an empty one": (
        {'name = "Prospecting"': 'name = "on hold"', 'name = "Qualification"': 'name = ""'},
        [
            ('name = "on hold"', 'stages.1.name: expected each stage once; found "on hold" again, after line FIRST.'),
            (
                'name = ""',
                "stages.2.name: expected a text in quotation marks that is not empty; found an empty text.",
            ),
        ],
    ),
    "a first stage that is not on hold": (
        {'status = "New/Pending"\nalso = [': 'status = "Active/Accepted"\nalso = ["New/Pending", '},
        [
            (
                'status = "Active/Accepted"\nalso',
                (
                    "stages.0.status: expected New/Pending or New/Received, because the first stage is the on-hold "
                    'stage; found "Active/Accepted".'
                ),
            )
        ],
    ),
    "a truth value that is none": (
        {"arrives = true": 'arrives = "sometimes"'},
        [('arrives = "sometimes"', 'stages.2.arrives: expected true or false; found "sometimes".')],
    ),
}


def line_of(part: str, text: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(("changes", "sentences"), DEFAULT_FAULTS.values(), ids=DEFAULT_FAULTS)
def test_each_fault_of_a_whole_file_has_its_sentence(
    refuse: Refuse, changes: dict[str, str], sentences: list[tuple[str, str]]
) -> None:
    text = DEFAULT_TEXT
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    expected = [f"acme.toml, line {line_of(at, text)}: {sentence}" for at, sentence in sentences]
    first = str(line_of('name = "On Hold"', text)) if 'name = "On Hold"' in text else ""
    assert refuse(text) == [sentence.replace("FIRST", first) for sentence in expected]


@pytest.mark.parametrize("value", ["mine", "base.toml", "Default"])
def test_a_file_to_extend_that_does_not_exist_hides_no_other_fault(refuse: Refuse, value: str) -> None:
    assert refuse(f'extends = "{value}"\n[fields.money]\nwinner = "nobody"\n') == [
        f'acme.toml, line 1: extends: expected "default", the only file that can be extended; found "{value}".',
        'acme.toml, line 3: fields.money.winner: expected partner_center or salesforce; found "nobody".',
    ]


def test_a_file_that_misspells_extends_still_extends_the_default(refuse: Refuse) -> None:
    assert refuse('extend = "default"\n') == [
        (
            "acme.toml, line 1: extend: this key is not known; expected one of version, ours, fields, stages, owners, "
            "notify_owner, new, lead, location, extends, remove. "
            "Did you mean extends?"
        )
    ]


def test_faults_of_every_kind_are_reported_at_once_in_the_order_of_the_file(refuse: Refuse) -> None:
    text = DEFAULT_TEXT.replace('type = "text"', 'type = "txt"', 1)
    text = text.replace('winner = "salesforce"', "winner = salesforce", 1)  # not valid TOML
    text = text.replace('salesforce = "Description"', 'salesforce = "Audit__c"', 1)  # a rule beyond the schema
    text = text.replace('label = "Stage"\n', "", 1)
    text = text.replace('name = "Prospecting"', 'name = "On Hold"', 1)
    text = f"{text}colour = 1\n"
    places = [sentence.split(": ")[1] for sentence in refuse(text)]
    assert places == [
        "fields.name.type",
        "fields.money.winner",
        "fields.notes.salesforce",
        "fields.status.label",
        "stages.1.name",
        "stages.10.colour",
    ]


def test_a_key_that_needs_quotation_marks_has_them(refuse: Refuse) -> None:
    [sentence] = refuse(f'{OVERLAY}[fields.notes]\n"a\\nb.c" = 1\n')
    assert sentence.startswith('acme.toml, line 3: fields.notes."a\\nb.c": this key is not known; ')


def test_a_file_below_the_current_folder_is_named_with_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "mapping" / "staging.toml"
    path.parent.mkdir()
    path.write_text(f"{OVERLAY}version = 2\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"^mapping/staging\.toml, line 2: version: expected 1; found 2\.$"):
        load_mapping(path)


def test_the_error_does_not_carry_the_words_of_a_library(tmp_path: Path) -> None:
    """A log of the error also shows its cause and context."""
    path = tmp_path / "acme.toml"
    for text in ("version = 2", "version = two"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigurationError) as caught:
            load_mapping(path)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_valid_file_does_not_load_what_only_describes_faults() -> None:
    program = """
import sys
from shared.mapping.validation import load_mapping
from tests.unit.mapping.overlay_faults import OVERLAY_FAULTS, STATUSES
load_mapping()
print(sorted({"difflib", "shared.mapping.toml_lines", "shared.mapping.toml_syntax", "shared.mapping.schema_violations"}
             & set(sys.modules)))
"""
    completed = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, cwd=DEFAULT.parents[2]
    )
    assert completed.stdout == "[]\n"
