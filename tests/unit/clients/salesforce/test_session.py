"""Real sockets: what only they can show of deadlines, lost replies and trust."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from infra.local.authority import Authority
from infra.local.wire import Request, Response, Server
from shared.clients.salesforce.api import SalesforceClient, open_salesforce
from shared.clients.salesforce.session import open_session
from shared.errors import Ambiguous, ConfigurationError, Unavailable
from shared.sync.ports import Node
from tests.unit.clients.salesforce.salesforce_bench import MemoryVault

Drip = Callable[[socket.socket], None]
NODES = [Node("deal", "Opportunity", {"Name": "A"})]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 500\r\n\r\n")
    drip(connection, b" ")


def drip_kept_alive(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    drip(connection, b" ")


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    drip(connection, b"x")


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def drip(connection: socket.socket, byte: bytes) -> None:
    for _ in range(400):
        connection.sendall(byte)
        time.sleep(0.01)


def serve(listening: socket.socket, context: ssl.SSLContext, answer: Drip) -> threading.Thread:
    def work() -> None:
        raw, _ = listening.accept()
        try:
            with closing(context.wrap_socket(raw, server_side=True)) as connection:
                connection.recv(65_536)
                answer(connection)
        except OSError:
            return  # the caller hung up: what the test wants

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("answer", [drip_body, drip_kept_alive, drip_headers, silence])
def test_a_server_that_answers_drop_by_drop_is_cut_off_at_the_deadline(
    authority: Authority, listener: socket.socket, answer: Drip
) -> None:
    thread = serve(listener, authority.server(), answer)
    with open_session(authority.bundle) as session:
        started = time.monotonic()
        with pytest.raises((requests.ConnectionError, requests.Timeout)):
            session.get(f"https://localhost:{listener.getsockname()[1]}/", timeout=0.3)
        assert 0.25 < time.monotonic() - started < 1.5
    thread.join(5)


def test_the_sessions_own_deadline_holds_where_a_call_gives_none(authority: Authority, listener: socket.socket) -> None:
    thread = serve(listener, authority.server(), drip_body)
    with open_session(authority.bundle, seconds=0.2) as session, pytest.raises(requests.ConnectionError):
        session.get(f"https://localhost:{listener.getsockname()[1]}/")
    thread.join(5)


def client(server: Server, bundle: Path, vault: MemoryVault, session: requests.Session) -> SalesforceClient:
    return open_salesforce(
        login_url=server.url,
        client_id="c",
        username="u",
        key_name="salesforce-key",
        vault=vault,
        ca_bundle=bundle,
        deadline=5.0,
        session=session,
    )


def service(data: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        if request.path != "/services/oauth2/token":
            return data(request)
        return Response.of(
            {
                "access_token": "t",
                "instance_url": f"https://{request.headers['host']}",
                "id": "https://x/id/00D000000000001/005000000000001",
            }
        )

    return handle


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

    with Server(service(data), tls=authority.server()) as server, open_session(authority.bundle) as session:
        salesforce = client(server, authority.bundle, vault, session)
        with pytest.raises(Ambiguous):
            salesforce.create(NODES, "deal", ["Id"])
        with pytest.raises(Unavailable):
            salesforce.describe("Opportunity")
    assert seen == ["POST", "GET", "GET", "GET"]


def test_a_write_that_never_left_is_no_riddle(authority: Authority, vault: MemoryVault) -> None:
    with Server(service(lambda _: Response.of({"a": 1})), tls=authority.server()) as server:
        session = open_session(authority.bundle)
        salesforce = client(server, authority.bundle, vault, session)
        salesforce.describe("Opportunity")
    session.close()
    with pytest.raises(Unavailable):
        salesforce.create(NODES, "deal", ["Id"])


def test_a_certificate_that_we_do_not_trust_ends_the_call_before_anything_is_sent(
    authority: Authority, vault: MemoryVault
) -> None:
    seen: list[Request] = []

    def data(request: Request) -> Response:
        seen.append(request)
        return Response()

    with (
        Server(service(data), tls=authority.server()) as server,
        open_session(None) as session,
        pytest.raises(Unavailable, match="SSLError"),
    ):
        client(server, authority.bundle, vault, session).create(NODES, "deal", ["Id"])
    assert seen == []


def test_the_environment_neither_lends_trust_nor_credentials(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with Server(lambda _: Response(), tls=authority.server()) as server:
        with open_session(None) as session, pytest.raises(requests.exceptions.SSLError):
            session.get(server.url)
        with open_session(authority.bundle) as session:
            assert session.get(server.url).status_code == 200


def test_a_missing_ca_bundle_is_a_fault_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="absent"):
        open_session(tmp_path / "absent.pem")


def test_plain_http_and_cookies_are_not_for_us(authority: Authority) -> None:
    seen: list[str | None] = []

    def handle(request: Request) -> Response:
        seen.append(request.headers.get("cookie"))
        return Response(200, b"", {"Set-Cookie": "BrowserId=x; path=/"})

    with Server(handle, tls=authority.server()) as server, open_session(authority.bundle) as session:
        session.get(server.url)
        session.get(server.url)
        with pytest.raises(requests.exceptions.InvalidSchema):
            session.get(server.url.replace("https:", "http:"))
    assert seen == [None, None]
