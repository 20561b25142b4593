import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from emulators.base.server import Request, Response
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.soql_literals import full_id
from shared.foundation.errors import NotFound, Rejected, Throttled, Unavailable
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

Query = Callable[[str], tuple[int, object]]
QUERY = "SELECT Id FROM Opportunity"


def opportunity_ids(number: int) -> list[str]:
    return [full_id(f"006{index:012d}") for index in range(number)]


def found_records(soql: str) -> tuple[int, object]:
    ids = re.findall(r"'(\w{18})'", soql)
    return 200, {"done": True, "totalSize": len(ids), "records": [{"Id": record} for record in ids]}


def answer_each_query(query: Query) -> Callable[[Request], Response]:
    """Answer each query of a Composite with `query`, in reverse order."""

    def respond(request: Request) -> Response:
        parts = []
        for part in request.json()["compositeRequest"]:
            assert part["method"] == "GET"
            status, body = query(parse_qs(urlsplit(part["url"]).query)["q"][0])
            parts.append(
                {"referenceId": part["referenceId"], "httpStatusCode": status, "httpHeaders": {}, "body": body}
            )
        return Response.of({"compositeResponse": parts[::-1]})

    return respond


def sent_subrequests(fake: FakeSalesforce, call: int = 0) -> list[dict[str, Any]]:
    body = fake.data_requests[call].json()
    assert (body["allOrNone"], body["collateSubrequests"]) == (False, False)
    return list(body["compositeRequest"])


def test_five_queries_make_one_call_and_their_pages_keep_the_order(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = answer_each_query(lambda soql: (200, {"done": True, "records": [{"Name": soql}]}))
    queries = [f"{QUERY} WHERE Name = 'A & {number}+%'" for number in range(5)]
    answer = salesforce.query(*queries)
    assert [page.records[0]["Name"] for page in answer.pages] == queries
    assert len(fake.data_requests) == 1
    assert fake.data_requests[0].path == "/services/data/v66.0/composite"
    assert all(part["url"].startswith("/services/data/v66.0/query?q=SELECT%20Id") for part in sent_subrequests(fake))


def test_deleted_records_are_read_with_query_all(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = answer_each_query(found_records)
    salesforce.query(QUERY, deleted=True)
    assert sent_subrequests(fake)[0]["url"].startswith("/services/data/v66.0/queryAll?q=")


def test_only_the_queries_that_ask_for_deleted_records_read_them(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = answer_each_query(found_records)
    other = f"{QUERY} WHERE IsDeleted = true"
    salesforce.query(QUERY, other, deleted=(other,))
    resources = [part["url"].partition("?")[0].rpartition("/")[2] for part in sent_subrequests(fake)]
    assert resources == ["query", "queryAll"]


@pytest.mark.parametrize("number", [0, 6])
def test_a_call_carries_one_to_five_queries(salesforce: SalesforceClient, fake: FakeSalesforce, number: int) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        salesforce.query(*[QUERY] * number)
    assert fake.data_requests == []


def test_a_query_with_too_long_an_address_is_not_sent(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    with pytest.raises(ValueError, match="16384"):
        salesforce.query("x" * 16_400)
    assert fake.data_requests == []


def test_amounts_are_read_as_exact_decimals(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    body = b'{"done":true,"records":[{"Amount":1234567890123456.78}]}'
    part = b'{"compositeResponse":[{"referenceId":"q0","httpStatusCode":200,"httpHeaders":{},"body":%s}]}' % body
    fake.respond = lambda _: Response(200, part)
    assert salesforce.query(QUERY).pages[0].records[0]["Amount"] == Decimal("1234567890123456.78")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "INVALID_FIELD", Rejected),
        (400, "MALFORMED_QUERY", Rejected),
        (404, "NOT_FOUND", NotFound),
        (500, "SERVER_UNAVAILABLE", Unavailable),
        (403, "REQUEST_LIMIT_EXCEEDED", Throttled),
    ],
)
def test_one_failed_query_fails_the_call(
    salesforce: SalesforceClient, fake: FakeSalesforce, status: int, code: str, kind: type[Exception]
) -> None:
    def query(soql: str) -> tuple[int, object]:
        return (status, [{"errorCode": code, "message": "m"}]) if "bad" in soql else found_records(soql)

    fake.respond = answer_each_query(query)
    with pytest.raises(kind):
        salesforce.query(QUERY, "bad")


def test_a_query_is_repeated_after_a_temporary_error(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    troubles = [(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": ""}])]
    fake.respond = answer_each_query(lambda soql: troubles.pop() if troubles else found_records(soql))
    assert salesforce.query(QUERY).pages[0].records == ()
    assert len(fake.data_requests) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"compositeResponse": {}},
        {"compositeResponse": []},
        {"compositeResponse": [{"referenceId": "q0"}]},
        {"compositeResponse": [{"referenceId": "other", "httpStatusCode": 200, "body": {}}]},
        {"compositeResponse": [{"referenceId": "q0", "httpStatusCode": 200, "body": None}]},
        {"compositeResponse": [{"referenceId": "q0", "httpStatusCode": 200, "body": {"done": True}}]},
        {"compositeResponse": [{"referenceId": "q0", "httpStatusCode": 200, "body": {"done": False, "records": []}}]},
        {"compositeResponse": [{"referenceId": "q0", "httpStatusCode": 200, "body": {"done": True, "records": [1]}}]},
    ],
)
def test_an_answer_of_another_shape_is_unreadable(
    salesforce: SalesforceClient, fake: FakeSalesforce, body: object
) -> None:
    fake.respond = lambda _: Response.of(body)
    with pytest.raises(Unavailable):
        salesforce.query(QUERY)


def test_each_further_page_is_one_call(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = lambda _: Response.of({"done": True, "records": [{"Id": "x"}]})
    answer = salesforce.more("/services/data/v66.0/query/0r8RO0000016PIAYA2-2000")
    assert (answer.pages[0].records, answer.pages[0].next) == (({"Id": "x"},), None)
    assert answer.at == datetime(2026, 11, 22, 10, 0, 10, tzinfo=UTC)
    assert fake.data_requests[0].path == "/services/data/v66.0/query/0r8RO0000016PIAYA2-2000"


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "/services/data/v66.0/query/../sobjects", "/services/data/v59.0/query/0r8-2000", ""],
)
def test_a_further_page_is_read_only_from_a_query_address_of_this_version(
    salesforce: SalesforceClient, fake: FakeSalesforce, address: str
) -> None:
    with pytest.raises(ValueError, match="page before"):
        salesforce.more(address)
    assert fake.data_requests == []


def test_an_expired_page_address_is_unavailable(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.answer_in_turn(Response.of([{"errorCode": "INVALID_QUERY_LOCATOR", "message": ""}], 400))
    with pytest.raises(Unavailable):
        salesforce.more("/services/data/v66.0/query/0r8-2000")


def test_two_thousand_opportunities_are_read_in_one_call(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = answer_each_query(found_records)
    fields = ["Id", "Name", "Owner.Email", "(SELECT ContactId FROM OpportunityContactRoles)", *["Custom_Field__c"] * 5]
    answer = salesforce.opportunities([*opportunity_ids(2000), opportunity_ids(1)[0][:15]], fields)
    assert {record["Id"] for record in answer.pages[0].records} == set(opportunity_ids(2000))
    assert (len(fake.data_requests), len(sent_subrequests(fake)), len(answer.pages)) == (1, 5, 1)
    assert max(len(part["url"]) for part in sent_subrequests(fake)) < 16_384
    select = parse_qs(urlsplit(sent_subrequests(fake)[0]["url"]).query)["q"][0].partition(" FROM Opportunity WHERE")[0]
    assert select == ("SELECT Id,Name,Owner.Email,(SELECT ContactId FROM OpportunityContactRoles),Custom_Field__c")


def test_more_than_two_thousand_opportunities_need_another_call(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = answer_each_query(found_records)
    assert len(salesforce.opportunities(opportunity_ids(2001), ["Id"]).pages[0].records) == 2001
    assert [len(sent_subrequests(fake, call)) for call in (0, 1)] == [5, 1]


def test_a_query_with_long_fields_holds_fewer_ids(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = answer_each_query(found_records)
    fields = [f"A_rather_long_custom_field_name_{number}__c" for number in range(250)]
    assert len(salesforce.opportunities(opportunity_ids(1000), fields).pages[0].records) == 1000
    lengths = [len(part["url"]) for call in range(len(fake.data_requests)) for part in sent_subrequests(fake, call)]
    assert 16_300 < max(lengths) < 16_384


def test_no_opportunities_make_no_call(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    assert salesforce.opportunities([], ["Id"]).pages[0].records == ()
    assert fake.data_requests == []


def test_all_pages_of_records_and_of_subqueries_are_read(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    following = "/services/data/v66.0/query/0r8{}-2000".format
    roles = {"done": False, "totalSize": 2, "nextRecordsUrl": following("ROLES"), "records": [{"ContactId": "1"}]}
    first = {"done": False, "nextRecordsUrl": following("RECORDS"), "records": [{"Id": "a", "Roles": roles}]}
    composite = answer_each_query(lambda _: (200, first))
    pages = {
        following("RECORDS"): {"done": True, "records": [{"Id": "b", "Roles": None}]},
        following("ROLES"): {"done": True, "records": [{"ContactId": "2"}]},
    }
    fake.respond = lambda request: Response.of(pages[request.path]) if request.path in pages else composite(request)
    [page] = salesforce.opportunities(opportunity_ids(1), ["Id"]).pages
    assert [record["Id"] for record in page.records] == ["a", "b"]
    assert [role["ContactId"] for role in page.records[0]["Roles"]["records"]] == ["1", "2"]
    assert page.next is None


@pytest.mark.parametrize("name", ["Opportunity/../Account", "", "a?b"])
def test_describe_refuses_anything_but_the_name_of_an_object(salesforce: SalesforceClient, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        salesforce.describe(name)
