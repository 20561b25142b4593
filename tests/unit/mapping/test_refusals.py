"""The lines of the mapping file for a column that must not be empty, and what is left out after a refusal."""

import pytest

from shared.domain.arrival import Arrival
from shared.domain.cause import Cause
from shared.domain.currencies import OrgCurrencies
from shared.domain.deal import Deal, Person
from shared.domain.org_shape import OrgShape
from shared.foundation.errors import Rejected
from shared.mapping.new_records import NewRecord, NewRecords
from shared.mapping.refusals import with_mapping_lines, without_refused
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


WITH_DEFAULTS = FILE.model_copy(
    update={
        "new": NewRecords.model_construct(
            Opportunity=NewRecord.model_construct(defaults={"Region__c": "EMEA"}),
            Contact=NewRecord.model_construct(defaults={"Level__c": "High"}),
        )
    }
)
PEOPLE = (Person("Vogel"), Person("Adler"))


def refused(column: str | None, step: str, code: str = "FIELD_INTEGRITY_EXCEPTION") -> Rejected:
    return Rejected(Cause(code, column, "Not so.", "Change it."), step)


def without(arrival: Arrival, error: Rejected) -> Arrival:
    return without_refused({}, WITH_DEFAULTS, arrival, error, 3)


@pytest.mark.parametrize("again", ["Region__c", "REGION__C"])
def test_a_default_that_is_refused_again_although_it_was_left_out_stops_the_deal(again: str) -> None:
    first = without(Arrival(Deal({})), refused("Region__c", "opportunity"))
    assert list(first.left_out) == ["region__c"]
    error = refused(again, "opportunity")
    with pytest.raises(Rejected) as caught:
        without(first, error)
    assert caught.value is error


@pytest.mark.parametrize("column", ["Audit__c", None])
def test_of_a_column_of_ours_that_is_left_out_the_reason_is_kept(column: str | None) -> None:
    error = refused(column, "opportunity", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    first = without(Arrival(Deal({})), error)
    assert first.unshown["Audit__c"] == error.cause
    assert len(first.unshown) == (1 if column else 4)
    other = refused("Sync_Status__c", "opportunity")
    if column:
        assert without(first, other).unshown == {"Audit__c": error.cause, "Sync_Status__c": other.cause}
    else:
        with pytest.raises(Rejected):
            without(first, other)


def test_a_contact_whose_default_is_refused_twice_is_left_out() -> None:
    first = without(Arrival(Deal({}), PEOPLE, 2), refused("Level__c", "contact"))
    assert (list(first.left_out), first.people) == (["contact.level__c"], PEOPLE)
    assert without(first, refused("level__c", "contact")).people == PEOPLE[1:]


def test_defaults_of_a_wrong_type_are_left_out_once() -> None:
    error = refused(None, "opportunity", "JSON_PARSER_ERROR")
    first = without(Arrival(Deal({})), error)
    assert list(first.left_out) == ["region__c"]
    with pytest.raises(Rejected):
        without(first, error)
