"""The route from a method of a client to the HTTP library: how many functions of ours stand on the stack.

Each function between the two is one more that a reader has to know. The limits hold for every request that a method
sends, whatever it sends first: a second page, a list without a filter, a try after a failure, a new token.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import httpx
import pytest

from emulators.base.server import Response
from shared.clients.partner_center.referrals import Referrals
from shared.clients.salesforce.client import SalesforceClient, open_salesforce
from shared.clients.salesforce.records import Node, Write
from shared.foundation.errors import Rejected, Unavailable
from shared.transport.session import open_session
from tests.no_waits import no_waits
from tests.over_httpx import OverHttpx
from tests.unit.clients.partner_center.scripted_service import ScriptedService, Step
from tests.unit.clients.salesforce.fake_salesforce import LOGIN, FakeSalesforce, MemoryVault, new_pem

SHARED = str(Path(__file__).parents[3] / "shared")
SINCE = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with no_waits():
        yield


def routes_of(work: Callable[[], object], senders: frozenset[str]) -> list[list[str]]:
    """Our functions on the stack, the innermost first, each time when `work` enters a function in `senders`.

    A sender within a sender does not count.
    """
    routes: list[list[str]] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and name_of(frame) in senders:
            stack = list(callers_of(frame))
            if senders.isdisjoint(map(name_of, stack)):
                routes.append([name_of(each) for each in stack if each.f_code.co_filename.startswith(SHARED)])

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return routes


def callers_of(frame: FrameType) -> Iterator[FrameType]:
    while frame.f_back is not None:
        frame = frame.f_back
        yield frame


def name_of(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"


def assert_within(routes: list[list[str]], limit: int, requests: int) -> None:
    assert len(routes) == requests
    assert [route for route in routes if not 0 < len(route) <= limit] == []


# --- Partner Center

HTTPX_SENDERS = frozenset({"httpx._client.Client.send"})
ID = "0a5f0000-1111-2222-3333-444455556666"
REFERRAL = httpx.Response(200, json={"id": ID, "eTag": '"1"'})
NO_CONTENT = httpx.Response(204)
EXPIRED = httpx.Response(401, json={"error": {"code": "unauthenticated"}})
NO_FILTER = httpx.Response(400, json={"error": {"code": "invalidRequest"}})
FIRST_PAGE = httpx.Response(200, json={"value": [{"id": "r1"}], "@odata.nextLink": "?$skiptoken=1"})
LAST_PAGE = httpx.Response(200, json={"value": [{"id": "r2"}]})


@pytest.fixture
def service() -> ScriptedService:
    return ScriptedService()


@pytest.fixture
def referrals(service: ScriptedService) -> Iterator[Referrals]:
    with httpx.Client(transport=httpx.MockTransport(service)) as client:
        yield Referrals(
            "https://partner.example/v1.0/engagements",
            service.token,
            service=OverHttpx(client),
        )


@pytest.mark.parametrize(
    ("call", "limit", "script"),
    [
        pytest.param(lambda client: client.create({}), 2, [REFERRAL], id="create"),
        pytest.param(lambda client: client.create({}), 2, [EXPIRED, REFERRAL], id="create with a new token"),
        pytest.param(lambda client: client.patch(ID, [], '"1"'), 2, [EXPIRED, REFERRAL], id="patch"),
        pytest.param(lambda client: client.patch(ID, [], '"1"'), 3, [NO_CONTENT, REFERRAL], id="patch and read"),
        pytest.param(lambda client: client.get(ID), 3, [EXPIRED, httpx.Response(503), REFERRAL], id="get"),
        pytest.param(lambda client: list(client.changed_since(SINCE)), 3, [FIRST_PAGE, LAST_PAGE], id="changed since"),
        pytest.param(
            lambda client: list(client.created_since(SINCE)), 3, [NO_FILTER, FIRST_PAGE, LAST_PAGE], id="created since"
        ),
    ],
)
def test_few_functions_stand_between_a_method_of_partner_center_and_httpx(
    service: ScriptedService, referrals: Referrals, call: Callable[[Referrals], object], limit: int, script: list[Step]
) -> None:
    service.set_script(*script)

    assert_within(routes_of(lambda: call(referrals), HTTPX_SENDERS), limit, requests=len(script))


def test_a_read_that_is_given_up_stays_within_the_limit_too(service: ScriptedService, referrals: Referrals) -> None:
    service.set_script(httpx.ConnectError("no route"))

    def read() -> None:
        with pytest.raises(Unavailable):
            referrals.get(ID)

    assert_within(routes_of(read, HTTPX_SENDERS), 3, requests=3)


# --- Salesforce

SALESFORCE_SENDERS = frozenset(
    {"simple_salesforce.api.Salesforce.restful", "requests.sessions.Session.request", "requests.sessions.Session.send"}
)
SESSION_EXPIRED = Response.of([{"errorCode": "INVALID_SESSION_ID", "message": ""}], 401)
REFUSED = Response.of([{"errorCode": "STRING_TOO_LONG", "message": ""}], 400)
DOWN = Response(503, b"")
DEAL = "006000000000001AAA"
EMPTY_PAGE = Response.of({"records": [], "done": True})
TEAM = {"records": [], "done": False, "nextRecordsUrl": "/services/data/v66.0/query/01g-2"}
UNFINISHED = Response.of(
    {
        "compositeResponse": [
            {
                "referenceId": "q0",
                "httpStatusCode": 200,
                "body": {
                    "records": [{"Id": DEAL, "Team": TEAM}],
                    "done": False,
                    "nextRecordsUrl": "/services/data/v66.0/query/01g-1",
                },
            }
        ]
    }
)


@pytest.fixture
def fake() -> FakeSalesforce:
    return FakeSalesforce()


@pytest.fixture
def salesforce(fake: FakeSalesforce) -> Iterator[SalesforceClient]:
    """A client that has signed in."""
    with open_session(None) as session:
        session.mount("https://", fake)
        client = open_salesforce(
            login_url=LOGIN,
            client_id="CONSUMER",
            username="integration@example.com",
            key_name="salesforce-key",
            vault=MemoryVault(new_pem()),
            session=session,
        )
        client.organization_id()
        yield client


@pytest.mark.parametrize(
    ("call", "script"),
    [
        pytest.param(lambda client: client.query("SELECT Id FROM Opportunity"), [DOWN, UNFINISHED], id="query"),
        pytest.param(lambda client: client.more(TEAM["nextRecordsUrl"]), [DOWN, EMPTY_PAGE], id="more"),
        pytest.param(
            lambda client: client.opportunities([DEAL], ["Name"]), [UNFINISHED, EMPTY_PAGE, EMPTY_PAGE],
            id="opportunities with further pages",
        ),
        pytest.param(lambda client: client.update([Write(DEAL, {})], ["Id"]), [REFUSED], id="update"),
        pytest.param(lambda client: client.update_unmodified([Write(DEAL, {})], ["Id"]), [REFUSED], id="unmodified"),
        pytest.param(
            lambda client: client.create([Node("deal", "Opportunity", {})], "deal", ["Id"]), [REFUSED], id="create"
        ),
    ],
)  # fmt: skip
def test_few_functions_stand_between_a_method_of_salesforce_and_its_library(
    fake: FakeSalesforce,
    salesforce: SalesforceClient,
    call: Callable[[SalesforceClient], object],
    script: list[Response],
) -> None:
    fake.answer_in_turn(*script)

    def work() -> None:
        with suppress(Rejected):
            call(salesforce)

    assert_within(routes_of(work, SALESFORCE_SENDERS), 4, requests=len(script))


def test_a_call_that_is_sent_again_with_a_new_token_stays_within_the_limit_too(
    fake: FakeSalesforce, salesforce: SalesforceClient
) -> None:
    fake.answer_in_turn(SESSION_EXPIRED, UNFINISHED)

    routes = routes_of(lambda: salesforce.query("SELECT Id FROM Opportunity"), SALESFORCE_SENDERS)

    calls = [route for route in routes if "shared.clients.salesforce.sign_in.SignIn.token" not in route]
    assert_within(calls, 4, requests=2)
