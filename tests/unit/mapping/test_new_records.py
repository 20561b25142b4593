"""The tables `[new.OBJECT]` of the mapping file (docs/mapping.md#new-records)."""

from datetime import date
from pathlib import Path

import pytest

from shared.foundation.errors import ConfigurationError
from shared.mapping.validation import load_mapping


def load(tmp_path: Path, lines: str) -> Path:
    path = tmp_path / "acme.toml"
    path.write_text(f'extends = "default"\n{lines}\n', "utf-8")
    return path


def faults(tmp_path: Path, lines: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_mapping(load(tmp_path, lines))
    return [line.partition("acme.toml, ")[2] for line in str(caught.value).splitlines()]


def test_defaults_have_the_types_of_toml(tmp_path: Path) -> None:
    lines = '[new.Opportunity]\ndefaults = { A__c = "x", B__c = 1, C__c = 1.5, D__c = true, E__c = 2026-12-31 }'
    file, _ = load_mapping(load(tmp_path, lines))
    assert dict(file.new.Opportunity.defaults) == {
        "A__c": "x", "B__c": 1, "C__c": 1.5, "D__c": True, "E__c": date(2026, 12, 31),
    }  # fmt: skip
    assert {type(value) for value in file.new.Opportunity.defaults.values()} == {str, int, float, bool, date}


def test_a_file_without_these_tables_keeps_its_hash(tmp_path: Path) -> None:
    assert load_mapping(load(tmp_path, ""))[1] == load_mapping()[1]
    assert load_mapping(load(tmp_path, '[new.Account]\ndefaults = { Type = "x" }'))[1] != load_mapping()[1]


@pytest.mark.parametrize("value", ["[1]", '""', "{ a = 1 }", "2026-12-31T10:00:00Z", "nan"])
def test_a_default_that_is_no_value_is_refused(tmp_path: Path, value: str) -> None:
    [fault] = faults(tmp_path, f"[new.Opportunity]\ndefaults = {{ A__c = {value} }}")
    assert fault.startswith("line 3: new.Opportunity.defaults.A__c: expected a text in quotation marks")


@pytest.mark.parametrize(
    ("column", "filler"),
    [
        ("Name", "fields.name"), ("stagename", "fields.status"), ("CloseDate", "fields.closing"),
        ("Audit__c", "ours.audit"), ("AccountId", "the connector itself"),
    ],
)  # fmt: skip
def test_a_default_for_a_column_that_is_always_filled_is_refused(tmp_path: Path, column: str, filler: str) -> None:
    [fault] = faults(tmp_path, f'[new.Opportunity]\ndefaults = {{ {column} = "x" }}')
    assert f"found {column}, which {filler} always fills. Remove this default." in fault


def test_the_record_type_is_no_default(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, '[new.Account]\ndefaults = { RecordTypeId = "012" }')
    assert "Use record_type with its developer name." in fault


def test_two_lines_for_one_column_are_refused(tmp_path: Path) -> None:
    lines = '[new.Contact.defaults]\nTitle = "x"\ntitle = "y"'
    [fault] = faults(tmp_path, lines)
    assert fault == (
        "line 4: new.Contact.defaults.title: expected each column once; found title again, after line 3. Remove one."
    )


def test_two_fields_that_write_one_column_are_refused(tmp_path: Path) -> None:
    field = 'type = "text"\nlabel = "Extra"\nreferral = "/x"\nsalesforce = "description"'
    [fault] = faults(tmp_path, f"[fields.extra]\n{field}")
    assert "found description, which fields.notes writes too." in fault
    load_mapping(load(tmp_path, f'[fields.extra]\n{field}\ndirection = "to_partner_center"'))


def test_other_objects_and_keys_are_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, '[new.Lead]\nrecord_type = "x"\n[new.Account]\nrecordtype = "x"') == [
        "line 2: new.Lead: this key is not known; expected one of Opportunity, Account, Contact.",
        (
            "line 5: new.Account.recordtype: this key is not known; expected record_type or defaults. "
            "Did you mean record_type?"
        ),
    ]


def test_the_lines_for_a_person_keep_what_the_table_has(tmp_path: Path) -> None:
    lines = '[new.Opportunity]\nrecord_type = "Partner"\ndefaults = { A__c = "x", B__c = 2026-12-31, C__c = true }'
    file, _ = load_mapping(load(tmp_path, lines))
    assert file.new.Opportunity.lines("Opportunity", {"D__c": "y"}) == lines.replace(" }", ', D__c = "y" }')


@pytest.mark.parametrize("other", ["Account.BillingStreet", "account.billingstreet"])
def test_two_parts_of_the_customer_in_one_column_are_refused(tmp_path: Path, other: str) -> None:
    [fault] = faults(tmp_path, f'[fields.account.salesforce]\ncity = "{other}"')
    assert fault.startswith("line 3: fields.account.salesforce.city: expected a column that no other part of the")
    assert f"found {other}, which fields.account.salesforce.street has too. Choose another column." in fault
