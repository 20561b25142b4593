"""Both clients use the proxy of the command line, and only that one; a blocked connection is remembered."""

import re
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import requests

import shared
from emulators.base.certificate_authority import Authority
from emulators.base.server import Response, Server
from shared.foundation.errors import ConfigurationError
from shared.transport.client import open_client
from shared.transport.exchange import Exchange, NoAnswer
from shared.transport.proxy import describe_blocked_connections, note_unreachable_in, use_proxy
from shared.transport.session import open_session
from tests.unit.transport.connect_proxy import ConnectProxy, run_connect_proxy

type Get = Callable[[str], bytes]
CONNECTION_ERRORS = (httpx.TransportError, requests.ConnectionError, NoAnswer)


@pytest.fixture(autouse=True)
def _no_proxy_afterwards() -> Iterator[None]:
    use_proxy(None)
    yield
    use_proxy(None)


@pytest.fixture(params=["httpx", "requests", "exchange"])
def get(request: pytest.FixtureRequest, authority: Authority) -> Get:
    """Gets a page with a new client of one of the two libraries, or with our own."""

    def get_with_httpx(url: str) -> bytes:
        with open_client(authority.bundle) as client:
            return client.get(url).content

    def get_with_requests(url: str) -> bytes:
        with open_session(authority.bundle, seconds=20, allow_http=True) as session:
            return session.get(url).content

    def get_with_exchange(url: str) -> bytes:
        with closing(Exchange(url, authority.bundle, seconds=20, max_bytes=1000)) as exchange:
            return exchange.send("GET", "/", {}).body

    getters = {"httpx": get_with_httpx, "requests": get_with_requests, "exchange": get_with_exchange}
    return getters[str(request.param)]


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with run_connect_proxy() as proxy:
        yield proxy


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(lambda _: Response(200, b"reached"), tls=authority.server_context()) as server:
        yield server


def test_an_https_call_goes_through_the_proxy(get: Get, proxy: ConnectProxy, server: Server) -> None:
    use_proxy(proxy.address)
    assert get(server.url) == b"reached"
    assert (proxy.targets, proxy.credentials) == ([f"localhost:{server.port}"], [None])
    assert describe_blocked_connections() == ""


def test_the_proxy_gets_the_credentials_of_its_address(get: Get, proxy: ConnectProxy, server: Server) -> None:
    use_proxy(f"http://ada:p%40ss@127.0.0.1:{proxy.port}/")
    assert get(server.url) == b"reached"
    assert proxy.credentials == [f"Basic {b64encode(b'ada:p@ss').decode()}"]


def test_a_call_without_tls_uses_no_proxy(proxy: ConnectProxy, authority: Authority) -> None:
    """The managed-identity endpoint of the local run is the only address without TLS."""
    use_proxy(proxy.address)
    with Server(lambda _: Response(200, b"reached")) as server, open_session(authority.bundle, allow_http=True) as http:
        assert http.get(server.url).content == b"reached"
        with closing(Exchange(server.url, None, seconds=20, max_bytes=1000)) as exchange:
            assert exchange.send("GET", "/", {}).body == b"reached"
    assert proxy.targets == []


def test_without_the_command_line_no_variable_sets_a_proxy(
    get: Get, proxy: ConnectProxy, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("COSELL_PROXY", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.address)
    assert get(server.url) == b"reached"
    assert proxy.targets == []


def test_only_the_command_line_chooses_a_proxy() -> None:
    package = Path(shared.__file__).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\buse_proxy\(|COSELL_PROXY\"\)", path.read_text(encoding="utf-8"))
    }
    assert users == {"transport/proxy.py", "cli/proxy.py"}


# --- a connection that is blocked


def test_a_proxy_that_refuses_is_reported_without_its_password(get: Get, proxy: ConnectProxy, server: Server) -> None:
    proxy.refusal = 407
    use_proxy(f"http://ada:secret@127.0.0.1:{proxy.port}")
    with pytest.raises(CONNECTION_ERRORS):
        get(server.url)
    assert describe_blocked_connections() == (
        f"The proxy http://127.0.0.1:{proxy.port} (COSELL_PROXY) opened no connection to localhost: check the proxy's "
        "address and password, and allow these hosts in it."
    )


def test_a_proxy_that_does_not_exist_is_reported(get: Get, server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    use_proxy(address)
    with pytest.raises(CONNECTION_ERRORS):
        get(server.url)
    assert f"The proxy {address} (COSELL_PROXY) opened no connection to localhost" in describe_blocked_connections()


def fail_to_resolve(*_: object, **__: object) -> None:
    raise socket.gaierror(-2, "Name or service not known")


def test_a_blocked_host_is_reported_with_the_variable_for_a_proxy(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", fail_to_resolve)
    with pytest.raises(CONNECTION_ERRORS):
        get("https://login.partner.example/token")
    assert describe_blocked_connections() == (
        "This machine could not connect to login.partner.example: allow the connection in the firewall, or name the "
        "proxy of this network (example: COSELL_PROXY=http://proxy.example:8080)."
    )


def test_a_host_that_is_reached_later_is_not_reported(get: Get, proxy: ConnectProxy, server: Server) -> None:
    use_proxy(proxy.address)
    proxy.refusal = 503
    with pytest.raises(CONNECTION_ERRORS):
        get(server.url)
    proxy.refusal = None
    assert get(server.url) == b"reached"
    assert describe_blocked_connections() == ""


def test_a_certificate_that_is_not_trusted_is_another_problem(get: Get, proxy: ConnectProxy, tmp_path: Path) -> None:
    use_proxy(proxy.address)
    stranger = Authority(tmp_path)
    with Server(lambda _: Response(), tls=stranger.server_context()) as server, pytest.raises(CONNECTION_ERRORS):
        get(server.url)
    assert describe_blocked_connections() == ""


def test_an_emulator_that_was_stopped_is_not_a_blocked_connection(get: Get) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(CONNECTION_ERRORS):
        get(f"https://localhost:{port}")
    assert describe_blocked_connections() == ""


def test_the_host_in_an_error_of_the_azure_cli_is_reported() -> None:
    text = "HTTPSConnectionPool(host='management.azure.example', port=443): Max retries exceeded with url: /x"
    assert note_unreachable_in(text)
    assert "could not connect to management.azure.example" in describe_blocked_connections()
    assert not note_unreachable_in("ERROR: Please run 'az login' to setup account.")


@pytest.mark.parametrize(
    "address", ["proxy.example:8080", "https://proxy.example", "http://", "http://proxy.example:x", "socks5://p:1"]
)
def test_another_kind_of_address_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        use_proxy(address)
    assert str(refused.value) == (
        "COSELL_PROXY: must be the http address of a proxy (example: COSELL_PROXY=http://proxy.example:8080)"
    )
