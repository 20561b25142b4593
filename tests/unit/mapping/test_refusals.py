"""The lines of the mapping file that the inbox shows for a column that must not be empty."""

import pytest

from shared.domain.cause import Cause
from shared.domain.currencies import OrgCurrencies
from shared.domain.org_shape import OrgShape
from shared.mapping.new_records import NewRecord, NewRecords
from shared.mapping.refusals import with_mapping_lines
from shared.mapping.validation import load_mapping

ORG = OrgShape(OrgCurrencies(has_several=True), required={"region__c": "EMEA", "account.tier__c": 1.0})
FILE = load_mapping()[0]
NEW = FILE.model_copy(
    update={
        "new": NewRecords.model_construct(
            Opportunity=NewRecord.model_construct(record_type="Partner", defaults={"Hot__c": True})
        )
    }
)


def missing(*columns: str) -> Cause:
    reason = f"Required fields are missing: [{', '.join(columns)}]"
    return Cause("REQUIRED_FIELD_MISSING", columns[0], reason, "Fill in.")


PARTNER = '[new.Opportunity]\nrecord_type = "Partner"\n'


@pytest.mark.parametrize(
    ("step", "columns", "lines"),
    [
        ("opportunity", ("Region__c",), f'{PARTNER}defaults = {{ Hot__c = true, Region__c = "EMEA" }}'),
        ("opportunity", ("Size__c",), f'{PARTNER}defaults = {{ Hot__c = true, Size__c = "…" }}'),
        ("account", ("Tier__c", "B__c"), '[new.Account]\ndefaults = { Tier__c = 1.0, B__c = "…" }'),
        ("account", ("Tier__c",), "[new.Account]\ndefaults = { Tier__c = 1.0 }"),
    ],
)
def test_the_lines_are_whole_and_keep_what_the_file_has(step: str, columns: tuple[str, ...], lines: str) -> None:
    remedy = with_mapping_lines(missing(*columns), step, NEW, ORG).remedy
    assert remedy.partition("\n")[2] == lines
    assert all(column in remedy.partition("\n")[0] for column in columns)


def test_a_column_that_a_default_cannot_fill_gets_no_lines() -> None:
    assert with_mapping_lines(missing("CloseDate"), "opportunity", NEW, ORG) == missing("CloseDate")
    assert with_mapping_lines(missing("LastName"), "contact", NEW, ORG) == missing("LastName")


@pytest.mark.parametrize("column", ["Audit__c", "sync_status__c", "Referral_Link__c"])
def test_a_rule_of_a_column_of_the_connector_gets_no_lines_that_the_loader_refuses(column: str) -> None:
    rule = Cause("FIELD_CUSTOM_VALIDATION_EXCEPTION", column, "Not so.", "Meet the rule.")
    assert "[new." not in with_mapping_lines(rule, "opportunity", NEW, ORG).remedy


def test_a_validation_rule_of_another_column_gets_the_lines() -> None:
    rule = Cause("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Region__c", "Say where.", "Meet the rule.")
    remedy = with_mapping_lines(rule, "opportunity", FILE, ORG).remedy
    assert remedy.startswith("If the rule asks for a value of Region__c")
    assert remedy.endswith('[new.Opportunity]\ndefaults = { Region__c = "EMEA" }')


@pytest.mark.parametrize(
    ("step", "column", "remedy"),
    [
        ("account", None, "Give the column that the rule asks for a default under [new.Account] in the mapping file."),
        ("opportunity", None, "Give the column that the rule asks for a default under [new.Opportunity]"),
        ("opportunity", "CloseDate", "Change the value in Partner Center."),
        ("opportunity", "Name", "Change the value in Partner Center."),
        ("account", "Name", "Change the value in Partner Center."),
        ("opportunity", "StageName", "Change the stage under [[stages]] in the mapping file."),
    ],
)
def test_a_rule_of_a_record_that_does_not_exist_yet_asks_for_no_change_of_it(
    step: str, column: str | None, remedy: str
) -> None:
    rule = Cause("FIELD_CUSTOM_VALIDATION_EXCEPTION", column, "Not so.", "Change the record.")
    found = with_mapping_lines(rule, step, FILE, ORG).remedy
    assert found.startswith(remedy)
    assert found.endswith("Or let the rule except the integration user.")


@pytest.mark.parametrize("step", ["opportunity", "account"])
@pytest.mark.parametrize("code", ["FIELD_CUSTOM_VALIDATION_EXCEPTION", "REQUIRED_FIELD_MISSING"])
def test_a_refused_owner_is_mended_under_owners_and_gets_no_default(step: str, code: str) -> None:
    remedy = with_mapping_lines(Cause(code, "OwnerId", "Not so.", "Fill in."), step, FILE, ORG).remedy
    assert remedy == "Name an owner whom Salesforce takes under [[owners]] in the mapping file."
