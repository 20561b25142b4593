"""A file that extends the default can take fields out of it, and says in one sentence why one cannot go."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.foundation.errors import ConfigurationError
from shared.mapping.schema import DEFAULT, MappingFile
from shared.mapping.validation import load_mapping

type Load = Callable[[str], MappingFile]

EXTENDED = 'extends = "default"\n'


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(text: str) -> MappingFile:
        path = tmp_path / "acme.toml"
        path.write_text(text, encoding="utf-8")
        return load_mapping(path)[0]

    return loaded


def refusal_of(load: Load, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    return str(caught.value).split("\n")


def test_removed_fields_are_not_in_the_file(load: Load) -> None:
    whole, file = load_mapping()[0], load(f'{EXTENDED}remove = ["contacts", "campaign"]\n')
    assert whole.fields.keys() - file.fields.keys() == {"contacts", "campaign"}
    assert file.question.paths < whole.question.paths


def test_a_file_that_removes_nothing_is_the_default(load: Load) -> None:
    assert load(f"{EXTENDED}remove = []\n").content == load_mapping()[0].content


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('remove = "contacts"', 'expected a list of fields, such as ["contacts"]; found "contacts".'),
        ("remove = [1]", 'expected a list of fields, such as ["contacts"]; found a list.'),
        ('remove = ["money"]', 'expected fields that a referral can be created without; found "money".'),
        ('remove = ["contact"]', 'expected fields of the default file; found "contact". Did you mean contacts?'),
        ('remove = ["region"]', 'expected fields of the default file; found "region".'),
        (
            'remove = ["notes"]\n[fields.notes]\nlength = 9',
            'expected fields that this file does not set; found "notes", which line 3 has a table for.',
        ),
    ],
)
def test_what_cannot_be_removed_has_its_sentence(load: Load, text: str, sentence: str) -> None:
    assert refusal_of(load, f"{EXTENDED}{text}\n") == [f"acme.toml, line 2: remove: {sentence}"]


def test_a_whole_file_removes_nothing(load: Load) -> None:
    text = 'remove = ["contacts"]\n' + DEFAULT.read_text(encoding="utf-8")
    [sentence] = refusal_of(load, text)
    assert sentence.endswith('remove: works only beside extends = "default". A whole file leaves out the table of the field instead.')  # fmt: skip # noqa: E501


@pytest.mark.parametrize("name", ["acme.toml", "acme", "./acme.toml", "mapping/acme.toml", "mapping\\\\acme.toml"])
def test_a_file_that_extends_itself_is_told(load: Load, name: str) -> None:
    [sentence] = refusal_of(load, f'extends = "{name}"\n')
    assert 'extends: expected "default", the only file that can be extended; found "' in sentence
    assert sentence.endswith('", which is this file itself.')
