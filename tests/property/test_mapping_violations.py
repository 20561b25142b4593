"""However a mapping file is damaged, it is accepted or each fault has a plain sentence that names the line."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.foundation.errors import ConfigurationError
from shared.mapping.schema import DEFAULT
from shared.mapping.validation import load_mapping

CUSTOMER_TEXT = """\
# The mapping of a customer with stages of their own.
extends = "default"

[ours]
flag = "Share_with_Microsoft__c"

[fields.money]
winner = "partner_center"

[fields.notes]
direction = "to_partner_center"
clearable = ["salesforce", "partner_center"]

[fields.team]
default_phone = "+45 50 00 00 00"

[fields.campaign]
type = "text"
label = "Campaign"
referral = "/campaignId"
salesforce = "Campaign.Name"
direction = "to_partner_center"
length = 80
when = ["create"]

[[stages]]
name = "Waiting"
status = "New/Pending"
also = ["New/Received"]

[[stages]]
name = "Working"
status = "Active/Accepted"
arrives = true

[[stages]]
name = "Won"
status = "Closed/Won"

[[stages]]
name = "Over"
status = "Closed/Lost"
reason = "Others"
also = [
    "Closed/Declined",
    "Closed/Expired",
    "Closed/Error",
]
"""
FILES = {"default": DEFAULT.read_text(encoding="utf-8"), "customer": CUSTOMER_TEXT}

WORDS_OF_LIBRARIES = re.compile(
    r"Input should|Extra inputs|discriminator|valid (?:tuple|dictionary|string|integer|boolean|list|set|number)|"
    r"Field required|Value error|Unable to|should (?:have|match)|pydantic|instance of|unexpected|Traceback|"
    r"Invalid|Cannot|Unclosed|Unescaped|Unterminated|Illegal|namespace|at line|end of document|declaration"
)
"""Phrases of pydantic and of the TOML parser."""

STEP = r"(?:[\w-]+|\"[^\n]*?\")"
SENTENCE = re.compile(
    rf"acme\.toml, line (?P<line>\d+)(?:, column \d+)?: {STEP}(?:\.{STEP})*: "
    r"(?:expected .+; .+|this key is (?:not known|missing); expected .+|is missing: .+)[.?]"
)

JUNK_VALUES = (
    *(
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "nan",
        "120",
        "0x1F",
        "1_000",
        "2026-01-31",
        "2026-01-31T10:00:00Z",
        "10:00:00",
    ),
    *('""', '" "', '"sideways"', '"salesforc"', '"create"', '"/name"', '"Name"', '"text"', '"Closed/Won"', "'x'"),
    *("[]", '[""]', '["create"]', '["update"]', "[1]", "[[]]", "{}", '{ amount = "Amount" }', "{ a = { b = 1 } }"),
    '"""\ntwo\nlines"""',
)
JUNK_SYNTAX = (
    *("Name", '"open', "'open", '"""open', "[1 2]", "[1", "{ a = 1", '"a" "b"', "", "2026-02-31", '"\\x"', "="),
    "\u201cName\u201d",
)
KEYS = (
    *("type", "label", "lable", "length", "lenght", "when", "direction", "winner", "referral", "salesforce"),
    *("name", "status", "also", "arrives", "extends", "version", "fields", "stages", "colour"),
    *('"a b"', "a.b", "x" * 80),
)
HEADERS = (
    *("[fields.money]", "[fields.mony]", "[fields]", "[ours]", "[our]", "[[stages]]", "[stages]"),
    *("[[fields.money]]", "[fields.", "[]"),
)

type Change = tuple[str, int, str]
"""What is done to which statement (counted round and round), and with what."""


def changes() -> st.SearchStrategy[list[Change]]:
    places = st.integers(0, 500)
    return st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["drop", "repeat", "swap"]), places, st.just("")),
            st.tuples(st.just("value"), places, st.sampled_from(JUNK_VALUES)),
            st.tuples(st.just("value"), places, st.sampled_from(JUNK_SYNTAX)),
            st.tuples(st.just("key"), places, st.sampled_from(KEYS)),
            st.tuples(st.just("line"), places, st.sampled_from(HEADERS)),
            st.tuples(st.just("cut"), places, st.integers(1, 30).map("x".__mul__)),
            st.tuples(st.just("character"), places, st.characters(codec="utf-8")),
        ),
        min_size=1,
        max_size=5,
    )


def damaged(text: str, faults: Sequence[Change]) -> str:
    for change in faults:
        lines = text.split("\n")
        written = [number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")]
        if not written:
            break
        number = written[change[1] % len(written)]
        lines[number : number + 1] = damaged_line(lines[number], change)
        text = "\n".join(lines)
    return text


def damaged_line(line: str, change: Change) -> list[str]:
    kind, number, junk = change
    key, equals, value = line.partition("=")
    at = number % (len(line) + 1)
    results = {
        "drop": [],
        "repeat": [line, line],
        "swap": [f"{value.strip()} = {key.strip()}"],
        "value": [f"{key}{equals} {junk}"],
        "key": [f"{junk} {equals}{value}"],
        "line": [line, junk],
        "cut": [line[: -len(junk)]],
        "character": [line[:at] + junk + line[at:]],
    }
    return results[kind]


def sentences_of(data: bytes, folder: Path) -> list[str]:
    """The sentences of a refusal; none if the file is accepted."""
    path = folder / "acme.toml"
    path.write_bytes(data)
    try:
        load_mapping(path)
    except ConfigurationError as error:
        return str(error).split("\n")
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mapping")


def assert_plain(sentences: Sequence[str], number_of_lines: int) -> None:
    lines = []
    for sentence in sentences:
        parts = SENTENCE.fullmatch(sentence)
        assert parts, sentence
        assert not WORDS_OF_LIBRARIES.search(sentence), sentence
        lines.append(int(parts["line"]))
    assert lines == sorted(lines)
    assert all(1 <= line <= number_of_lines for line in lines)
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_valid_before_they_are_damaged(name: str, folder: Path) -> None:
    assert sentences_of(FILES[name].encode(), folder) == []


@pytest.mark.parametrize("name", FILES)
@given(faults=changes())
def test_every_fault_has_a_plain_sentence(name: str, faults: Sequence[Change], folder: Path) -> None:
    text = damaged(FILES[name], faults)
    assert_plain(sentences_of(text.encode(), folder), len(text.split("\n")))


@pytest.mark.parametrize("name", FILES)
@given(place=st.integers(0, 5000), junk=st.binary(min_size=1, max_size=8))
def test_every_damage_to_the_bytes_has_a_plain_sentence(name: str, place: int, junk: bytes, folder: Path) -> None:
    data = FILES[name].encode()
    place %= len(data)
    data = data[:place] + junk + data[place:]
    number_of_lines = len(re.split(rb"\r\n|\r|\n", data))
    assert_plain(sentences_of(data, folder), number_of_lines)
