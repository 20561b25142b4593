"""Each field of a mapping file can be explained, and a text that means none gets its sentence."""

from pathlib import Path

import pytest

from shared.foundation.errors import ConfigurationError
from shared.mapping.effective import effective_mapping
from shared.mapping.explained import explain_field

DEFAULT_FILE = effective_mapping()
TEXT = 'extends = "default"\nremove = ["contacts"]\n'


@pytest.mark.parametrize("name", sorted(DEFAULT_FILE.file.fields))
def test_every_field_is_found_by_its_name_and_its_label(name: str) -> None:
    explained = explain_field(DEFAULT_FILE, name)
    assert explained.name == name
    assert explain_field(DEFAULT_FILE, dict(explained.facts)["label"].upper()) == explained
    assert {key.place[:2] for key in explained.keys} == {("fields", name)}


@pytest.mark.parametrize(
    ("text", "name"),
    [("stagename", "status"), ("/details/currency", "money"), ("Account.BillingCity", "account"), ("/team", "team")],
)
def test_a_field_is_found_by_a_column_or_a_path(text: str, name: str) -> None:
    assert explain_field(DEFAULT_FILE, text).name == name


@pytest.mark.parametrize(
    ("name", "fact", "words"),
    [
        ("size", "travels", "to Partner Center; an edit in Partner Center is put back, only when a deal is created"),
        ("size", "latch", "sent with a new referral only"),
        ("contacts", "latch", "until Microsoft sees the deal"),
        ("name", "latch", "unless it turns out to take none"),
        ("status", "latch", "what the status allows"),
        ("notes", "conflict", "both texts are kept"),
        ("solutions", "conflict", "merged member by member"),
        ("status", "conflict", "the value of Partner Center wins"),
        ("notes", "empty value", "may empty the field in Salesforce"),
    ],
)
def test_what_a_field_does_is_said_in_words(name: str, fact: str, words: str) -> None:
    assert words in dict(explain_field(DEFAULT_FILE, name).facts)[fact]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("contacts", "contacts is no field: acme.toml, line 2 takes it out of the default"),
        ("Audit__c", "Audit__c is the connector's own column ours.audit: docs/mapping.md#ours says what it holds"),
        ("mony", "Did you mean money?"),
        ("a\x1b[31m", '"a\\u001b[31m" is no field'),
    ],
)
def test_a_text_that_means_no_field_has_its_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(TEXT, encoding="utf-8")
    effective = effective_mapping(path)
    with pytest.raises(ConfigurationError) as caught:
        explain_field(effective, text)
    assert sentence in str(caught.value)
