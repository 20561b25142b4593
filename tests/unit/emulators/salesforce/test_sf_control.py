"""Time, faults and people: what the control API can bring about (reference/salesforce.md 8.6 to 8.8)."""

import json

import pytest

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.errors import ApiError
from tests.unit.emulators.salesforce.rest_bench import Api, code

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
SINCE = "SELECT Name FROM Opportunity WHERE SystemModstamp >= 2026-11-20T10:00:00.000Z"


def _control(emulator: SalesforceEmulator, method: str, name: str, body: object = None) -> Response:
    data = b"" if body is None else json.dumps(body).encode()
    return emulator.handle(Request.of(method, f"/_control/{name}", {}, data))


def test_people_work_over_http_too(emulator: SalesforceEmulator) -> None:
    made = _control(emulator, "POST", "insert", {"sobject": "Opportunity", "values": DEAL}).json()["id"]
    edit = {"sobject": "Opportunity", "id": made, "values": {"Sync_Status__c": "Failed"}}
    assert _control(emulator, "POST", "edit", edit).status == 200
    record = _control(emulator, "GET", f"records?sobject=Opportunity&id={made}").json()
    assert (record["Sync_Mark__c"], record["LastModifiedById"]) == ("\N{HEAVY BALLOT X}", emulator.seller)
    _control(emulator, "POST", "delete", {"sobject": "Opportunity", "id": made})
    assert _control(emulator, "GET", "records?sobject=Opportunity").json() == []
    _control(emulator, "POST", "undelete", {"sobject": "Opportunity", "id": made})
    assert len(_control(emulator, "GET", "records?sobject=Opportunity").json()) == 1
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
def test_a_wrong_wish_is_refused(emulator: SalesforceEmulator, name: str, body: object) -> None:
    assert _control(emulator, "POST", name, body).status == 400


def test_an_unknown_wish_is_not_found(emulator: SalesforceEmulator) -> None:
    assert _control(emulator, "POST", "dance", {}).status == 404


def test_a_person_is_held_to_the_same_checks(emulator: SalesforceEmulator) -> None:
    with pytest.raises(ApiError, match="Required fields are missing"):
        emulator.insert("Opportunity", {"Name": "x"})


def test_a_handed_token_belongs_to_the_user_named(api: Api) -> None:
    token = _control(api.emulator, "POST", "token", {"username": "robot@partner.example"}).json()["access_token"]
    made = Api(api.emulator, token)("POST", "/sobjects/Opportunity", DEAL).json()["id"]
    robot = api.values("SELECT Id FROM User WHERE Username = 'robot@partner.example'", "Id")
    assert [api.emulator.record("Opportunity", made)["LastModifiedById"]] == robot
    _control(api.emulator, "POST", "expire", {"what": "tokens"})
    assert code(api("GET", "/sobjects")) == (401, "INVALID_SESSION_ID")


class TestTime:
    def test_stamps_are_whole_seconds_of_the_emulated_clock(self, api: Api) -> None:
        api.emulator.clock.advance(3_600.5)
        record = api.emulator.record("Opportunity", api.deal())
        stamps = {record[name] for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")}
        assert stamps == {"2026-11-20T11:00:00.000+0000"}
        assert api("GET", "/limits").headers["Date"] == "Fri, 20 Nov 2026 11:00:00 GMT"

    def test_a_row_in_a_long_transaction_is_stamped_now_and_seen_later(self, api: Api) -> None:
        seen = api.deal(Name="before")
        _control(api.emulator, "POST", "commit_lag", {"seconds": 30})
        api.emulator.edit("Opportunity", seen, {"Name": "after"})
        api.deal(Name="new", Referral_Identifier__c="R1")
        assert api.values(SINCE) == ["before"]
        assert api.values("SELECT Name FROM Opportunity WHERE Referral_Identifier__c = 'R1'") == []
        api.emulator.clock.advance(30)
        assert api.values(SINCE) == ["after", "new"]
        assert (
            api.values("SELECT SystemModstamp FROM Opportunity", "SystemModstamp")
            == ["2026-11-20T10:00:00.000+0000"] * 2
        )

    def test_a_row_in_a_long_transaction_is_held(self, api: Api) -> None:
        deal = api.deal()
        _control(api.emulator, "POST", "commit_lag", {"seconds": 30})
        api.emulator.edit("Opportunity", deal, {"Name": "after"})
        path = f"/sobjects/Opportunity/{deal}"
        assert code(api("PATCH", path, {"NextStep": "x"})) == (400, "UNABLE_TO_LOCK_ROW")
        api.emulator.clock.advance(30)
        assert api("PATCH", path, {"NextStep": "x"}).status == 204
        assert api("GET", f"{path}?fields=Name,NextStep").json()["Name"] == "after"

    def test_a_system_touch_moves_one_stamp_only(self, api: Api) -> None:
        deal = api.deal()
        api.emulator.clock.advance(60)
        _control(api.emulator, "POST", "touch", {"sobject": "Opportunity", "id": deal})
        record = api.emulator.record("Opportunity", deal)
        assert (record["SystemModstamp"][14:19], record["LastModifiedDate"][14:19]) == ("01:00", "00:00")

    def test_replication_names_what_changed_and_went(self, api: Api) -> None:
        kept, gone = api.deal(), api.deal()
        api.emulator.clock.advance(120)
        api.emulator.delete("Opportunity", gone)
        span = "start=2026-11-20T09:00:00%2B00:00&end=2026-11-20T12:00:00%2B00:00"
        api.emulator.clock.advance(1)
        updated = api("GET", f"/sobjects/Opportunity/updated/?{span}").json()
        assert updated == {"ids": [kept], "latestDateCovered": "2026-11-20T10:02:01.400+0000"}
        (deleted,) = api("GET", f"/sobjects/Opportunity/deleted?{span}").json()["deletedRecords"]
        assert deleted == {"id": gone, "deletedDate": "2026-11-20T10:02:00.000+0000"}
        for wrong in ("start=x&end=y", "start=2026-11-20T09:00:00Z&end=2026-11-20T09:00:10Z",
                      "start=2026-01-01T00:00:00Z&end=2026-11-20T09:00:10Z"):  # fmt: skip
            assert code(api("GET", f"/sobjects/Opportunity/updated?{wrong}")) == (400, "INVALID_REPLICATION_DATE")


class TestWhatStandsInTheWay:
    def test_an_administrators_rule_speaks_its_own_words(self, api: Api) -> None:
        deal = api.deal()
        rule = {"sobject": "Opportunity", "field": "Amount", "message": "Ask first.", "value": 5.0, "times": 1}
        _control(api.emulator, "POST", "validation_rule", rule)
        path = f"/sobjects/Opportunity/{deal}"
        assert api("PATCH", path, {"Amount": 4}).status == 204
        refused = api("PATCH", path, {"Amount": 5})
        wanted = {"message": "Ask first.", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Amount"]}
        assert (refused.status, refused.json()) == (400, [wanted])
        assert api("PATCH", path, {"Amount": 5}).status == 204

    @pytest.mark.parametrize("reason", ["UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED"])
    def test_a_locked_record_refuses_writes_until_it_is_released(self, api: Api, reason: str) -> None:
        deal, other = api.deal(), api.deal()
        _control(api.emulator, "POST", "lock", {"id": deal, "code": reason})
        for _ in range(3):
            assert code(api("PATCH", f"/sobjects/Opportunity/{deal}", {"Name": "x"})) == (400, reason)
        assert api("PATCH", f"/sobjects/Opportunity/{other}", {"Name": "x"}).status == 204
        _control(api.emulator, "DELETE", "hooks")
        assert api("PATCH", f"/sobjects/Opportunity/{deal}", {"Name": "x"}).status == 204

    def test_an_amount_is_ignored_once_line_items_exist(self, api: Api) -> None:
        deal = api.deal(Amount=100)
        _control(api.emulator, "POST", "line_items", {"id": deal, "has": True})
        assert api("PATCH", f"/sobjects/Opportunity/{deal}", {"Amount": 7, "NextStep": "x"}).status == 204
        record = api.emulator.record("Opportunity", deal)
        assert (record["Amount"], record["NextStep"], record["HasOpportunityLineItem"]) == (100, "x", True)

    def test_the_daily_allowance_ends(self, api: Api) -> None:
        _control(api.emulator, "POST", "usage", {"used": 9, "max": 10})
        last = api("GET", "/limits")
        assert last.headers["Sforce-Limit-Info"] == "api-usage=10/10"
        assert last.json()["DailyApiRequests"] == {"Max": 10, "Remaining": 0}
        assert code(api("GET", "/limits")) == (403, "REQUEST_LIMIT_EXCEEDED")

    def test_faults_of_the_base_strike_before_or_after_the_work(self, api: Api) -> None:
        fault = {"kind": "drop_after", "path": "/sobjects/Opportunity$", "method": "POST"}
        _control(api.emulator, "POST", "faults", fault)
        assert api("POST", "/sobjects/Opportunity", DEAL).close
        assert len(api.emulator.records("Opportunity")) == 1


def test_versions_are_served_without_a_session_and_old_ones_are_gone(api: Api) -> None:
    served = api.emulator.handle(Request.of("GET", "/services/data", {})).json()
    assert served[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert served[-3]["label"] == "Spring '26"
    api.version = "v30.0"
    assert code(api("GET", "/limits")) == (410, "UNSUPPORTED_API_VERSION")
    for version in ("v69.0", "v66", "latest"):
        api.version = version
        assert code(api("GET", "/limits")) == (404, "NOT_FOUND")


def test_a_reset_brings_the_first_day_back_with_the_same_ids(emulator: SalesforceEmulator) -> None:
    first = emulator.insert("Opportunity", DEAL)
    _control(emulator, "POST", "reset")
    assert emulator.records("Opportunity") == []
    assert emulator.insert("Opportunity", DEAL) == first
