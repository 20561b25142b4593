"""Single records by their external id, or by their own."""

from datetime import UTC, datetime

import pytest

from emulators.base.server import Response
from shared.clients.salesforce.client import SalesforceClient
from shared.foundation.errors import Ambiguous, Conflict, CosellError, Locked, NotFound, Rejected
from tests.unit.clients.salesforce.fake_salesforce import LOGIN, FakeSalesforce

KEY = ("Key__c", "a/b c")
ADDRESS = f"{LOGIN}/services/data/v66.0/sobjects/Cosell_Inbox__c/Key__c/a%2Fb%20c"


def test_an_upsert_sends_the_values_without_the_key(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = lambda _: Response.of({"id": "a00000000000001", "success": True, "created": True}, status=201)
    salesforce.upsert("Cosell_Inbox__c", KEY, {"Name": "Deal"})
    (request,) = fake.data_requests
    assert (request.method, fake.addresses, request.json()) == ("PATCH", [ADDRESS], {"Name": "Deal"})


def test_a_deletion_names_the_record_by_its_key(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.respond = lambda _: Response(204)
    salesforce.delete("Cosell_Inbox__c", KEY)
    (request,) = fake.data_requests
    assert (request.method, fake.addresses, request.body) == ("DELETE", [ADDRESS], b"")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NOT_FOUND", NotFound),
        (400, "INVALID_FIELD", Rejected),
        (400, "UNABLE_TO_LOCK_ROW", Locked),
        (503, "SERVER_UNAVAILABLE", Ambiguous),
    ],
)
def test_a_refusal_is_raised_and_never_repeated(
    salesforce: SalesforceClient, fake: FakeSalesforce, status: int, code: str, kind: type[CosellError]
) -> None:
    fake.respond = lambda _: Response.of([{"errorCode": code, "message": "m"}], status=status)
    with pytest.raises(kind):
        salesforce.upsert("Cosell_Inbox__c", KEY, {})
    with pytest.raises(kind):
        salesforce.delete("Cosell_Inbox__c", KEY)
    assert len(fake.data_requests) == 2


@pytest.mark.parametrize(("sobject", "key"), [("Nope/../x", KEY), ("X", ("a b", "c")), ("X", ("Key__c", ""))])
def test_a_name_that_would_change_the_address_is_refused(
    salesforce: SalesforceClient, sobject: str, key: tuple[str, str]
) -> None:
    with pytest.raises(ValueError, match="named by an object"):
        salesforce.delete(sobject, key)


def test_the_page_of_a_record_is_at_the_address_of_the_org(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    assert salesforce.page_address("006000000000001AAA") == f"{LOGIN}/006000000000001AAA"
    assert fake.data_requests == []


# --- a conditional update of one record

SINCE = datetime(2026, 11, 22, 10, 0, 5, tzinfo=UTC)
A_LEAD = "00Q000000000001AAA"


def composite_answer(status: int, body: object) -> Response:
    """The answer of a Composite with one subrequest."""
    result = {"referenceId": "w0", "httpStatusCode": status, "httpHeaders": {}, "body": body}
    return Response.of({"compositeResponse": [result]})


def test_a_conditional_update_carries_its_condition_and_is_saved_although_it_resembles_others(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.respond = lambda _: composite_answer(204, None)
    salesforce.update_one("Lead", A_LEAD, {"Phone": "1"}, SINCE)
    (request,) = fake.data_requests
    (step,) = request.json()["compositeRequest"]
    assert (step["method"], step["url"]) == ("PATCH", f"/services/data/v66.0/sobjects/Lead/{A_LEAD}")
    assert step["body"] == {"Phone": "1"}
    assert step["httpHeaders"] == {
        "If-Unmodified-Since": "Sun, 22 Nov 2026 10:00:05 GMT",
        "Sforce-Duplicate-Rule-Header": "allowSave=true",
    }


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (412, None, Conflict),
        (404, "NOT_FOUND", NotFound),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", Rejected),
        (400, "UNABLE_TO_LOCK_ROW", Locked),
        (503, "SERVER_UNAVAILABLE", Ambiguous),
    ],
)
def test_a_conditional_update_that_fails_raises(
    salesforce: SalesforceClient, fake: FakeSalesforce, status: int, code: str | None, kind: type[CosellError]
) -> None:
    body = [{"errorCode": code, "message": "m"}] if code else None
    fake.respond = lambda _: composite_answer(status, body)
    with pytest.raises(kind):
        salesforce.update_one("Lead", A_LEAD, {}, SINCE)


def test_a_conditional_update_names_a_record_by_an_id(salesforce: SalesforceClient) -> None:
    with pytest.raises(ValueError, match="an object and an id"):
        salesforce.update_one("Lead", "../Opportunity", {}, SINCE)
