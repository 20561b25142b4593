"""A text with a table of values travels by it in both directions, and a value without a counterpart does not travel."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.foundation.errors import ConfigurationError
from shared.mapping.field_base import UnreadableValue
from shared.mapping.field_types import TextField
from shared.mapping.validation import load_mapping

type Load = Callable[[str], TextField]

VALUES = '{ "Web" = "Online", "Fair" = "Event" }'


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(values: str) -> TextField:
        path = tmp_path / "acme.toml"
        path.write_text(f'extends = "default"\n[fields.campaign]\nvalues = {values}\n', encoding="utf-8")
        field = load_mapping(path)[0].fields["campaign"]
        assert isinstance(field, TextField)
        return field

    return loaded


def test_a_value_travels_as_its_counterpart_in_both_directions(load: Load) -> None:
    field, body = load(VALUES), dict[str, object]()
    assert field.read_record({"Marketing_Campaign_Id__c": "web"}) == "Web"
    assert field.read_referral({"campaignId": "EVENT"}) == "Fair"
    assert field.record_values("Fair") == {"Marketing_Campaign_Id__c": "Fair"}
    assert [operation["value"] for operation in field.patch_operations("Web", "Fair")] == ["Online"]
    field.add_to_body("Web", body)
    assert body == {"campaignId": "Online"}


def test_an_empty_value_stays_empty(load: Load) -> None:
    field = load(VALUES)
    assert field.read_record({"Marketing_Campaign_Id__c": " "}) is None
    assert field.read_referral({}) is None
    assert field.record_values(None) == {"Marketing_Campaign_Id__c": None}


def test_a_value_that_the_table_lacks_is_refused_on_either_side(load: Load) -> None:
    field = load(VALUES)
    with pytest.raises(UnreadableValue) as caught:
        field.read_record({"Marketing_Campaign_Id__c": "Online"})
    assert caught.value.cause.code == "bad_attribute"
    with pytest.raises(UnreadableValue) as caught:
        field.read_referral({"campaignId": "Web"})
    assert caught.value.cause.code == "unknown_attribute"


def test_the_table_decides_how_the_value_is_read_and_its_absence_changes_no_hash(load: Load) -> None:
    default = load_mapping()[0].fields["campaign"]
    assert load(VALUES).to_rule("campaign").source != default.to_rule("campaign").source
    assert '"values"' not in load_mapping()[0].content.partition('"campaign"')[2].partition('"referral_program"')[0]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            '{ "Web" = "A", "Fair" = "a" }',
            'expected a value of Partner Center that no other value has; found "a", which "Web" has too.',
        ),
        ('{ "Web" = "A", "web" = "B" }', 'expected each value once, in any letter case; found it again, after "Web".'),
        ('{ "Web" = "" }', "expected a value on both sides; found an empty text."),
        ("{ }", "found an empty table."),
    ],
)
def test_a_table_that_is_not_one_to_one_is_refused(load: Load, values: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(values)
    assert str(caught.value).startswith("acme.toml, line 3: fields.campaign.values")
    assert str(caught.value).endswith(problem)
