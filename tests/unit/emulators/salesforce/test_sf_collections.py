"""sObject Collections: one result a record, in the order sent (reference/salesforce.md 2.8)."""

from typing import Any

import pytest

from tests.unit.emulators.salesforce.rest_bench import Api, code

ALL = "/composite/sobjects"
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


def _deal(**values: object) -> dict[str, Any]:
    return {"attributes": {"type": "Opportunity"}, **DEAL, **values}


def _codes(results: list[dict[str, Any]]) -> list[str | None]:
    return [None if result["success"] else result["errors"][0]["statusCode"] for result in results]


def test_records_succeed_and_fail_one_by_one(api: Api) -> None:
    records = [
        _deal(Name="one"),
        _deal(StageName=None),
        {"attributes": {"type": "Account"}, "Name": "A"},
        {"Name": "?"},
    ]
    answer = api("POST", ALL, {"allOrNone": False, "records": records})
    assert answer.status == 200
    assert _codes(answer.json()) == [None, "REQUIRED_FIELD_MISSING", None, "INVALID_TYPE"]
    assert answer.json()[1]["errors"][0]["fields"] == ["StageName"]
    assert [len(api.emulator.records(name)) for name in ("Opportunity", "Account")] == [1, 1]
    assert api.tags()[-1] == ("collections.create",)


def test_all_or_none_leaves_nothing_behind(api: Api) -> None:
    api.deal(Referral_Identifier__c="taken")
    before = api.emulator.records("Opportunity")
    records = [_deal(), _deal(Referral_Identifier__c="taken"), _deal()]
    answer = api("POST", ALL, {"allOrNone": True, "records": records})
    rolled_back = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert _codes(answer.json()) == [rolled_back, "DUPLICATE_VALUE", rolled_back]
    assert api.emulator.records("Opportunity") == before


def test_updates_take_the_id_in_either_spelling_and_each_record_once(api: Api) -> None:
    first, second = api.deal(), api.deal()
    records = [
        {"attributes": {"type": "Opportunity"}, "id": first[:15], "Name": "one"},
        {"attributes": {"type": "Opportunity"}, "Id": second, "Name": "two"},
        {"attributes": {"type": "Opportunity"}, "Id": first, "Name": "again"},
        {"attributes": {"type": "Opportunity"}, "Name": "no id"},
        {"attributes": {"type": "Opportunity"}, "Id": "006AA00000zzzzz", "Name": "unknown"},
    ]
    results = api("PATCH", ALL, {"records": records}).json()
    assert _codes(results) == [None, None, "DUPLICATE_VALUE", "MISSING_ARGUMENT", "INVALID_CROSS_REFERENCE_KEY"]
    assert [result["id"] for result in results[:2]] == [first, second]
    assert [record["Name"] for record in api.emulator.records("Opportunity")] == ["one", "two"]


def test_upserts_tell_what_they_created(api: Api) -> None:
    known = api.deal(Referral_Identifier__c="a")
    records = [_deal(Referral_Identifier__c=value) for value in ("A", "b", "B", "")]
    results = api("PATCH", f"{ALL}/Opportunity/Referral_Identifier__c", {"records": records}).json()
    assert _codes(results) == [None, None, "DUPLICATE_VALUE", "MISSING_ARGUMENT"]
    assert [result.get("created") for result in results] == [False, True, None, None]
    assert results[0]["id"] == known
    assert code(api("PATCH", f"{ALL}/Opportunity/Name", {"records": []})) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_retrieve_keeps_the_order_and_shows_gaps(api: Api, method: str) -> None:
    first, second, gone = api.deal(Name="1"), api.deal(Name="2"), api.deal()
    api.emulator.delete("Opportunity", gone)
    ids, fields = [second, "006AA00000zzzzz", gone, first], ["Name", "Sync_Mark__c"]
    query = f"?ids={','.join(ids)}&fields={','.join(fields)}" if method == "GET" else ""
    answer = api(method, f"{ALL}/Opportunity{query}", {"ids": ids, "fields": fields} if method == "POST" else None)
    assert [row and row["Name"] for row in answer.json()] == ["2", None, None, "1"]
    assert code(api("POST", f"{ALL}/Opportunity", {"ids": ids, "fields": ["Nope"]})) == (400, "INVALID_FIELD")


def test_deletes_name_their_ids(api: Api) -> None:
    first, account = api.deal(), api.emulator.insert("Account", {"Name": "A"})
    results = api("DELETE", f"{ALL}?ids={first},{account},nonsense,{first}").json()
    assert _codes(results) == [None, None, "MALFORMED_ID", "ENTITY_IS_DELETED"]
    survivor = api.deal()
    answer = api("DELETE", f"{ALL}?ids={survivor},nonsense&allOrNone=true").json()
    assert _codes(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "MALFORMED_ID"]
    assert len(api.emulator.records("Opportunity")) == 1


def test_the_envelope_has_its_limits(api: Api) -> None:
    alternating = [{"attributes": {"type": kind}, "Name": "x"} for kind in ("Account", "Contact") * 6]
    assert code(api("POST", ALL, {"records": [_deal()] * 201}))[0] == 400
    assert code(api("POST", ALL, {"records": alternating}))[0] == 400
    assert code(api("POST", f"{ALL}/Opportunity", {"ids": ["x"] * 2001, "fields": ["Id"]}))[0] == 400
    bodies: list[object] = [{}, {"records": "x"}, {"records": ["x"]}, []]
    for body in bodies:
        assert code(api("POST", ALL, body)) == (400, "JSON_PARSER_ERROR")
    assert code(api("PUT", ALL, {})) == (405, "METHOD_NOT_ALLOWED")
    assert api.emulator.records("Opportunity") == []
