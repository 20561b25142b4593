"""Single records: reads, writes, upserts, refusals, and the side effects of a save.

The contract: docs/reference/salesforce.md#single-records, docs/reference/salesforce.md#upsert-by-external-id,
docs/reference/salesforce.md#error-codes and docs/reference/salesforce.md#standard-objects.
"""

import pytest

from emulators.salesforce import SalesforceEmulator
from tests.unit.emulators.salesforce.api_session import ApiSession, status_and_code

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
DEALS = "/sobjects/Opportunity"


def test_a_record_is_created_read_changed_and_deleted(api: ApiSession) -> None:
    made = api("POST", f"{DEALS}/", {**DEAL, "attributes": {"type": "Opportunity"}, "Amount": 10})
    record_id = made.json()["id"]
    assert (made.status, made.json()) == (201, {"id": record_id, "success": True, "errors": []})
    assert made.headers["Location"] == f"/services/data/v66.0{DEALS}/{record_id}"
    assert api("PATCH", f"{DEALS}/{record_id}", {"nextstep": " call "}).status == 204
    read = api("GET", f"{DEALS}/{record_id[:15]}?fields=Name,NextStep,amount,IsDeleted").json()
    assert read.pop("attributes") == {"type": "Opportunity", "url": f"/services/data/v66.0{DEALS}/{record_id}"}
    assert read == {"Name": "Deal", "NextStep": "call", "Amount": 10.0, "IsDeleted": False}
    assert api("DELETE", f"{DEALS}/{record_id}").status == 204
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert status_and_code(api(method, f"{DEALS}/{record_id}", body)) == (404, "ENTITY_IS_DELETED")
    assert api.journal_tags()[:4] == [("create",), ("update",), ("read",), ("delete",)]


def test_a_read_without_fields_returns_all_of_them(api: ApiSession) -> None:
    read = api("GET", f"{DEALS}/{api.create_deal()}").json()
    assert {"Id", "Audit__c", "Sync_Mark__c", "CurrencyIsoCode", "SystemModstamp"} <= set(read)
    assert (read["CurrencyIsoCode"], read["OwnerId"]) == ("USD", api.emulator.seller)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", f"{DEALS}/006AA00000zzzzz", (404, "NOT_FOUND")),
        ("PATCH", f"{DEALS}/006AA00000zzzzz", (404, "INVALID_CROSS_REFERENCE_KEY")),
        ("DELETE", f"{DEALS}/006AA00000zzzzz", (404, "INVALID_CROSS_REFERENCE_KEY")),
        ("GET", f"{DEALS}/nonsense", (404, "NOT_FOUND")),
        ("GET", "/sobjects/Nonsense/006AA00000zzzzz", (404, "NOT_FOUND")),
        ("POST", "/sobjects/Nonsense", (404, "NOT_FOUND")),
        ("PUT", f"{DEALS}/006AA00000zzzzz", (405, "METHOD_NOT_ALLOWED")),
        ("DELETE", DEALS, (405, "METHOD_NOT_ALLOWED")),
        ("POST", "/query?q=x", (405, "METHOD_NOT_ALLOWED")),
        ("GET", "/tooling/query", (404, "NOT_FOUND")),
        ("POST", "/jobs/ingest", (404, "NOT_FOUND")),
        ("POST", "/composite/batch", (404, "NOT_FOUND")),
        ("POST", "/sobjects/OpportunityStage", (400, "INVALID_TYPE_FOR_OPERATION")),
        ("PATCH", "/sobjects/User/005AA00000zzzzz", (400, "INVALID_TYPE_FOR_OPERATION")),
    ],
)
def test_a_missing_resource_is_answered_with_the_error_of_the_service(
    api: ApiSession, method: str, path: str, expected: tuple[int, str]
) -> None:
    assert status_and_code(api(method, path, None if method in {"GET", "DELETE"} else {})) == expected


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"Foo__c": 1}, "INVALID_FIELD", "No such column 'Foo__c' on sobject of type Opportunity"),
        ({"IsClosed": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: IsClosed."),
        ({"Sync_Mark__c": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "fields: Sync_Mark__c."),
        ({"SystemModstamp": "2026-11-20T10:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", "fields: SystemModstamp."),
        ({"StageName": None, "CloseDate": ""}, "REQUIRED_FIELD_MISSING", "are missing: [StageName, CloseDate]"),
        ({"Name": "n" * 121}, "STRING_TOO_LONG", "data value too large: nnn"),
        ({"Audit__c": "n" * 100_001}, "STRING_TOO_LONG", "(max length=100000)"),
        (
            {"How_can_Microsoft_help__c": "Foo"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "How can Microsoft help?: bad value for restricted picklist field: Foo",
        ),
        ({"CurrencyIsoCode": "XXX"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "restricted picklist field: XXX"),
        ({"Amount": "ten"}, "JSON_PARSER_ERROR", "Cannot deserialize instance of double from VALUE_STRING value ten"),
        ({"Amount": 1e16}, "NUMBER_OUTSIDE_VALID_RANGE", "value outside of valid range"),
        ({"CloseDate": "31.12.2026"}, "JSON_PARSER_ERROR", "instance of date from VALUE_STRING"),
        ({"CloseDate": "2026-02-30"}, "JSON_PARSER_ERROR", "instance of date from VALUE_STRING"),
        ({"Name": 7}, "JSON_PARSER_ERROR", "instance of string from VALUE_NUMBER_INT value 7"),
        ({"Name": ["x"]}, "JSON_PARSER_ERROR", "from START_ARRAY"),
        ({"IsPrivate": None}, "JSON_PARSER_ERROR", "instance of boolean from VALUE_NULL"),
        ({"AccountId": "abc"}, "MALFORMED_ID", "malformed id abc"),
        ({"AccountId": "006AA00000zzzzz"}, "FIELD_INTEGRITY_EXCEPTION", "id value of incorrect type"),
        ({"AccountId": "001AA00000zzzzz"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ({"Id": "006AA00000zzzzz"}, "INVALID_FIELD", ""),
    ],
)  # fmt: skip
def test_a_wrong_save_is_refused_with_the_text_of_the_service(
    api: ApiSession, values: dict[str, object], error: str, message: str
) -> None:
    record_id = api.create_deal()
    for answer in (api("POST", DEALS, {**DEAL, **values}), api("PATCH", f"{DEALS}/{record_id}", values)):
        assert status_and_code(answer) == (400, error)
        assert message in answer.json()[0]["message"]
    assert len(api.emulator.records("Opportunity")) == 1


def test_a_body_that_is_not_a_json_object_is_refused(api: ApiSession) -> None:
    assert status_and_code(api("POST", DEALS, ["x"])) == (400, "JSON_PARSER_ERROR")
    assert status_and_code(api("POST", DEALS, "x", {"Content-Type": "application/xml"})) == (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )


def test_an_inactive_or_deleted_parent_is_refused(api: ApiSession) -> None:
    emulator = api.emulator
    account = emulator.insert("Account", {"Name": "A"})
    emulator.delete("Account", account)
    assert status_and_code(api("POST", DEALS, {**DEAL, "AccountId": account})) == (400, "ENTITY_IS_DELETED")
    emulator.edit("User", emulator.seller, {"IsActive": False}, user=emulator.founding.administrator)
    assert status_and_code(api("POST", DEALS, {**DEAL, "OwnerId": emulator.seller})) == (400, "INACTIVE_OWNER_OR_USER")


def test_a_contact_needs_a_valid_email_address(api: ApiSession) -> None:
    answer = api("POST", "/sobjects/Contact", {"LastName": "Young", "Email": "Not a real address"})
    assert status_and_code(answer) == (400, "INVALID_EMAIL_ADDRESS")
    made = api("POST", "/sobjects/Contact", {"LastName": "Young", "FirstName": "Ann", "Email": "ann@example.com"})
    assert api.emulator.record("Contact", made.json()["id"])["Name"] == "Ann Young"


class TestUpsert:
    PATH = f"{DEALS}/Referral_Identifier__c"

    def test_it_creates_once_and_updates_afterwards(self, api: ApiSession) -> None:
        first = api("PATCH", f"{self.PATH}/AB%2F1", DEAL)
        again = api("PATCH", f"{self.PATH}/ab%2F1", {"Name": "Again"})
        assert (first.status, first.json()["created"]) == (201, True)
        assert (again.status, again.json()) == (200, {**first.json(), "created": False})
        record = api.emulator.record("Opportunity", first.json()["id"])
        assert (record["Name"], record["Referral_Identifier__c"]) == ("Again", "AB/1")
        assert api("GET", f"{self.PATH}/AB%2F1?fields=Name").json()["Name"] == "Again"
        assert status_and_code(api("GET", f"{self.PATH}/other")) == (404, "NOT_FOUND")

    def test_a_record_is_deleted_by_its_external_id(self, api: ApiSession) -> None:
        made = api("PATCH", f"{self.PATH}/AB%2F1", DEAL).json()["id"]
        assert status_and_code(api("DELETE", f"{self.PATH}/other")) == (404, "NOT_FOUND")
        assert api("DELETE", f"{self.PATH}/ab%2F1").status == 204
        assert api.emulator.record("Opportunity", made)["IsDeleted"] is True
        assert status_and_code(api("DELETE", f"{self.PATH}/AB%2F1")) == (404, "NOT_FOUND")
        assert api("PATCH", f"{self.PATH}/AB%2F1", DEAL).json()["id"] != made

    def test_the_field_must_be_an_external_id_and_must_not_be_in_the_body(self, api: ApiSession) -> None:
        unknown = api("PATCH", f"{DEALS}/Products__c/x", DEAL)
        assert status_and_code(unknown) == (404, "NOT_FOUND")
        assert unknown.json()[0]["message"].endswith("does not exist or is not accessible: Products__c")
        assert status_and_code(api("PATCH", f"{self.PATH}/x", {**DEAL, "Referral_Identifier__c": "x"})) == (
            400,
            "INVALID_FIELD",
        )
        assert status_and_code(api("PATCH", f"{self.PATH}/x?updateOnly=true", DEAL)) == (404, "NOT_FOUND")
        assert api.emulator.records("Opportunity") == []

    def test_an_upsert_does_not_match_a_deleted_record(self, api: ApiSession) -> None:
        first = api.create_deal(Referral_Identifier__c="x")
        api.emulator.delete("Opportunity", first)
        made = api("PATCH", f"{self.PATH}/x", DEAL)
        assert made.status == 201
        assert made.json()["id"] != first

    def test_a_unique_field_refuses_a_second_record_with_its_value(self, api: ApiSession) -> None:
        first = api.create_deal(Referral_Identifier__c="Ref")
        refused = api("POST", DEALS, {**DEAL, "Referral_Identifier__c": "rEF"})
        assert status_and_code(refused) == (400, "DUPLICATE_VALUE")
        assert refused.json()[0]["message"] == (
            f"duplicate value found: Referral_Identifier__c duplicates value on record with id: {first[:15]}"
        )
        assert api("PATCH", f"{DEALS}/{first}", {"Referral_Identifier__c": "REF"}).status == 204


class TestSideEffects:
    def test_a_new_stage_sets_flags_probability_and_forecast(self, api: ApiSession) -> None:
        deal = api.create_deal(Amount=200)
        api("PATCH", f"{DEALS}/{deal}", {"StageName": "Value Proposition"})
        record = api.emulator.record("Opportunity", deal)
        assert (record["Probability"], record["ExpectedRevenue"], record["IsClosed"]) == (50, 100, False)
        api("PATCH", f"{DEALS}/{deal}", {"StageName": "Closed Won", "Probability": 90})
        record = api.emulator.record("Opportunity", deal)
        assert (record["Probability"], record["IsClosed"], record["IsWon"]) == (90, True, True)
        assert (record["ForecastCategory"], record["ForecastCategoryName"]) == ("Closed", "Closed")

    def test_an_unknown_stage_is_stored_as_open_and_a_stage_added_in_setup_has_its_flags(self, api: ApiSession) -> None:
        deal = api.create_deal(StageName="Nowhere")
        assert api.emulator.record("Opportunity", deal)["IsClosed"] is False
        values = {"MasterLabel": "Lost early", "IsClosed": True, "ForecastCategoryName": "Omitted"}
        api.emulator.insert("OpportunityStage", values)
        api("PATCH", f"{DEALS}/{deal}", {"StageName": "Lost early"})
        assert api.emulator.record("Opportunity", deal)["IsClosed"] is True

    def test_an_opportunity_has_one_primary_contact(self, api: ApiSession) -> None:
        deal = api.create_deal()
        contacts = [api.emulator.insert("Contact", {"LastName": name}) for name in "AB"]
        for contact in contacts:
            role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True}
            assert api("POST", "/sobjects/OpportunityContactRole", role).status == 201
        assert [role["IsPrimary"] for role in api.emulator.records("OpportunityContactRole")] == [False, True]

    def test_a_role_cannot_change_its_opportunity_and_is_removed_for_good(self, api: ApiSession) -> None:
        contact = api.emulator.insert("Contact", {"LastName": "A"})
        values = {"OpportunityId": api.create_deal(), "ContactId": contact}
        path = f"/sobjects/OpportunityContactRole/{api.emulator.insert('OpportunityContactRole', values)}"
        assert status_and_code(api("PATCH", path, values)) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
        assert api("DELETE", path).status == 204
        assert status_and_code(api("GET", path)) == (404, "NOT_FOUND")

    def test_deleting_and_restoring_a_record_includes_its_dependants(self, api: ApiSession) -> None:
        emulator = api.emulator
        account = emulator.insert("Account", {"Name": "A"})
        deal = api.create_deal(AccountId=account)
        contact = emulator.insert("Contact", {"LastName": "A", "AccountId": account})
        emulator.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})
        emulator.delete("Opportunity", deal)
        assert emulator.records("OpportunityContactRole") == []
        emulator.undelete("Opportunity", deal)
        assert len(emulator.records("OpportunityContactRole")) == 1
        emulator.delete("Account", account)
        assert [emulator.records(name) for name in ("Opportunity", "Contact")] == [[], []]


def test_a_parent_is_read_by_its_relationship(api: ApiSession) -> None:
    deal = api.create_deal(AccountId=api.emulator.insert("Account", {"Name": "A"}))
    assert api("GET", f"{DEALS}/{deal}/Account?fields=Name").json()["Name"] == "A"
    assert status_and_code(api("GET", f"{DEALS}/{api.create_deal()}/Account")) == (404, "NOT_FOUND")
    assert status_and_code(api("GET", f"{DEALS}/{deal}?fields=Account.Name")) == (400, "INVALID_FIELD")


def test_an_org_with_a_single_currency_has_no_currency_field() -> None:
    emulator = SalesforceEmulator(multi_currency=False)
    single = ApiSession(emulator, emulator.oauth.issue_session_id(emulator.founding.administrator))
    assert status_and_code(single("POST", DEALS, {**DEAL, "CurrencyIsoCode": "USD"})) == (400, "INVALID_FIELD")
    assert single.query_refusal("SELECT IsoCode FROM CurrencyType")[0] == "INVALID_TYPE"
    for soql in (
        "SELECT CurrencyIsoCode FROM Opportunity",
        "SELECT Id, CurrencyIsoCode, (SELECT Id FROM OpportunityContactRoles) FROM Opportunity",
        "SELECT Account.CurrencyIsoCode FROM Opportunity",
        "SELECT Id FROM Opportunity WHERE CurrencyIsoCode = 'USD'",
        "SELECT Id FROM Opportunity ORDER BY CurrencyIsoCode",
    ):
        assert single.query_refusal(soql)[0] == "INVALID_FIELD"
    for sobject in emulator.org.model:
        described = single("GET", f"/sobjects/{sobject.name}/describe").json()
        assert "CurrencyIsoCode" not in {field["name"] for field in described["fields"]}
    assert single.query_values("SELECT DefaultCurrencyIsoCode FROM Organization", "DefaultCurrencyIsoCode") == ["USD"]


def test_an_inactive_currency_is_refused_but_a_record_that_has_it_keeps_it(
    emulator: SalesforceEmulator, api: ApiSession
) -> None:
    deal = api.create_deal(CurrencyIsoCode="GBP", Amount=5)
    emulator.set_currency_active("GBP", active=False)
    for refused in (
        api("POST", DEALS, {**DEAL, "CurrencyIsoCode": "GBP"}),
        api("PATCH", f"{DEALS}/{deal}", {"Amount": 6, "CurrencyIsoCode": "GBP"}),
    ):
        assert status_and_code(refused) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
        assert "bad value for restricted picklist field: GBP" in refused.json()[0]["message"]
    assert api("PATCH", f"{DEALS}/{deal}", {"Amount": 6}).status == 204
    record = emulator.record("Opportunity", deal)
    assert (record["Amount"], record["CurrencyIsoCode"]) == (6, "GBP")
    fields = {field["name"]: field for field in api("GET", "/sobjects/Opportunity/describe").json()["fields"]}
    assert "GBP" not in {value["value"] for value in fields["CurrencyIsoCode"]["picklistValues"]}
    emulator.set_currency_active("GBP", active=True)
    assert api("PATCH", f"{DEALS}/{deal}", {"CurrencyIsoCode": "GBP"}).status == 204


def test_half_a_surrogate_pair_is_refused_from_a_client_and_replaced_for_a_person(
    emulator: SalesforceEmulator, api: ApiSession
) -> None:
    deal = api.create_deal(Name="Half \ud83d of a sign")
    assert api.query_values("SELECT Name FROM Opportunity") == ["Half \ufffd of a sign"]
    refused = api("PATCH", f"/sobjects/Opportunity/{deal}", {"Name": "Half \udc00 again"})
    assert status_and_code(refused) == (400, "JSON_PARSER_ERROR")
    assert api("PATCH", f"/sobjects/Opportunity/{deal}", {"Name": "Whole \U0001f600"}).status == 204
    assert emulator.record("Opportunity", deal)["Name"] == "Whole \U0001f600"
