"""The control API: people, time, faults, rules, locks and limits.

The requirements: docs/reference/salesforce.md#time-and-late-commits, docs/reference/salesforce.md#faults and
docs/reference/salesforce.md#journal-and-control.
"""

import json
from urllib.parse import quote

import pytest

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.errors import ApiError
from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
SINCE = "SELECT Name FROM Opportunity WHERE SystemModstamp >= 2026-11-20T10:00:00.000Z"


def _send_control(emulator: SalesforceEmulator, method: str, name: str, body: object = None) -> Response:
    data = b"" if body is None else json.dumps(body).encode()
    return emulator.handle(Request.of(method, f"/_control/{name}", {}, data))


def test_control_calls_make_the_edits_of_people(emulator: SalesforceEmulator) -> None:
    deal = _send_control(emulator, "POST", "insert", {"sobject": "Opportunity", "values": DEAL}).json()["id"]
    edit = {"sobject": "Opportunity", "id": deal, "values": {"Sync_Status__c": "Failed"}}
    assert _send_control(emulator, "POST", "edit", edit).status == 200
    record = _send_control(emulator, "GET", f"records?sobject=Opportunity&id={deal}").json()
    assert (record["Sync_Mark__c"], record["LastModifiedById"]) == ("\N{HEAVY BALLOT X}", emulator.seller)
    _send_control(emulator, "POST", "delete", {"sobject": "Opportunity", "id": deal})
    assert _send_control(emulator, "GET", "records?sobject=Opportunity").json() == []
    _send_control(emulator, "POST", "undelete", {"sobject": "Opportunity", "id": deal})
    assert len(_send_control(emulator, "GET", "records?sobject=Opportunity").json()) == 1
    assert emulator.journal == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("insert", {"sobject": "Opportunity", "values": {"Name": "x"}}),
        ("insert", {"sobject": "Nonsense", "values": {}}),
        ("edit", {"sobject": "Opportunity"}),
        ("undelete", {"sobject": "Opportunity", "id": "006AA00000zzzzz"}),
        ("register", {"consumer_key": "k", "pem": "x", "username": "u"}),
        ("validation_rule", {"sobject": "Opportunity", "field": "Nope", "message": "m"}),
        ("validation_rule", {"sobject": "Opportunity", "field": "Name", "message": "m", "odd": 1}),
        ("lock", {"id": "nonsense"}),
        ("lock", {"id": "006AA00000zzzzz", "code": "ODD"}),
        ("expire", {"what": "everything"}),
    ],
)
def test_a_wrong_control_body_is_refused(emulator: SalesforceEmulator, name: str, body: object) -> None:
    assert _send_control(emulator, "POST", name, body).status == 400


def test_an_unknown_control_path_is_not_found(emulator: SalesforceEmulator) -> None:
    assert _send_control(emulator, "POST", "dance", {}).status == 404


def test_an_edit_by_a_person_meets_the_same_checks(emulator: SalesforceEmulator) -> None:
    with pytest.raises(ApiError, match="Required fields are missing"):
        emulator.insert("Opportunity", {"Name": "x"})


def test_a_token_from_the_control_api_belongs_to_the_named_user(api: ApiSession) -> None:
    token = _send_control(api.emulator, "POST", "token", {"username": "robot@partner.example"}).json()["access_token"]
    deal = ApiSession(api.emulator, token)("POST", "/sobjects/Opportunity", DEAL).json()["id"]
    robot = api.query_values("SELECT Id FROM User WHERE Username = 'robot@partner.example'", "Id")
    assert [api.emulator.record("Opportunity", deal)["LastModifiedById"]] == robot
    _send_control(api.emulator, "POST", "expire", {"what": "tokens"})
    assert status_and_code(api("GET", "/sobjects")) == (401, "INVALID_SESSION_ID")


def test_a_flow_sets_values_in_the_save_of_the_user_who_saves(api: ApiSession) -> None:
    flow = {"sobject": "Opportunity", "values": {"StageName": "Closed Won"}, "on": "update", "when": {"NextStep": "go"}}
    assert _send_control(api.emulator, "POST", "flow", flow).status == 200
    deal = api.create_deal(NextStep="go")
    assert api.emulator.record("Opportunity", deal)["StageName"] == DEAL["StageName"]
    assert api("PATCH", f"/sobjects/Opportunity/{deal}", {"Name": "saved"}).status == 204
    record = api.emulator.record("Opportunity", deal)
    assert (record["StageName"], record["IsWon"], record["Probability"]) == ("Closed Won", True, 100)
    assert record["LastModifiedById"] not in (api.emulator.automated, None)
    _send_control(api.emulator, "DELETE", "hooks")
    api("PATCH", f"/sobjects/Opportunity/{deal}", {"StageName": "Prospecting"})
    assert api.emulator.record("Opportunity", deal)["StageName"] == "Prospecting"
    assert _send_control(api.emulator, "POST", "flow", {**flow, "when": {"Nothing__c": 1}}).status == 400


def test_automation_saves_as_a_user_of_its_own_type(api: ApiSession) -> None:
    deal = api.create_deal()
    api.emulator.edit("Opportunity", deal, {"NextStep": "x"}, user=api.emulator.automated)
    soql = "SELECT LastModifiedBy.UserType FROM Opportunity"
    (record,) = api("GET", f"/query?q={quote(soql)}").json()["records"]
    assert record["LastModifiedBy"]["UserType"] == "AutomatedProcess"


class TestTime:
    def test_stamps_are_whole_seconds_of_the_emulated_clock(self, api: ApiSession) -> None:
        api.emulator.clock.advance(3_600.5)
        record = api.emulator.record("Opportunity", api.create_deal())
        stamps = {record[name] for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")}
        assert stamps == {"2026-11-20T11:00:00.000+0000"}
        assert api("GET", "/limits").headers["Date"] == "Fri, 20 Nov 2026 11:00:00 GMT"

    def test_a_change_in_a_long_transaction_is_stamped_now_and_visible_later(self, api: ApiSession) -> None:
        deal = api.create_deal(Name="before")
        _send_control(api.emulator, "POST", "commit_lag", {"seconds": 30})
        api.emulator.edit("Opportunity", deal, {"Name": "after"})
        api.create_deal(Name="new", Referral_Identifier__c="R1")
        assert api.query_values(SINCE) == ["before"]
        assert api.query_values("SELECT Name FROM Opportunity WHERE Referral_Identifier__c = 'R1'") == []
        api.emulator.clock.advance(30)
        assert api.query_values(SINCE) == ["after", "new"]
        assert (
            api.query_values("SELECT SystemModstamp FROM Opportunity", "SystemModstamp")
            == ["2026-11-20T10:00:00.000+0000"] * 2
        )

    def test_a_record_in_a_long_transaction_is_locked(self, api: ApiSession) -> None:
        deal = api.create_deal()
        _send_control(api.emulator, "POST", "commit_lag", {"seconds": 30})
        api.emulator.edit("Opportunity", deal, {"Name": "after"})
        path = f"/sobjects/Opportunity/{deal}"
        assert status_and_code(api("PATCH", path, {"NextStep": "x"})) == (400, "UNABLE_TO_LOCK_ROW")
        api.emulator.clock.advance(30)
        assert api("PATCH", path, {"NextStep": "x"}).status == 204
        assert api("GET", f"{path}?fields=Name,NextStep").json()["Name"] == "after"

    def test_a_system_change_moves_only_one_stamp(self, api: ApiSession) -> None:
        deal = api.create_deal()
        api.emulator.clock.advance(60)
        _send_control(api.emulator, "POST", "touch", {"sobject": "Opportunity", "id": deal})
        record = api.emulator.record("Opportunity", deal)
        assert (record["SystemModstamp"][14:19], record["LastModifiedDate"][14:19]) == ("01:00", "00:00")

    def test_replication_lists_updated_and_deleted_records(self, api: ApiSession) -> None:
        kept, deleted_deal = api.create_deal(), api.create_deal()
        api.emulator.clock.advance(120)
        api.emulator.delete("Opportunity", deleted_deal)
        span = "start=2026-11-20T09:00:00%2B00:00&end=2026-11-20T12:00:00%2B00:00"
        api.emulator.clock.advance(1)
        updated = api("GET", f"/sobjects/Opportunity/updated/?{span}").json()
        assert updated == {"ids": [kept], "latestDateCovered": "2026-11-20T10:02:01.400+0000"}
        (deleted,) = api("GET", f"/sobjects/Opportunity/deleted?{span}").json()["deletedRecords"]
        assert deleted == {"id": deleted_deal, "deletedDate": "2026-11-20T10:02:00.000+0000"}
        for wrong in ("start=x&end=y", "start=2026-11-20T09:00:00Z&end=2026-11-20T09:00:10Z",
                      "start=2026-01-01T00:00:00Z&end=2026-11-20T09:00:10Z"):  # fmt: skip
            assert status_and_code(api("GET", f"/sobjects/Opportunity/updated?{wrong}")) == (
                400,
                "INVALID_REPLICATION_DATE",
            )


class TestRulesLocksAndLimits:
    def test_a_validation_rule_refuses_with_its_own_message(self, api: ApiSession) -> None:
        deal = api.create_deal()
        rule = {"sobject": "Opportunity", "field": "Amount", "message": "Ask first.", "value": 5.0, "times": 1}
        _send_control(api.emulator, "POST", "validation_rule", rule)
        path = f"/sobjects/Opportunity/{deal}"
        assert api("PATCH", path, {"Amount": 4}).status == 204
        refused = api("PATCH", path, {"Amount": 5})
        expected = {"message": "Ask first.", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Amount"]}
        assert (refused.status, refused.json()) == (400, [expected])
        assert api("PATCH", path, {"Amount": 5}).status == 204

    def test_one_rule_is_removed_by_its_message_and_the_others_stay(self, api: ApiSession) -> None:
        for field, message in (("Amount", "Ask first."), ("Name", "Begin with the region.")):
            rule = {"sobject": "Opportunity", "field": field, "message": message}
            _send_control(api.emulator, "POST", "validation_rule", rule)
        saved = {"sobject": "Opportunity", "formula": "ISBLANK(NextStep)", "message": "Plan it."}
        _send_control(api.emulator, "POST", "save_rule", saved)
        for message in ("Ask first.", "Plan it."):
            assert _send_control(api.emulator, "DELETE", "validation_rule", {"message": message}).status == 200
        rules = _send_control(api.emulator, "GET", "validation_rule").json()
        assert rules == [{"sobject": "Opportunity", "field": "Name", "message": "Begin with the region."}]
        gone = _send_control(api.emulator, "DELETE", "validation_rule", {"message": "Ask first."})
        assert (gone.status, "no rule has the message 'Ask first.'" in gone.json()["error"]) == (400, True)

    @pytest.mark.parametrize("reason", ["UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED"])
    def test_a_locked_record_refuses_writes_until_the_lock_is_removed(self, api: ApiSession, reason: str) -> None:
        deal, other = api.create_deal(), api.create_deal()
        _send_control(api.emulator, "POST", "lock", {"id": deal, "code": reason})
        for _ in range(3):
            assert status_and_code(api("PATCH", f"/sobjects/Opportunity/{deal}", {"Name": "x"})) == (400, reason)
        assert api("PATCH", f"/sobjects/Opportunity/{other}", {"Name": "x"}).status == 204
        _send_control(api.emulator, "DELETE", "hooks")
        assert api("PATCH", f"/sobjects/Opportunity/{deal}", {"Name": "x"}).status == 204

    def test_a_written_amount_is_ignored_once_line_items_exist(self, api: ApiSession) -> None:
        deal = api.create_deal(Amount=100)
        _send_control(api.emulator, "POST", "line_items", {"id": deal, "has": True})
        assert api("PATCH", f"/sobjects/Opportunity/{deal}", {"Amount": 7, "NextStep": "x"}).status == 204
        record = api.emulator.record("Opportunity", deal)
        assert (record["Amount"], record["NextStep"], record["HasOpportunityLineItem"]) == (100, "x", True)

    def test_line_items_set_the_amount_and_keep_the_currency(self, api: ApiSession) -> None:
        deal = api.create_deal(Amount=100)
        for amount in (120, 130):
            _send_control(api.emulator, "POST", "line_items", {"id": deal, "has": True, "amount": amount})
            assert api.emulator.record("Opportunity", deal)["Amount"] == amount
        answer = api("PATCH", f"/sobjects/Opportunity/{deal}", {"CurrencyIsoCode": "EUR"})
        assert status_and_code(answer) == (400, "FIELD_INTEGRITY_EXCEPTION")
        _send_control(api.emulator, "POST", "line_items", {"id": deal, "has": False})
        assert api("PATCH", f"/sobjects/Opportunity/{deal}", {"Amount": 7, "CurrencyIsoCode": "EUR"}).status == 204

    def test_calls_beyond_the_daily_allowance_are_refused(self, api: ApiSession) -> None:
        _send_control(api.emulator, "POST", "usage", {"used": 9, "max": 10})
        last = api("GET", "/limits")
        assert last.headers["Sforce-Limit-Info"] == "api-usage=10/10"
        assert last.json()["DailyApiRequests"] == {"Max": 10, "Remaining": 0}
        assert status_and_code(api("GET", "/limits")) == (403, "REQUEST_LIMIT_EXCEEDED")

    def test_a_shared_fault_can_drop_the_answer_after_the_work_is_done(self, api: ApiSession) -> None:
        fault = {"kind": "drop_after", "path": "/sobjects/Opportunity$", "method": "POST"}
        _send_control(api.emulator, "POST", "faults", fault)
        assert api("POST", "/sobjects/Opportunity", DEAL).close
        assert len(api.emulator.records("Opportunity")) == 1


def test_versions_are_listed_without_a_session_and_retired_ones_are_refused(api: ApiSession) -> None:
    listed = api.emulator.handle(Request.of("GET", "/services/data", {})).json()
    assert listed[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert listed[-3]["label"] == "Spring '26"
    api.version = "v30.0"
    assert status_and_code(api("GET", "/limits")) == (410, "UNSUPPORTED_API_VERSION")
    for version in ("v69.0", "v66", "latest"):
        api.version = version
        assert status_and_code(api("GET", "/limits")) == (404, "NOT_FOUND")


def test_a_reset_restores_the_first_day_and_repeats_the_ids(emulator: SalesforceEmulator) -> None:
    first = emulator.insert("Opportunity", DEAL)
    _send_control(emulator, "POST", "reset")
    assert emulator.records("Opportunity") == []
    assert emulator.insert("Opportunity", DEAL) == first
