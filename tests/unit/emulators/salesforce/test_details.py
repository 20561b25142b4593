"""Details of a master-detail field: the solutions of a deal, as the package defines them.

The rules: docs/reference/salesforce.md#custom-objects-in-metadata.
"""

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.permission_sets import give_rights
from tests.unit.emulators.salesforce.write_paths import codes_by_path

ROW, SOLUTION = "Cosell_Deal_Solution__c", "Cosell_Solution__c"
ROWS = "SELECT Id FROM Cosell_Deal_Solution__c"


@pytest.fixture
def deal(api: ApiSession) -> str:
    """A deal of the seller, in an org whose catalogue has SOL-1 and SOL-2."""
    for number in (1, 2):
        api.emulator.insert(SOLUTION, {"Name": f"Ledger {number}", "Solution_Id__c": f"SOL-{number}"})
    return api.create_deal()


def _row(deal: str, solution: str = "SOL-1", **values: object) -> dict[str, object]:
    return {"Opportunity__c": deal, "Solution__r": {"Solution_Id__c": solution}, **values}


def _make(api: ApiSession, deal: str, solution: str = "SOL-1", **values: object) -> str:
    return str(api("POST", f"/sobjects/{ROW}", _row(deal, solution, **values)).json()["id"])


def test_the_service_numbers_the_rows(api: ApiSession, deal: str) -> None:
    rows = [_make(api, deal, solution) for solution in ("SOL-1", "SOL-2")]
    assert [api.emulator.record(ROW, each)["Name"] for each in rows] == ["DS-00001", "DS-00002"]
    refused = codes_by_path(api, ROW, _row(deal, Name="Own"))
    assert refused == {("INVALID_FIELD_FOR_INSERT_UPDATE",)}


def test_a_subquery_reads_the_rows_and_their_solutions(api: ApiSession, deal: str) -> None:
    row = _make(api, deal)
    soql = (
        "SELECT Id, (SELECT Id, Key__c, Solution__r.Solution_Id__c, Solution__r.Active__c FROM Cosell_Solutions__r) "
        "FROM Opportunity"
    )
    [found] = api.query_records(soql)
    [read] = found["Cosell_Solutions__r"]["records"]
    assert (read["Id"], read["Key__c"]) == (row, None)
    assert (read["Solution__r"]["Solution_Id__c"], read["Solution__r"]["Active__c"]) == ("SOL-1", True)


def test_a_save_needs_both_parents_and_never_moves_a_row(api: ApiSession, deal: str) -> None:
    for values in ({"Opportunity__c": deal}, {"Solution__r": {"Solution_Id__c": "SOL-1"}}):
        assert codes_by_path(api, ROW, values) == {("REQUIRED_FIELD_MISSING",)}
    row = _make(api, deal)
    # An upsert that finds its row is refused as well if it names the deal, even the same one.
    for other in (api.create_deal(), deal):
        assert codes_by_path(api, ROW, {"Opportunity__c": other}, edited=row) == {("INVALID_FIELD_FOR_INSERT_UPDATE",)}


def test_an_external_id_names_the_parent_on_every_path(api: ApiSession, deal: str) -> None:
    assert codes_by_path(api, ROW, _row(deal), key_field="Key__c") == {()}
    row = _make(api, deal)
    assert codes_by_path(api, ROW, {"solution__R": {"solution_id__C": "sol-2"}}, edited=row) == {()}
    solution = api.emulator.record(SOLUTION, api.emulator.record(ROW, row)["Solution__c"])
    assert solution["Solution_Id__c"] == "SOL-2"


def test_a_wrong_external_id_of_a_parent_is_refused(api: ApiSession, deal: str) -> None:
    assert codes_by_path(api, ROW, _row(deal, "SOL-9"), key_field="Key__c") == {("INVALID_FIELD",)}
    answer = api("POST", f"/sobjects/{ROW}", _row(deal, "SOL-9")).json()
    expected = "Foreign key external ID: SOL-9 not found for field Solution_Id__c in entity Cosell_Solution__c"
    assert answer[0]["message"] == expected
    by_name = {"Opportunity__c": deal, "Solution__r": {"Name": "Ledger 1"}}
    assert codes_by_path(api, ROW, by_name) == {("INVALID_FIELD",)}
    both = _row(deal, Solution__c=api.emulator.records(SOLUTION)[0]["Id"])
    assert codes_by_path(api, ROW, both) == {("INVALID_FIELD",)}


def test_a_key_is_unique_and_found_by_upserts(api: ApiSession, deal: str) -> None:
    key = f"{deal}|SOL-1"
    row = _make(api, deal, Key__c=key)
    assert codes_by_path(api, ROW, _row(deal, Key__c=key)) == {("DUPLICATE_VALUE",)}
    path = f"/sobjects/{ROW}/Key__c/{key.replace('|', '%7C')}"
    answer = api("PATCH", path, {"Solution__r": {"Solution_Id__c": "SOL-2"}})
    assert (answer.status, answer.json()["id"], answer.json()["created"]) == (200, row, False)
    record = {"attributes": {"type": ROW}, "Key__c": f"{deal}|SOL-2", **_row(deal, "SOL-2")}
    [made] = api("PATCH", f"/composite/sobjects/{ROW}/Key__c", {"records": [record]}).json()
    assert (made["success"], made["created"]) == (True, True)


def test_a_deleted_deal_takes_its_rows_along_and_brings_those_back(api: ApiSession, deal: str) -> None:
    gone, row = _make(api, deal), _make(api, deal, "SOL-2")
    api.emulator.delete(ROW, gone)
    api.emulator.delete("Opportunity", deal)
    assert api.emulator.record(ROW, row)["IsDeleted"] is True
    api.emulator.undelete("Opportunity", deal)
    assert [each["Id"] for each in api.emulator.records(ROW)] == [row]


def test_queryall_shows_deleted_rows(api: ApiSession, deal: str) -> None:
    api.emulator.delete(ROW, _make(api, deal))
    soql = "SELECT Opportunity__c, IsDeleted FROM Cosell_Deal_Solution__c"
    assert api.query_records(soql) == []
    [row] = api.query(soql, resource="queryAll").json()["records"]
    assert (row["Opportunity__c"], row["IsDeleted"]) == (deal, True)
    api.emulator.clock.advance(60)
    span = "start=2026-11-20T09:00:00Z&end=2026-11-20T11:00:00Z"
    assert len(api("GET", f"/sobjects/{ROW}/deleted?{span}").json()["deletedRecords"]) == 1


def test_a_row_leaves_the_stamps_of_its_deal_alone(api: ApiSession, deal: str) -> None:
    before = api.emulator.record("Opportunity", deal)
    api.emulator.clock.advance(60)
    row = _make(api, deal)
    api.emulator.edit(ROW, row, {"Key__c": "k"})
    api.emulator.delete(ROW, row)
    assert api.emulator.record("Opportunity", deal) == before


def test_a_solution_that_stands_on_a_deal_cannot_be_deleted(api: ApiSession, deal: str) -> None:
    row = _make(api, deal)
    used = api.emulator.record(ROW, row)["Solution__c"]
    answer = api("DELETE", f"/sobjects/{SOLUTION}/{used}")
    assert status_and_code(answer) == (400, "DELETE_FAILED")
    assert "DS-00001" in answer.json()[0]["message"]
    [refused] = api("DELETE", f"/composite/sobjects?ids={used}").json()
    assert refused["errors"][0]["statusCode"] == "DELETE_FAILED"
    api.emulator.delete(ROW, row)
    assert api("DELETE", f"/sobjects/{SOLUTION}/{used}").status == 204


@pytest.mark.parametrize(
    ("model", "reads", "codes"),
    [
        ("Private", 0, {("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",)}),
        ("Read", 1, {("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",)}),
        ("ReadWrite", 1, {()}),
    ],
)
def test_the_access_to_the_deal_decides_on_its_rows(
    api: ApiSession, deal: str, model: str, reads: int, codes: set[tuple[str, ...]]
) -> None:
    row = _make(api, deal)
    rights = {"Account": "r", "Opportunity": "re", SOLUTION: "rv", ROW: "cred"}
    give_rights(api, rights, {f"{SOLUTION}.Solution_Id__c": False})
    control(api.emulator, "sharing", sobject="Opportunity", model=model)
    assert len(api.query_records(ROWS)) == reads
    assert codes_by_path(api, ROW, _row(deal, "SOL-2")) == codes
    deleted = api("DELETE", f"/sobjects/{ROW}/{row}").status
    assert deleted == {"Private": 404, "Read": 403, "ReadWrite": 204}[model]


def test_the_rights_to_the_rows_are_their_own(api: ApiSession, deal: str) -> None:
    row = _make(api, deal)
    give_rights(api, {"Account": "r", "Opportunity": "re", SOLUTION: "r", ROW: "r"})
    assert len(api.query_records(ROWS)) == 1
    assert status_and_code(api("DELETE", f"/sobjects/{ROW}/{row}"))[1] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    give_rights(api, {"Account": "r", "Opportunity": "re"})
    assert api.query_refusal(ROWS)[0] == "INVALID_TYPE"
    assert api.query_refusal("SELECT Id, (SELECT Id FROM Cosell_Solutions__r) FROM Opportunity")[0] == "INVALID_TYPE"


def test_a_save_of_a_row_needs_the_lock_of_its_deal(api: ApiSession, deal: str) -> None:
    row = _make(api, deal)
    control(api.emulator, "lock", id=deal)
    assert codes_by_path(api, ROW, _row(deal, "SOL-2")) == {("UNABLE_TO_LOCK_ROW",)}
    assert codes_by_path(api, ROW, {"Key__c": "k"}, edited=row) == {("UNABLE_TO_LOCK_ROW",)}
    assert status_and_code(api("DELETE", f"/sobjects/{ROW}/{row}")) == (400, "UNABLE_TO_LOCK_ROW")


def test_a_record_without_a_name_has_its_id_as_name(api: ApiSession) -> None:
    made = api("POST", f"/sobjects/{SOLUTION}", {"Solution_Id__c": "SOL-3"}).json()["id"]
    assert api.emulator.record(SOLUTION, made)["Name"] == made
