"""sObject Collections: one result for each record, in order (docs/reference/salesforce.md#sobject-collections)."""

from typing import Any

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code

ALL = "/composite/sobjects"
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


def _deal_record(**values: object) -> dict[str, Any]:
    return {"attributes": {"type": "Opportunity"}, **DEAL, **values}


def _error_codes(results: list[dict[str, Any]]) -> list[str | None]:
    return [None if result["success"] else result["errors"][0]["statusCode"] for result in results]


def test_each_record_succeeds_or_fails_on_its_own(api: ApiSession) -> None:
    records = [
        _deal_record(Name="one"),
        _deal_record(StageName=None),
        {"attributes": {"type": "Account"}, "Name": "A"},
        {"Name": "?"},
    ]
    answer = api("POST", ALL, {"allOrNone": False, "records": records})
    assert answer.status == 200
    assert _error_codes(answer.json()) == [None, "REQUIRED_FIELD_MISSING", None, "INVALID_TYPE"]
    assert answer.json()[1]["errors"][0]["fields"] == ["StageName"]
    assert [len(api.emulator.records(name)) for name in ("Opportunity", "Account")] == [1, 1]
    assert api.journal_tags()[-1] == ("collections.create",)


def test_with_all_or_none_one_failure_undoes_every_write(api: ApiSession) -> None:
    api.create_deal(Referral_Identifier__c="taken")
    before = api.emulator.records("Opportunity")
    records = [_deal_record(), _deal_record(Referral_Identifier__c="taken"), _deal_record()]
    answer = api("POST", ALL, {"allOrNone": True, "records": records})
    rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert _error_codes(answer.json()) == [rolled_back, "DUPLICATE_VALUE", rolled_back]
    assert api.emulator.records("Opportunity") == before


def test_an_update_accepts_both_spellings_of_an_id_and_each_record_once(api: ApiSession) -> None:
    first, second = api.create_deal(), api.create_deal()
    records = [
        {"attributes": {"type": "Opportunity"}, "id": first[:15], "Name": "one"},
        {"attributes": {"type": "Opportunity"}, "Id": second, "Name": "two"},
        {"attributes": {"type": "Opportunity"}, "Id": first, "Name": "again"},
        {"attributes": {"type": "Opportunity"}, "Name": "no id"},
        {"attributes": {"type": "Opportunity"}, "Id": "006AA00000zzzzz", "Name": "unknown"},
    ]
    results = api("PATCH", ALL, {"records": records}).json()
    assert _error_codes(results) == [None, None, "DUPLICATE_VALUE", "MISSING_ARGUMENT", "INVALID_CROSS_REFERENCE_KEY"]
    assert [result["id"] for result in results[:2]] == [first, second]
    assert [record["Name"] for record in api.emulator.records("Opportunity")] == ["one", "two"]


def test_an_upsert_reports_whether_it_created_the_record(api: ApiSession) -> None:
    known = api.create_deal(Referral_Identifier__c="a")
    records = [_deal_record(Referral_Identifier__c=value) for value in ("A", "b", "B", "")]
    results = api("PATCH", f"{ALL}/Opportunity/Referral_Identifier__c", {"records": records}).json()
    assert _error_codes(results) == [None, None, "DUPLICATE_VALUE", "MISSING_ARGUMENT"]
    assert [result.get("created") for result in results] == [False, True, None, None]
    assert results[0]["id"] == known
    assert status_and_code(api("PATCH", f"{ALL}/Opportunity/Name", {"records": []})) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_retrieve_keeps_the_order_and_returns_null_for_missing_records(api: ApiSession, method: str) -> None:
    first, second, deleted = api.create_deal(Name="1"), api.create_deal(Name="2"), api.create_deal()
    api.emulator.delete("Opportunity", deleted)
    ids, fields = [second, "006AA00000zzzzz", deleted, first], ["Name", "Sync_Mark__c"]
    query = f"?ids={','.join(ids)}&fields={','.join(fields)}" if method == "GET" else ""
    answer = api(method, f"{ALL}/Opportunity{query}", {"ids": ids, "fields": fields} if method == "POST" else None)
    assert [record and record["Name"] for record in answer.json()] == ["2", None, None, "1"]
    assert status_and_code(api("POST", f"{ALL}/Opportunity", {"ids": ids, "fields": ["Nope"]})) == (
        400,
        "INVALID_FIELD",
    )


def test_a_delete_takes_ids_and_reports_each(api: ApiSession) -> None:
    first, account = api.create_deal(), api.emulator.insert("Account", {"Name": "A"})
    results = api("DELETE", f"{ALL}?ids={first},{account},nonsense,{first}").json()
    assert _error_codes(results) == [None, None, "MALFORMED_ID", "ENTITY_IS_DELETED"]
    survivor = api.create_deal()
    answer = api("DELETE", f"{ALL}?ids={survivor},nonsense&allOrNone=true").json()
    assert _error_codes(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "MALFORMED_ID"]
    assert len(api.emulator.records("Opportunity")) == 1


def test_a_wrong_or_too_large_envelope_is_refused(api: ApiSession) -> None:
    alternating = [{"attributes": {"type": kind}, "Name": "x"} for kind in ("Account", "Contact") * 6]
    assert status_and_code(api("POST", ALL, {"records": [_deal_record()] * 201}))[0] == 400
    assert status_and_code(api("POST", ALL, {"records": alternating}))[0] == 400
    assert status_and_code(api("POST", f"{ALL}/Opportunity", {"ids": ["x"] * 2001, "fields": ["Id"]}))[0] == 400
    bodies: list[object] = [{}, {"records": "x"}, {"records": ["x"]}, []]
    for body in bodies:
        assert status_and_code(api("POST", ALL, body)) == (400, "JSON_PARSER_ERROR")
    assert status_and_code(api("PUT", ALL, {})) == (405, "METHOD_NOT_ALLOWED")
    assert api.emulator.records("Opportunity") == []
