"""The `httpx` client over real sockets: total deadlines, connections that are reused, and only our own trust."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpcore
import httpx
import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from shared.transport.client import httpx_timeout, open_client
from shared.transport.deadline import Deadline, call_deadline
from tests.unit.transport.slow_server import (
    DRIPS,
    SILENCES,
    SLACK,
    TICK,
    TickingClock,
    read_slowly,
    send_slowly,
    slow_server,
)

LIMIT = 0.08


def assert_cut_off(call: Callable[[], object], limit: float = LIMIT) -> None:
    began = time.monotonic()
    with pytest.raises(httpx.TimeoutException), call_deadline(limit):
        call()
    assert limit * 0.9 < time.monotonic() - began < limit + SLACK


@pytest.mark.parametrize("answer", DRIPS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_an_answer_that_does_not_end_is_abandoned_at_the_deadline(
    authority: Authority, answer: str, secure: bool
) -> None:
    tls, clock = authority.server_context() if secure else None, TickingClock()
    with (
        slow_server(DRIPS[answer], tls, clock=clock) as url,
        open_client(authority.bundle) as client,
        call_deadline(60 * TICK, clock),
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(url, timeout=900 * TICK)
    assert 60 < clock.ticks < 70


@pytest.mark.parametrize("answer", [*SILENCES, "body"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_slow_server_is_abandoned_in_real_time(authority: Authority, answer: str, secure: bool) -> None:
    tls = authority.server_context() if secure else None
    with slow_server({**SILENCES, **DRIPS}[answer], tls) as url, open_client(authority.bundle) as client:
        assert_cut_off(lambda: client.get(url, timeout=60))


def test_a_large_body_is_abandoned_at_the_deadline() -> None:
    clock = TickingClock()
    with (
        slow_server(read_slowly) as url,
        open_client() as client,
        call_deadline(60 * TICK, clock),
        pytest.raises(httpx.WriteTimeout),
    ):
        client.post(url, content=b"x" * 25_000_000, timeout=900 * TICK)
    assert 60 < clock.ticks < 70


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_server_that_reads_slowly_is_abandoned(authority: Authority, secure: bool) -> None:
    tls = authority.server_context() if secure else None
    body = b"x" * 25_000_000  # some seconds of reading
    with slow_server(read_slowly, tls) as url, open_client(authority.bundle) as client:
        assert_cut_off(lambda: client.post(url, content=body, timeout=60), 0.3)


def test_a_server_that_never_begins_tls_is_abandoned(authority: Authority) -> None:
    with (
        slow_server(send_slowly(b"", b""), authority.server_context(), shake_hands=False) as url,
        open_client(authority.bundle) as client,
    ):
        assert_cut_off(lambda: client.get(url, timeout=60))


def test_without_time_nothing_is_sent() -> None:
    requests: list[Request] = []

    def answer(request: Request) -> Response:
        requests.append(request)
        return Response()

    with Server(answer) as server, open_client() as client, call_deadline(0), pytest.raises(httpx.ConnectTimeout):
        client.get(server.url)
    assert requests == []


def test_what_is_left_never_means_waiting_for_ever() -> None:
    timeout = httpx_timeout(Deadline(0))

    assert isinstance(timeout, httpx.Timeout)
    assert timeout.read is not None
    assert 0 < timeout.read < 0.01
    assert httpx_timeout(Deadline(60)).connect == 10


def test_a_connection_is_used_again() -> None:
    served: list[Request] = []

    def answer(request: Request) -> Response:
        served.append(request)
        return Response.of({"n": len(served)})

    with Server(answer) as server, open_client() as client, call_deadline(60):
        ports = []
        for _ in range(2):
            response = client.get(server.url)
            ports.append(response.extensions["network_stream"].get_extra_info("client_addr"))

    assert (len(served), ports[0]) == (2, ports[1])


def test_as_many_calls_run_at_once_as_parallelism_allows() -> None:
    most = 64
    all_are_there = threading.Barrier(most)

    def answer(_: Request) -> Response:
        all_are_there.wait(60)  # a call that waits for the connection of another one would break the barrier
        return Response.of({})

    with Server(answer) as server, open_client() as client, ThreadPoolExecutor(most) as threads:
        answers = list(threads.map(lambda _: client.get(server.url, timeout=60), range(most)))

    assert [answer.status_code for answer in answers] == [200] * most


def test_every_error_of_httpcore_has_one_of_the_same_name_in_httpx() -> None:
    kinds = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
    names = [name for name, kind in vars(httpcore).items() if isinstance(kind, type) and issubclass(kind, kinds)]

    assert len(names) > 10
    assert all(issubclass(getattr(httpx, name), httpx.TransportError) for name in names)


def test_an_answer_that_is_not_http_is_a_protocol_error() -> None:
    with (
        slow_server(send_slowly(b"no HTTP\r\n\r\n", b"")) as url,
        open_client() as client,
        pytest.raises(httpx.RemoteProtocolError) as broken,
    ):
        client.get(url, timeout=60)
    assert broken.value.request.url == url


@pytest.mark.parametrize("length", [5, 8])
def test_an_answer_that_breaks_off_is_a_protocol_error(length: int) -> None:
    with (
        Server(lambda _: Response(body=b"x" * length, cut=4)) as server,
        open_client() as client,
        pytest.raises(httpx.RemoteProtocolError) as broken,
    ):
        client.get(server.url, timeout=60)
    assert broken.value.request.url == server.url


def test_a_large_body_arrives_whole(authority: Authority) -> None:
    body = bytes(range(256)) * 1000
    with (
        Server(lambda r: Response(body=r.body), tls=authority.server_context()) as server,
        open_client(authority.bundle) as client,
        call_deadline(60),
    ):
        assert client.post(server.url, content=body).content == body


def test_only_the_given_bundle_is_trusted(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Authority(tmp_path)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(theirs.bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    with (
        Server(lambda _: Response(), tls=authority.server_context()) as trusted,
        Server(lambda _: Response(), tls=theirs.server_context()) as stranger,
        open_client(authority.bundle) as client,
    ):
        assert client.get(trusted.url).status_code == 200
        with pytest.raises(httpx.ConnectError):
            client.get(stranger.url)


def test_cookies_are_not_kept() -> None:
    served: list[Request] = []

    def answer(request: Request) -> Response:
        served.append(request)
        return Response.of({}, Set_Cookie="affinity=x")

    with Server(answer) as server, open_client() as client:
        client.get(server.url)
        client.get(server.url)

    assert ["cookie" in request.headers for request in served] == [False, False]


def test_a_redirect_is_not_followed() -> None:
    served: list[str] = []

    def answer(request: Request) -> Response:
        served.append(request.path)
        return Response(302, b"", {"Location": "/elsewhere"})

    with Server(answer) as server, open_client() as client:
        assert client.get(f"{server.url}/here").status_code == 302

    assert served == ["/here"]
