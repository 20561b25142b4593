import pytest

from shared.clients.salesforce.error_codes import api_errors_in, cause_of, exception_for, first_api_error, is_temporary
from shared.foundation.errors import Rejected

MATCHES = {
    "matchResults": [
        {"matchRecords": [{"record": {"attributes": {}, "Id": "001000000000001AAA"}}, {"record": {"Id": "no id"}}]},
        {"matchRecords": [{"matchConfidence": 100.0, "record": {"Id": "001000000000002AAA"}}]},
    ]
}


def error_body(code: str, message: str = "", fields: tuple[str, ...] = ()) -> list[dict[str, object]]:
    return [{"errorCode": code, "message": message, "fields": list(fields)}]


@pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
def test_the_records_that_a_duplicate_rule_found_are_read_under_either_spelling(key: str) -> None:
    body = [{"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", key: MATCHES}]
    error = exception_for(400, body, "x", write=True)
    assert isinstance(error, Rejected)
    assert "001000000000001AAA, 001000000000002AAA" in error.cause.remedy


def test_a_duplicate_value_names_its_field_and_the_record_that_holds_it() -> None:
    message = "duplicate value found: Referral_Identifier__c duplicates value on record with id: 006000000000001"
    fault = first_api_error(400, error_body("DUPLICATE_VALUE", message))
    assert (fault.field_name, fault.matches) == ("Referral_Identifier__c", ("006000000000001AAA",))


@pytest.mark.parametrize(
    ("code", "message", "field"),
    [
        ("INVALID_FIELD", "\nSELECT Id, X__c\n ^\nERROR\nNo such column 'X__c' on entity 'Opportunity'.", "X__c"),
        ("INVALID_TYPE", "sObject type 'Nope__c' is not supported.", "Nope__c"),
        ("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: IsClosed. Please check", "IsClosed"),
    ],
)
def test_an_error_of_configuration_names_the_field_and_the_permission_set(code: str, message: str, field: str) -> None:
    cause = cause_of(first_api_error(400, error_body(code, message)))
    assert cause.field == field
    assert field in cause.remedy
    assert "permission set" in cause.remedy


def test_the_list_of_fields_wins_over_the_text() -> None:
    assert first_api_error(400, error_body("INVALID_FIELD", "No such column 'A'", ("B",))).field_name == "B"


def test_every_remedy_is_a_sentence_without_a_field_name_too() -> None:
    for code in ("REQUIRED_FIELD_MISSING", "DUPLICATES_DETECTED", "INSUFFICIENT_ACCESS_OR_READONLY", "UNHEARD_OF"):
        remedy = cause_of(first_api_error(400, error_body(code))).remedy
        assert remedy.endswith(".")
        assert "{" not in remedy


def test_a_status_code_of_a_collection_is_read_like_an_error_code() -> None:
    assert [fault.code for fault in api_errors_in([{"statusCode": "STRING_TOO_LONG", "message": "m"}])] == [
        "STRING_TOO_LONG"
    ]


@pytest.mark.parametrize("body", [None, "", "<html>", [], {}, [None], ["x"], {"error": "y"}, [{"message": "m"}], 5])
def test_a_body_without_a_code_is_named_by_its_status(body: object) -> None:
    assert api_errors_in(body) == ()
    assert first_api_error(502, body).code == "HTTP_502"
    assert is_temporary(502, first_api_error(502, body))


def test_several_matches_of_an_upsert_are_not_temporary() -> None:
    fault = first_api_error(300, ["/services/data/v66.0/sobjects/Opportunity/006000000000001AAA"])
    assert not is_temporary(300, fault)
    assert "unique" in cause_of(fault).remedy
