"""Use real sockets for lost replies, untrusted certificates and deadlines, which a fake transport cannot show."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from shared.clients.salesforce.client import SalesforceClient, open_salesforce
from shared.clients.salesforce.simple_salesforce_adapter import load_library
from shared.foundation.errors import Ambiguous, CosellError, Unavailable
from shared.sync.ports import Node
from shared.transport.deadline import call_deadline
from shared.transport.session import open_session
from tests.unit.clients.salesforce.fake_salesforce import MemoryVault
from tests.unit.transport.slow_server import DRIPS, SILENCES, SLACK, TICK, TickingClock, slow_server

NODES = [Node("deal", "Opportunity", {"Name": "A"})]


def open_client(
    server: Server, bundle: Path, vault: MemoryVault, session: requests.Session, *, deadline: float = SLACK
) -> SalesforceClient:
    return open_salesforce(
        login_url=server.url,
        client_id="c",
        username="u",
        key_name="salesforce-key",
        vault=vault,
        ca_bundle=bundle,
        deadline=deadline,
        session=session,
    )


def token_and_data_service(
    data: Callable[[Request], Response], instance: str | None = None
) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        if request.path != "/services/oauth2/token":
            return data(request)
        return Response.of(
            {
                "access_token": "t",
                "instance_url": instance or f"https://{request.headers['host']}",
                "id": "https://x/id/00D000000000001/005000000000001",
            }
        )

    return handle


LIMIT = 2.0
"""Seconds. A write must be sent within them, so that its outcome is unknown."""
KINDS = pytest.mark.parametrize(
    ("write", "error"),
    [pytest.param(False, Unavailable, marks=pytest.mark.slow), (True, Ambiguous)],
    ids=["read", "write"],
)


@KINDS
@pytest.mark.parametrize("answer", DRIPS)
def test_a_call_with_an_answer_that_does_not_end_ends_at_its_deadline(
    authority: Authority, vault: MemoryVault, answer: str, write: bool, error: type[CosellError]
) -> None:
    clock = TickingClock()
    with (
        slow_server(DRIPS[answer], authority.server_context(), clock=clock) as slow,
        Server(token_and_data_service(lambda _: Response(), slow), tls=authority.server_context()) as server,
        open_session(authority.bundle, seconds=900 * TICK) as session,
    ):
        salesforce = open_client(server, authority.bundle, vault, session, deadline=60 * TICK)
        salesforce.organization_id()
        with call_deadline(1000 * TICK, clock):
            began = clock.ticks
            with pytest.raises(error):
                salesforce.create(NODES, "deal", ["Id"]) if write else salesforce.describe("Opportunity")
            assert 60 < clock.ticks - began < 75


@pytest.mark.slow  # it waits in real time
@KINDS
@pytest.mark.parametrize("answer", SILENCES)
def test_a_call_to_a_silent_service_ends_at_its_deadline(
    authority: Authority, vault: MemoryVault, answer: str, write: bool, error: type[CosellError]
) -> None:
    load_library()  # its first import may take longer than the limit
    with (
        slow_server(SILENCES[answer], authority.server_context()) as slow,
        Server(token_and_data_service(lambda _: Response(), slow), tls=authority.server_context()) as server,
        open_session(authority.bundle) as session,
    ):
        salesforce = open_client(server, authority.bundle, vault, session, deadline=LIMIT)
        salesforce.organization_id()
        began = time.monotonic()
        with pytest.raises(error):
            salesforce.create(NODES, "deal", ["Id"]) if write else salesforce.describe("Opportunity")
        assert LIMIT * 0.9 < time.monotonic() - began < LIMIT + SLACK


@pytest.mark.parametrize(
    "answer", [Response(0, close=True), Response(200, b'{"graphs":[]}', cut=5), Response(200, b"<html>")]
)
def test_a_lost_reply_is_ambiguous_for_a_write_and_unavailable_for_a_read(
    authority: Authority, vault: MemoryVault, answer: Response
) -> None:
    seen: list[str] = []

    def data(request: Request) -> Response:
        seen.append(request.method)
        return answer

    with (
        Server(token_and_data_service(data), tls=authority.server_context()) as server,
        open_session(authority.bundle) as session,
    ):
        salesforce = open_client(server, authority.bundle, vault, session)
        with pytest.raises(Ambiguous):
            salesforce.create(NODES, "deal", ["Id"])
        with pytest.raises(Unavailable):
            salesforce.describe("Opportunity")
    assert seen == ["POST", "GET", "GET", "GET"]


def test_a_write_that_was_never_sent_is_unavailable_and_not_ambiguous(authority: Authority, vault: MemoryVault) -> None:
    with Server(token_and_data_service(lambda _: Response.of({"a": 1})), tls=authority.server_context()) as server:
        session = open_session(authority.bundle)
        salesforce = open_client(server, authority.bundle, vault, session)
        salesforce.describe("Opportunity")
    session.close()
    with pytest.raises(Unavailable):
        salesforce.create(NODES, "deal", ["Id"])


def test_nothing_is_sent_to_a_server_with_an_untrusted_certificate(authority: Authority, vault: MemoryVault) -> None:
    seen: list[Request] = []

    def data(request: Request) -> Response:
        seen.append(request)
        return Response()

    with (
        Server(token_and_data_service(data), tls=authority.server_context()) as server,
        open_session(None) as session,
        pytest.raises(Unavailable, match="SSLError"),
    ):
        open_client(server, authority.bundle, vault, session).create(NODES, "deal", ["Id"])
    assert seen == []
