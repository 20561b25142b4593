"""The records that a query returns, their order and their shape."""

# ruff: noqa: S608 - the SOQL consists of constants, and the emulator runs in memory

from urllib.parse import quote

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control


@pytest.fixture
def deals(api: ApiSession) -> dict[str, str]:
    """The ids of an account, of three deals that belong to it, and of one that does not."""
    account = api.emulator.insert("Account", {"Name": "Fabrikam", "BillingCountry": "DE"})
    ids = {}
    for name, amount in (("beta", 20.0), ("Alpha", 10.0), ("gamma", None)):
        ids[name] = api.create_deal(Name=name, Amount=amount, AccountId=account)
        api.emulator.clock.advance(1)
    ids["delta"] = api.create_deal(Name="delta", NextStep="50% _off_", Sync_with_Partner_Center__c=True)
    return {"account": account, **ids}


@pytest.mark.usefixtures("deals")
class TestWhere:
    @pytest.mark.parametrize(
        ("condition", "names"),
        [
            ("Name = 'ALPHA'", ["Alpha"]),
            ("Name != 'alpha'", ["beta", "gamma", "delta"]),
            ("Amount != 20", ["Alpha", "gamma", "delta"]),
            ("Amount > 10", ["beta"]),
            ("Amount = null", ["gamma", "delta"]),
            ("NextStep = ''", ["beta", "Alpha", "gamma"]),
            ("Name LIKE '%ta'", ["beta", "delta"]),
            ("Name LIKE '_e%'", ["beta", "delta"]),
            (r"NextStep LIKE '50\% \_%'", ["delta"]),
            (r"NextStep LIKE '50\_%'", []),
            ("Name IN ('beta', 'GAMMA', 'none')", ["beta", "gamma"]),
            ("Amount NOT IN (10, 20)", ["gamma", "delta"]),
            ("NOT Name = 'beta'", ["Alpha", "gamma", "delta"]),
            ("Name = 'beta' OR (Amount = 10 AND IsWon = false)", ["beta", "Alpha"]),
            ("Account.Name = 'fabrikam'", ["beta", "Alpha", "gamma"]),
            ("Account.Owner.Email LIKE '%@partner.example' AND Amount <= 10", ["Alpha"]),
            ("CloseDate < 2027-01-01 AND CloseDate >= 2026-12-31", ["beta", "Alpha", "gamma", "delta"]),
            ("SystemModstamp >= 2026-11-20T11:00:02+01:00", ["gamma", "delta"]),
            ("Sync_with_Partner_Center__c = true OR Referral_Identifier__c != null", ["delta"]),
            ("StageName = 'prospecting' AND Name > 'c'", ["gamma", "delta"]),
        ],
    )
    def test_a_condition_selects_the_matching_records(self, api: ApiSession, condition: str, names: list[str]) -> None:
        assert api.query_values(f"SELECT Name FROM Opportunity WHERE {condition}") == names

    @pytest.mark.parametrize(
        ("condition", "code", "message"),
        [
            ("Amnt = 1", "INVALID_FIELD", "No such column 'Amnt' on entity 'Opportunity'"),
            ("Account.Nme = 'x'", "INVALID_FIELD", "No such column 'Nme' on entity 'Account'"),
            ("Acount.Name = 'x'", "INVALID_FIELD", "Didn't understand relationship 'Acount'"),
            (
                "SystemModstamp > '2026-11-20T10:00:00Z'", "INVALID_FIELD",
                "'SystemModstamp' must be of type dateTime and should not be enclosed in quotes",
            ),
            ("Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"),
            ("CloseDate = 2026-11-20T10:00:00Z", "INVALID_FIELD", "must be of type date"),
            ("CloseDate = 2026-13-20", "MALFORMED_QUERY", "Invalid date"),
            ("Audit__c != null", "INVALID_FIELD", "field 'Audit__c' can not be filtered in a query call"),
            ("Audit__c LIKE 'x%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
            ("IsWon > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
            ("Amount LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
            ("Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense"),
        ],
    )  # fmt: skip
    def test_a_wrong_condition_is_refused(self, api: ApiSession, condition: str, code: str, message: str) -> None:
        refused = api.query_refusal(f"SELECT Id FROM Opportunity WHERE {condition}")
        assert refused[0] == code
        assert message in refused[1]


def test_an_id_matches_in_every_spelling(api: ApiSession, deals: dict[str, str]) -> None:
    long_id = deals["beta"]
    for spelling in (long_id, long_id[:15], long_id.lower()):
        assert api.query_values(f"SELECT Id FROM Opportunity WHERE Id IN ('{spelling}', '{spelling}')", "Id") == [
            long_id
        ]
    later = f"SELECT Id FROM Opportunity WHERE Id > '{long_id}' ORDER BY Id LIMIT 1"
    assert api.query_values(later, "Id") == [deals["Alpha"]]


@pytest.mark.usefixtures("deals")
@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("Name", ["Alpha", "beta", "delta", "gamma"]),
        ("Name DESC", ["gamma", "delta", "beta", "Alpha"]),
        ("Amount, Name", ["delta", "gamma", "Alpha", "beta"]),
        ("Amount DESC NULLS LAST, Name DESC", ["beta", "Alpha", "gamma", "delta"]),
        ("Account.Name NULLS LAST, SystemModstamp DESC", ["gamma", "Alpha", "beta", "delta"]),
        ("Name LIMIT 2 OFFSET 1", ["beta", "delta"]),
    ],
)
def test_records_come_in_the_requested_order(api: ApiSession, order: str, names: list[str]) -> None:
    assert api.query_values(f"SELECT Name FROM Opportunity ORDER BY {order}") == names


def test_sorting_by_long_text_and_a_too_large_offset_are_refused(api: ApiSession) -> None:
    assert api.query_refusal("SELECT Id FROM Opportunity ORDER BY Description")[0] == "INVALID_FIELD"
    assert api.query_refusal("SELECT Id FROM Opportunity OFFSET 2001")[0] == "NUMBER_OUTSIDE_VALID_RANGE"


def test_count_returns_only_the_number(api: ApiSession, deals: dict[str, str]) -> None:
    query = f"SELECT COUNT() FROM Opportunity WHERE AccountId = '{deals['account']}'"
    assert api.query(query).json() == {"totalSize": 3, "done": True, "records": []}


def test_fields_have_the_names_of_the_schema_and_parents_are_nested(api: ApiSession, deals: dict[str, str]) -> None:
    (record,) = api.query_records(
        "SELECT id, name, ACCOUNT.name, account.owner.email FROM opportunity WHERE name = 'beta'"
    )
    base = "/services/data/v66.0/sobjects"
    email = {"attributes": {"type": "User", "url": f"{base}/User/{api.emulator.seller}"}}
    assert record == {
        "attributes": {"type": "Opportunity", "url": f"{base}/Opportunity/{deals['beta']}"},
        "Id": deals["beta"],
        "Name": "beta",
        "Account": {
            "attributes": {"type": "Account", "url": f"{base}/Account/{deals['account']}"},
            "Name": "Fabrikam",
            "Owner": {**email, "Email": "sam.seller@partner.example"},
        },
    }
    assert api.query_records("SELECT Account.Name FROM Opportunity WHERE Name = 'delta'")[0]["Account"] is None


def test_a_subquery_returns_contact_roles(api: ApiSession, deals: dict[str, str]) -> None:
    for last in ("Young", "Old"):
        contact = api.emulator.insert("Contact", {"LastName": last})
        api.emulator.insert("OpportunityContactRole", {"OpportunityId": deals["beta"], "ContactId": contact})
    inner = "SELECT Contact.Name FROM OpportunityContactRoles ORDER BY Contact.Name"
    records = api.query_records(
        f"SELECT Name, ({inner}) FROM Opportunity WHERE Name IN ('beta', 'alpha') ORDER BY Name"
    )
    assert records[0]["OpportunityContactRoles"] is None
    roles = records[1]["OpportunityContactRoles"]
    assert (roles["totalSize"], roles["done"]) == (2, True)
    assert [role["Contact"]["Name"] for role in roles["records"]] == ["Old", "Young"]
    narrowed = "SELECT (SELECT Id FROM OpportunityContactRoles WHERE Contact.Name = 'Old') FROM Opportunity LIMIT 1"
    assert api.query_records(narrowed)[0]["OpportunityContactRoles"]["totalSize"] == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Id FROM Nonsense", "INVALID_TYPE"),
        ("SELECT (SELECT Id FROM Roles) FROM Opportunity", "INVALID_TYPE"),
        ("SELECT (SELECT COUNT() FROM OpportunityContactRoles) FROM Opportunity", "MALFORMED_QUERY"),
        ("SELECT (SELECT Nope FROM OpportunityContactRoles) FROM Opportunity", "INVALID_FIELD"),
        ("SELECT (SELECT Id FROM OpportunityContactRoles WHERE Nope = 1) FROM Opportunity", "INVALID_FIELD"),
        ("SELECT Id, ID FROM Opportunity", "MALFORMED_QUERY"),
        ("SELECT Owner.Owner.Owner.Name FROM Opportunity", "INVALID_FIELD"),
    ],
)
def test_a_wrong_selection_is_refused_even_if_no_record_exists(api: ApiSession, query: str, code: str) -> None:
    assert api.query_refusal(query)[0] == code


class TestSemiJoins:
    ROLES = "SELECT OpportunityId FROM OpportunityContactRole WHERE Role = 'Evaluator'"

    @pytest.fixture(autouse=True)
    def _create_role(self, api: ApiSession, deals: dict[str, str]) -> None:
        contact = api.emulator.insert("Contact", {"LastName": "Young", "AccountId": deals["account"]})
        role = {"OpportunityId": deals["gamma"], "ContactId": contact, "Role": "Evaluator"}
        api.emulator.insert("OpportunityContactRole", role)

    def test_a_semi_join_selects_by_another_object(self, api: ApiSession) -> None:
        assert api.query_values(f"SELECT Name FROM Opportunity WHERE Id IN ({self.ROLES}) AND IsWon = false") == [
            "gamma"
        ]
        others = f"SELECT Name FROM Opportunity WHERE Id NOT IN ({self.ROLES}) AND AccountId != null"
        assert api.query_values(others) == ["beta", "Alpha"]
        by_account = "SELECT Name FROM Opportunity WHERE AccountId IN (SELECT AccountId FROM Contact) AND Amount = 10"
        assert api.query_values(by_account) == ["Alpha"]

    @pytest.mark.parametrize(
        ("condition", "message"),
        [
            (f"Name = 'x' OR Id IN ({ROLES})", "only allowed at the top level"),
            (f"NOT Id IN ({ROLES})", "only allowed at the top level"),
            (f"Id IN ({ROLES}) AND Id IN ({ROLES}) AND Id IN ({ROLES})", "Maximum 2 semi join"),
            ("Id IN (SELECT Id FROM Contact)", "should point to the same object type"),
            ("Name IN (SELECT Name FROM Contact)", "should point to the same object type"),
            ("AccountId IN (SELECT AccountId FROM Opportunity)", "should not be on the same object type"),
            (f"Id IN ({ROLES} LIMIT 1)", "not allowed in a semi join"),
            ("Id IN (SELECT OpportunityId, Id FROM OpportunityContactRole)", "exactly one field"),
        ],
    )
    def test_a_misplaced_or_mismatched_semi_join_is_refused(
        self, api: ApiSession, condition: str, message: str
    ) -> None:
        code, text = api.query_refusal(f"SELECT Id FROM Opportunity WHERE {condition}")
        assert code == "MALFORMED_QUERY"
        assert message in text


class TestPages:
    @pytest.fixture(autouse=True)
    def _create_accounts(self, api: ApiSession) -> None:
        for number in range(450):
            api.emulator.insert("Account", {"Name": f"{number:03d}"})

    def _page_sizes(self, api: ApiSession, **headers: str) -> list[int]:
        answer = api.query("SELECT Name FROM Account ORDER BY Name", headers=headers).json()
        sizes = [len(answer["records"])]
        while not answer["done"]:
            assert answer["totalSize"] == 450
            answer = api("GET", answer["nextRecordsUrl"].removeprefix("/services/data/v66.0")).json()
            sizes.append(len(answer["records"]))
        return sizes

    def test_a_page_has_the_requested_size_within_bounds(self, api: ApiSession) -> None:
        assert self._page_sizes(api) == [450]
        assert self._page_sizes(api, **{"Sforce-Query-Options": "batchSize=200"}) == [200, 200, 50]
        assert self._page_sizes(api, **{"Sforce-Query-Options": "batchSize=1"}) == [200, 200, 50]
        api.emulator.rest.pages.short_pages = 150
        assert self._page_sizes(api) == [150, 150, 150]
        assert api.journal_tags()[-1] == ("query.more",)

    def test_the_records_of_a_subquery_have_pages_of_their_own(self, api: ApiSession) -> None:
        account = api.emulator.records("Account")[0]["Id"]
        for number in range(5):
            api.emulator.insert("Contact", {"LastName": f"{number}", "AccountId": account})
        control(api.emulator, "short_pages", rows=0, lists=2)
        soql = f"SELECT Id, (SELECT LastName FROM Contacts) FROM Account WHERE Id = '{account}'"
        page, names = api.query_records(soql)[0]["Contacts"], []
        while True:
            assert (page["totalSize"], len(page["records"]) <= 2) == (5, True)
            names += [each["LastName"] for each in page["records"]]
            if page["done"]:
                break
            page = api("GET", page["nextRecordsUrl"].removeprefix("/services/data/v66.0")).json()
        assert names == ["0", "1", "2", "3", "4"]

    def test_a_locator_expires_after_two_days(self, api: ApiSession) -> None:
        first_page = api.query("SELECT Id FROM Account", headers={"Sforce-Query-Options": "batchSize=200"}).json()
        path = first_page["nextRecordsUrl"].removeprefix("/services/data/v66.0")
        assert api("GET", path).status == 200
        api.emulator.clock.advance(2 * 86_400 + 1)
        api.token = api.emulator.oauth.issue_session_id(api.emulator.seller)
        assert api("GET", path).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_only_query_all_returns_deleted_records(api: ApiSession, deals: dict[str, str]) -> None:
    api.emulator.delete("Opportunity", deals["beta"])
    by_id = f"SELECT Id, IsDeleted FROM Opportunity WHERE Id = '{deals['beta']}'"
    assert api.query_records(by_id) == []
    (record,) = api.query(by_id, resource="queryAll").json()["records"]
    assert record["IsDeleted"] is True
    by_account = f"SELECT Name FROM Opportunity WHERE AccountId = '{deals['account']}'"
    assert api.query_values(by_account) == ["Alpha", "gamma"]
    assert len(api.query(by_account, resource="queryAll").json()["records"]) == 3


def test_a_too_long_address_or_an_unknown_parameter_is_refused(api: ApiSession) -> None:
    ids = ",".join(f"'{number:018d}'" for number in range(800))
    assert api.query(f"SELECT Id FROM Opportunity WHERE Id IN ({ids})").status == 414
    assert (
        api("GET", f"/query?q={quote('SELECT Id FROM Account')}&explain=x").json()[0]["errorCode"] == "MALFORMED_QUERY"
    )
