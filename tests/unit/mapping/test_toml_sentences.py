"""A mapping file that is not valid TOML is described in plain words, and the rest of the file is still checked."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from shared.foundation.errors import ConfigurationError
from shared.mapping.schema import DEFAULT
from shared.mapping.source import MARK_OF_UTF_16, MappingSource
from shared.mapping.validation import load_mapping

Refuse = Callable[[bytes], list[str]]

DEFAULT_TEXT = DEFAULT.read_text(encoding="utf-8")
OVERLAY = 'extends = "default"\n[fields.notes]\n'
VALUE = "a value (a text in quotation marks, a number, true or false, a list in [ ], or a table in { })"
STATEMENT = "a key, the name of a table in [ ], or a comment"


@pytest.fixture
def refuse(tmp_path: Path) -> Refuse:
    """Load bytes as the mapping file `acme.toml`, which must be refused, and return the sentences."""

    def refused(data: bytes) -> list[str]:
        path = tmp_path / "acme.toml"
        path.write_bytes(data)
        with pytest.raises(ConfigurationError) as caught:
            load_mapping(path)
        return str(caught.value).split("\n")

    return refused


# Each fault: the lines from line 3 on, in the table of the field `notes`, and the sentences after the name of the file.
FAULTS: Mapping[str, tuple[str, list[str]]] = {
    "a text without quotation marks": (
        "label = Our notes # a comment",
        [f'line 3, column 9: fields.notes.label: expected {VALUE}; found Our. Did you mean "Our notes"?'],
    ),
    "typographic quotation marks": (
        "label = \u201cNotes\u201d",
        [f'line 3, column 9: fields.notes.label: expected {VALUE}; found \u201cNotes\u201d. Did you mean "Notes"?'],
    ),
    "a text without quotation marks in a list": (
        "clearable = [salesforce, partner_center]",
        [f'line 3, column 14: fields.notes.clearable: expected {VALUE}; found salesforce. Did you mean "salesforce"?'],
    ),
    "a truth value with a capital": (
        "arrives = True",
        [f"line 3, column 11: fields.notes.arrives: expected {VALUE}; found True. Did you mean true?"],
    ),
    "no value": (
        "label =",
        [f"line 3, column 8: fields.notes.label: expected {VALUE}; found the end of the line."],
    ),
    "a text without an end": (
        'label = "Notes',
        [
            (
                "line 3, column 15: fields.notes.label: expected a quotation mark at the end of the text; "
                "found the end of the line."
            )
        ],
    ),
    "a text in single marks without an end": (
        "label = 'Notes",
        [
            (
                "line 3, column 15: fields.notes.label: expected a quotation mark at the end of the text; "
                "found the end of the line."
            )
        ],
    ),
    "a long text without an end": (
        'label = """Notes\nmore',
        ["line 3: fields.notes.label: expected a quotation mark at the end of the text; found the end of the file."],
    ),
    "two values": (
        'label = "Notes" "more"',
        ['line 3, column 17: fields.notes.label: expected the end of the line after the value; found "more".'],
    ),
    "a colon": (
        'label: "Notes"',
        ['line 3, column 6: fields.notes.label: expected = after the key; found ":".'],
    ),
    "no equals sign": (
        'label "Notes"',
        ['line 3, column 7: fields.notes: expected = after the key; found "Notes".'],
    ),
    "no key": (
        '= "Notes"',
        [f'line 3, column 1: fields.notes: expected {STATEMENT}; found "=".'],
    ),
    "a space that is not one": (
        '\u00a0label = "Notes"',
        [f"line 3, column 1: fields.notes.label: expected {STATEMENT}; found the character U+00A0."],
    ),
    "a table without an end": (
        "[fields.money",
        ["line 3, column 14: fields.money: expected ] after the name of the table; found the end of the line."],
    ),
    "a list of tables without an end": (
        "[[stages]",
        ['line 3, column 9: stages: expected ]] after the name of the table; found "]".'],
    ),
    "a list without an end": (
        'clearable = ["salesforce"\n\n[fields.money]',
        [
            (
                "line 5, column 1: fields.notes.clearable: expected a comma or ] in the list that begins on line 3; "
                "found [fields.money]."
            )
        ],
    ),
    "a list without a comma": (
        'clearable = [\n    "salesforce"\n    "partner_center"\n]',
        [
            (
                "line 5, column 5: fields.notes.clearable: expected a comma or ] in the list that begins on line 3; "
                'found "partner_center".'
            )
        ],
    ),
    "an inline table without an end": (
        'referral = { amount = "/amount"',
        [
            (
                "line 3, column 32: fields.notes.referral: expected a comma or } in the table, on the same line; "
                "found the end of the line."
            )
        ],
    ),
    "a comma after the last key of an inline table": (
        'referral = { amount = "/amount", }',
        [
            (
                "line 3, column 34: fields.notes.referral: expected a key (letters, digits, _ and -, or a text in "
                'quotation marks); found "}".'
            )
        ],
    ),
    "a key twice in an inline table": (
        'referral = { amount = "/amount", amount = "/value" }',
        ["line 3, column 51: fields.notes.referral: expected each key of a table once; found amount again."],
    ),
    "a backslash": (
        'label = "My\\Notes"',
        [r'line 3, column 14: fields.notes.label: expected \\ for each \ in a text; found otes".'],
    ),
    "a character number that is none": (
        'label = "\\u12"',
        [r'line 3, column 12: fields.notes.label: expected hexadecimal digits after \u or \U in a text; found 12".'],
    ),
    "a control character": (
        'label = "My\x07Notes"',
        ["line 3, column 12: fields.notes.label: expected a printable character; found the character U+0007."],
    ),
    "a date that does not exist": (
        "label = 2026-02-31",
        ["line 3, column 9: fields.notes.label: expected a date that exists; found 2026-02-31."],
    ),
    "a key twice": (
        'label = "Notes"\nlabel = "Remarks"',
        [
            (
                "line 4, column 18: fields.notes.label: expected each key and each table once; this one is here "
                "again, and line 3 has it already. Remove one of the two."
            )
        ],
    ),
    "a list twice, over several lines": (
        'clearable = ["salesforce"]\nclearable = [\n    "salesforce",\n]\nlength = 0',
        [
            (
                "line 6, column 2: fields.notes.clearable: expected each key and each table once; this one is here "
                "again, and line 3 has it already. Remove one of the two."
            ),
            "line 7: fields.notes.length: expected a whole number above 0; found 0.",
        ],
    ),
    "a table twice": (
        "[fields.notes]",
        [
            (
                "line 3, column 14: fields.notes: expected each key and each table once; this one is here "
                "again, and line 2 has it already. Remove one of the two."
            )
        ],
    ),
    "a table whose name is a key already": (
        'referral = { amount = "/amount" }\n[fields.notes.referral]\ncurrency = "/currency"',
        [
            (
                "line 4, column 23: fields.notes.referral: expected each key and each table once; this one is here "
                "again, and line 3 has it already. Remove one of the two."
            )
        ],
    ),
    "more levels than can be read": (
        f"label = {'[' * 5000}",
        [
            (
                "line 3: fields.notes.label: expected a list or a table with fewer levels; "
                "found more levels than can be read."
            )
        ],
    ),
    "a number that is too long": (
        f"length = {'1' * 5000}",
        ["line 3: fields.notes.length: expected a number of at most 4300 digits; found a longer number."],
    ),
}


@pytest.mark.parametrize(("content", "sentences"), FAULTS.values(), ids=FAULTS)
def test_each_syntax_error_has_its_sentence(refuse: Refuse, content: str, sentences: list[str]) -> None:
    assert refuse(f"{OVERLAY}{content}\n".encode()) == [f"acme.toml, {sentence}" for sentence in sentences]


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("label", "fields.notes: expected = after the key; found the end of the file."),
        ("label =", f"fields.notes.label: expected {VALUE}; found the end of the file."),
        ("[fields.team", "fields.team: expected ] after the name of the table; found the end of the file."),
    ],
)
def test_a_file_that_ends_too_early_is_described_where_its_last_statement_begins(
    refuse: Refuse, end: str, sentence: str
) -> None:
    assert refuse(f"{OVERLAY}{end}".encode()) == [f"acme.toml, line 3: {sentence}"]


def test_faults_after_a_syntax_error_are_reported_too(refuse: Refuse) -> None:
    text = (
        f"{OVERLAY}label = Notes\nlength = 0\nclearable = salesforce\n"
        "[fields.money]\ntype = money\nwinner = 'nobody'\n"
        "[[stages]]\nname = Waiting\nstatus = 'New Pending'\n"
    )
    places = [sentence.split(": ")[1] for sentence in refuse(text.encode())]
    assert places == [
        "fields.notes.label",
        "fields.notes.length",
        "fields.notes.clearable",
        "fields.money.type",
        "fields.money.winner",
        "stages.0.name",
        "stages.0.status",
    ]


def test_a_key_whose_value_cannot_be_read_is_not_missing_too(refuse: Refuse) -> None:
    text = DEFAULT_TEXT.replace('type = "date"', "type = date")
    [sentence] = refuse(text.encode())
    assert sentence.endswith('found date. Did you mean "date"?')


def test_an_extends_that_cannot_be_read_still_extends_the_default(refuse: Refuse) -> None:
    assert refuse(b"extends = default\nversion = 2\n") == [
        f'acme.toml, line 1, column 11: extends: expected {VALUE}; found default. Did you mean "default"?',
        "acme.toml, line 2: version: expected 1; found 2.",
    ]


# --- encoding ---------------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_bytes(DEFAULT_TEXT.encode("utf-8-sig"))
    assert load_mapping(path) == load_mapping()
    assert MappingSource(path).has_mark


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_accepted(tmp_path: Path, end: str) -> None:
    path = tmp_path / "acme.toml"
    path.write_bytes(DEFAULT_TEXT.replace("\n", end).encode())
    assert load_mapping(path) == load_mapping()


def test_a_fault_below_a_byte_order_mark_and_windows_line_ends_has_its_line(refuse: Refuse) -> None:
    text = f"{OVERLAY}label = Notes\nlength = 0\n".replace("\n", "\r\n")
    assert refuse(text.encode("utf-8-sig")) == [
        f'acme.toml, line 3, column 9: fields.notes.label: expected {VALUE}; found Notes. Did you mean "Notes"?',
        "acme.toml, line 4: fields.notes.length: expected a whole number above 0; found 0.",
    ]


def test_a_byte_that_is_not_utf_8_is_named_with_its_line_and_hides_no_other_fault(refuse: Refuse) -> None:
    text = f'{OVERLAY}label = "Wünsche"\nlength = 0\n'
    assert refuse(text.encode("latin-1")) == [
        "acme.toml, line 3: fields.notes.label: expected a text in UTF-8; found the byte FC. Save the file as UTF-8.",
        "acme.toml, line 4: fields.notes.length: expected a whole number above 0; found 0.",
    ]


def test_a_byte_that_is_not_utf_8_outside_of_a_text_is_one_fault(refuse: Refuse) -> None:
    assert refuse(f"# ours\n{OVERLAY}wünsche = 1\n".encode("cp1252")) == [
        "acme.toml, line 4: fields.notes: expected a text in UTF-8; found the byte FC. Save the file as UTF-8."
    ]


def test_a_wrong_byte_below_a_byte_order_mark_is_named(refuse: Refuse) -> None:
    assert refuse(b"\xef\xbb\xbf" + f'{OVERLAY}label = "W\xe4re"\n'.encode("latin-1")) == [
        "acme.toml, line 3: fields.notes.label: expected a text in UTF-8; found the byte E4. Save the file as UTF-8."
    ]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-16", MARK_OF_UTF_16), ("utf-16-le", "the character U+0000"), ("utf-32", MARK_OF_UTF_16)],
)
def test_another_encoding_of_the_whole_file_is_one_fault(refuse: Refuse, encoding: str, found: str) -> None:
    assert refuse(f"# ours\n{OVERLAY}".encode(encoding)) == [
        f"acme.toml, line 1: file: expected a text in UTF-8; found {found}. Save the file as UTF-8."
    ]
