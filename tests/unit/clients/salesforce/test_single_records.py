"""Single records by their external id."""

import pytest

from emulators.base.server import Response
from shared.clients.salesforce.client import SalesforceClient
from shared.foundation.errors import Ambiguous, CosellError, Locked, NotFound, Rejected
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
