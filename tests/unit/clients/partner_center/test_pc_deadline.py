"""The total deadline, over real sockets, and TLS by the given bundle alone."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.local.authority import Authority
from infra.local.wire import Request, Response, Server
from shared.clients.partner_center.deadline import Deadline, open_client, remaining, within
from shared.clients.partner_center.referrals import open_referrals
from shared.errors import Ambiguous, CosellError, Unavailable

ID = "0a5f0000-1111-2222-3333-444455556666"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@contextmanager
def dripping(first: bytes, drop: bytes) -> Iterator[str]:
    """A server that sends `first`, then `drop` every 10 ms for as long as anybody listens."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(first)
                while not stop.wait(0.01):
                    try:
                        connection.sendall(drop)
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize(
    ("first", "drop"),
    [(HEAD, b" "), (b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"), (b"", b""), (b"HTTP/1.1 100 Continue\r\n\r\n", b"")],
    ids=["body", "headers", "silence", "continue"],
)
@pytest.mark.parametrize(("write", "error"), [(False, Unavailable), (True, Ambiguous)], ids=["read", "write"])
def test_a_far_side_that_drips_is_left_at_the_deadline(
    first: bytes, drop: bytes, write: bool, error: type[CosellError]
) -> None:
    with dripping(first, drop) as url:
        referrals = open_referrals(url, lambda _: "token", deadline=0.1)
        started = time.monotonic()
        with pytest.raises(error):
            referrals.create({}) if write else referrals.get(ID)
        took = time.monotonic() - started
        referrals.close()

    assert 0.09 < took < 1


@pytest.mark.parametrize(
    "lost", [Response(201, b'{"id": "r1"}', cut=6), Response(201, b'{"id": "r1"}', cut=0), Response(0, close=True)]
)
def test_a_reply_that_breaks_off_is_ambiguous_for_a_write(lost: Response) -> None:
    served: list[str] = []

    def answer(request: Request) -> Response:
        served.append(request.method)
        return lost

    with Server(answer) as server:
        referrals = open_referrals(server.url, lambda _: "token", deadline=5)
        with pytest.raises(Ambiguous):
            referrals.create({})
        referrals.close()

    assert served == ["POST"]


def test_a_refused_connection_is_unavailable_for_a_write() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    referrals = open_referrals(f"http://127.0.0.1:{port}", lambda _: "token", deadline=5)

    with pytest.raises(Unavailable):
        referrals.create({})

    referrals.close()


def test_deadlines_nest_and_the_earlier_one_rules() -> None:
    now = [0.0]
    clock: Callable[[], float] = lambda: now[0]  # noqa: E731 - a clock is a function

    assert remaining() is None
    with within(60, clock) as outer:
        now[0] = 50.0
        with within(30, clock) as inner:
            assert (outer.left(), inner.left(), remaining()) == (10, 10, 10)
        with within(5, clock) as inner:
            assert inner.left() == 5
        now[0] = 70.0
        assert outer.left() == 0
    assert remaining() is None


def test_what_is_left_never_means_waiting_for_ever() -> None:
    timeout = Deadline(0).timeout()

    assert isinstance(timeout, httpx.Timeout)
    assert timeout.read is not None
    assert 0 < timeout.read < 0.01


def test_only_the_given_bundle_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(theirs.bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    def answer(_: Request) -> Response:
        return Response.of({"id": ID})

    with Server(answer, tls=ours.server()) as trusted, Server(answer, tls=theirs.server()) as stranger:
        good = open_referrals(trusted.url, lambda _: "token", ca_bundle=ours.bundle)
        bad = open_referrals(stranger.url, lambda _: "token", ca_bundle=ours.bundle)

        assert good.get(ID) == {"id": ID}
        with pytest.raises(Unavailable, match="ConnectError"):
            bad.get(ID)
        good.close()
        bad.close()


def test_a_connection_is_used_again() -> None:
    served: list[Request] = []

    def answer(request: Request) -> Response:
        served.append(request)
        return Response.of({"n": len(served)})

    with Server(answer) as server, open_client() as client, within(5):
        ports = []
        for _ in range(2):
            response = client.get(server.url)
            ports.append(response.extensions["network_stream"].get_extra_info("client_addr"))

    assert (len(served), ports[0]) == (2, ports[1])


def test_cookies_are_not_kept() -> None:
    served: list[Request] = []

    def answer(request: Request) -> Response:
        served.append(request)
        return Response.of({"id": ID}, Set_Cookie="affinity=x")

    with Server(answer) as server:
        referrals = open_referrals(server.url, lambda _: "token")
        referrals.get(ID)
        referrals.get(ID)
        referrals.close()

    assert ["cookie" in request.headers for request in served] == [False, False]
