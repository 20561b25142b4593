"""A call ends in time: silence, a dripping head, a dripping body, over plain sockets and TLS."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from infra.local.authority import Authority
from infra.local.wire import Request, Response, Server
from shared.clients import deadline

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@contextlib.contextmanager
def dripping(first: bytes, drop: bytes, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers every request with `first` and then one `drop` every few milliseconds, for ever."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with contextlib.suppress(OSError):
            raw, _ = listener.accept()
            with tls.wrap_socket(raw, server_side=True) if tls else raw as client:
                client.recv(65536)
                client.sendall(first)
                while not stop.wait(0.01):
                    client.sendall(drop)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.close()
        thread.join(5)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("first", "drop"),
    [(HEAD + b"\r\n", b"x"), (HEAD + b"X-Long: ", b"x"), (b"HTTP/1.1 100 Continue\r\n\r\n", b"")],
    ids=["body", "head", "silence"],
)
def test_a_server_that_drips_is_cut_off_at_the_deadline(
    authority: Authority, first: bytes, drop: bytes, secure: bool
) -> None:
    tls = authority.server() if secure else None
    began = time.monotonic()
    with dripping(first, drop, tls) as url, deadline.session(authority.bundle, timeout=0.15) as session:
        with pytest.raises(requests.Timeout):
            session.get(url)
        assert 0.1 < time.monotonic() - began < 2


def test_several_calls_share_one_budget(authority: Authority) -> None:
    def answer(_: Request) -> Response:
        time.sleep(0.06)
        return Response.of({})

    with (
        Server(answer) as server,
        deadline.session(authority.bundle, timeout=10) as session,
        deadline.total(0.1),
    ):
        assert session.get(server.url).status_code == 200
        for _ in range(2):
            with pytest.raises(requests.Timeout):
                session.get(server.url)
    assert deadline.left(7.0) == 7.0


def test_a_timely_answer_is_whole_and_its_connection_is_kept(authority: Authority) -> None:
    body = b"y" * 300_000
    with (
        Server(lambda _: Response(body=body), tls=authority.server()) as server,
        deadline.session(authority.bundle, timeout=5) as session,
    ):
        first, second = session.get(server.url), session.get(server.url)
        assert (first.content, second.content) == (body, body)
        adapter = session.get_adapter(server.url)
        assert isinstance(adapter, deadline.DeadlineAdapter)
        pools = adapter.poolmanager.pools
        assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - not a plain mapping


def test_an_answer_cut_short_is_an_error(authority: Authority) -> None:
    with (
        Server(lambda _: Response(body=b"0123456789", cut=5)) as server,
        deadline.session(authority.bundle, timeout=5) as session,
        pytest.raises(requests.RequestException),
    ):
        session.get(server.url)


def test_the_environment_decides_nothing(authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with (
        Server(lambda _: Response.of({}), tls=authority.server()) as server,
        deadline.session(authority.bundle, timeout=5) as session,
    ):
        assert session.get(server.url).status_code == 200


def test_a_server_of_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    with (
        Server(lambda _: Response.of({}), tls=stranger.server()) as server,
        deadline.session(authority.bundle, timeout=5) as session,
        pytest.raises(requests.exceptions.SSLError),
    ):
        session.get(server.url)


def test_cookies_are_not_kept(authority: Authority) -> None:
    with (
        Server(lambda r: Response.of(r.headers.get("cookie"), Set_Cookie="a=b")) as server,
        deadline.session(authority.bundle, timeout=5) as session,
    ):
        assert [session.get(server.url).json() for _ in range(2)] == [None, None]
