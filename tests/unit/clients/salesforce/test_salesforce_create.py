from datetime import UTC, datetime

import pytest

from emulators.base.server import Request, Response
from shared.clients.salesforce.client import SalesforceClient
from shared.foundation.errors import Ambiguous, Conflict, CosellError, Locked, Rejected, Throttled, Unavailable
from shared.sync.ports import Node
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

NODES = [
    Node("account", "Account", {"Name": "Acme"}),
    Node("deal", "Opportunity", {"AccountId": "@{account.id}"}, ("Referral_Identifier__c", "a/b c")),
]
HALTED = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back", "fields": []}]


def graph_answer(*parts: tuple[str, int, object], success: bool = True, status: int = 200) -> Response:
    results = [{"referenceId": n, "httpStatusCode": s, "httpHeaders": {}, "body": b} for n, s, b in parts]
    graph = {"graphId": "1", "graphResponse": {"compositeResponse": results}, "isSuccessful": success}
    return Response.of({"graphs": [graph]}, status)


def failed_graph(status: int, *faults: dict[str, object], http: int = 200) -> Response:
    return graph_answer(
        ("account", 400, HALTED), ("deal", status, list(faults)), ("read_back", 400, HALTED), success=False, status=http
    )


def test_a_graph_creates_all_and_ends_with_the_read_back(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    record = {"attributes": {}, "Id": "006000000000001AAA", "Name": "A"}
    fake.respond = lambda _: graph_answer(
        ("account", 201, {"id": "1"}), ("deal", 201, {"id": "2"}), ("read_back", 200, record)
    )
    written = salesforce.create(NODES, "deal", ["Name", "Account.Name", "(SELECT Id FROM Roles)"])
    assert (written.id, written.record) == ("006000000000001AAA", record)
    assert written.at == datetime(2026, 11, 22, 10, 0, 10, tzinfo=UTC)
    [request] = fake.data_requests
    assert (request.method, request.path) == ("POST", "/services/data/v66.0/composite/graph")
    assert [(p["method"], p["url"]) for p in request.json()["graphs"][0]["compositeRequest"]] == [
        ("POST", "/services/data/v66.0/sobjects/Account"),
        ("PATCH", "/services/data/v66.0/sobjects/Opportunity/Referral_Identifier__c/a%2Fb%20c"),
        ("GET", "/services/data/v66.0/sobjects/Opportunity/@{deal.id}?fields=Id,Name"),
    ]


@pytest.mark.parametrize("http", [200, 400])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "DUPLICATE_VALUE", Conflict),
        (400, "DUPLICATES_DETECTED", Rejected),
        (400, "UNABLE_TO_LOCK_ROW", Locked),
        (500, "UNABLE_TO_LOCK_ROW", Locked),
        (400, "REQUIRED_FIELD_MISSING", Rejected),
        (404, "INVALID_CROSS_REFERENCE_KEY", Rejected),
        (500, "UNKNOWN_EXCEPTION", Unavailable),
        (403, "REQUEST_LIMIT_EXCEEDED", Throttled),
    ],
)
def test_the_error_of_the_failed_node_is_raised(
    salesforce: SalesforceClient, fake: FakeSalesforce, status: int, code: str, http: int, kind: type[CosellError]
) -> None:
    fake.respond = lambda _: failed_graph(status, {"errorCode": code, "message": "m"}, http=http)
    with pytest.raises(kind) as caught:
        salesforce.create(NODES, "deal", ["Id"])
    assert type(caught.value) is kind
    assert len(fake.data_requests) == 1


def test_a_taken_value_of_another_unique_field_is_a_refusal_with_its_holder(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    message = "duplicate value found: Tax_Number__c duplicates value on record with id: 001000000000009"
    fake.respond = lambda _: failed_graph(400, {"errorCode": "DUPLICATE_VALUE", "message": message})
    with pytest.raises(Rejected) as caught:
        salesforce.create(NODES, "deal", ["Id"])
    assert (caught.value.cause.field, caught.value.cause.matches) == ("Tax_Number__c", ("001000000000009AAA",))


def test_a_taken_external_id_names_the_record_that_holds_it(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    message = "duplicate value found: Referral_Identifier__c duplicates value on record with id: 006000000000009"
    fake.respond = lambda _: failed_graph(400, {"errorCode": "DUPLICATE_VALUE", "message": message})
    with pytest.raises(Conflict, match="Referral_Identifier__c, held by 006000000000009"):
        salesforce.create(NODES, "deal", ["Id"])


def test_several_matches_of_the_external_id_are_refused_with_a_remedy(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    several = ["/services/data/v66.0/sobjects/Opportunity/006000000000001AAA"]
    fake.respond = lambda _: graph_answer(
        ("account", 400, HALTED), ("deal", 300, several), ("read_back", 400, HALTED), success=False
    )
    with pytest.raises(Rejected) as caught:
        salesforce.create(NODES, "deal", ["Id"])
    assert "unique" in caught.value.cause.remedy


@pytest.mark.parametrize(
    "response",
    [
        Response.of({"graphs": []}),
        Response.of({"graphs": [{"isSuccessful": True}]}),
        Response.of({"graphs": [{"isSuccessful": "yes", "graphResponse": {"compositeResponse": []}}]}),
        graph_answer(("account", 201, {}), ("deal", 201, {}), ("read_back", 200, {"Name": "without id"})),
        graph_answer(("account", 201, {}), ("deal", 201, {})),
        graph_answer(("account", 400, HALTED), ("deal", 400, HALTED), ("read_back", 400, HALTED), success=False),
    ],
)
def test_an_answer_of_another_shape_leaves_the_outcome_unknown(
    salesforce: SalesforceClient, fake: FakeSalesforce, response: Response
) -> None:
    fake.respond = lambda _: response
    with pytest.raises(Ambiguous):
        salesforce.create(NODES, "deal", ["Id"])


def test_a_lost_reply_is_ambiguous_and_the_graph_is_not_sent_again(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    def lose(_: Request) -> Response:
        raise ConnectionResetError

    fake.respond = lose
    with pytest.raises(Ambiguous):
        salesforce.create(NODES, "deal", ["Id"])
    assert len(fake.data_requests) == 1


@pytest.mark.parametrize(
    ("nodes", "read"),
    [
        (NODES, "nobody"),
        ([*NODES, NODES[0]], "deal"),
        ([Node("read_back", "Account", {})], "read_back"),
        ([Node("a.b", "Account", {})], "a.b"),
        ([Node("a", "Account/x", {})], "a"),
        ([Node("a", "Account", {}, ("Field/..", "v"))], "a"),
        ([Node("a", "Account", {}, ("Field__c", ""))], "a"),
    ],
)
def test_an_invalid_graph_is_not_sent(
    salesforce: SalesforceClient, fake: FakeSalesforce, nodes: list[Node], read: str
) -> None:
    with pytest.raises(ValueError, match=r"graph|names|upsert"):
        salesforce.create(nodes, read, ["Id"])
    assert fake.data_requests == []
