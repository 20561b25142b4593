"""A request that is sent without `httpx`: its whole answer, its deadline, and the connections that are kept for it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpcore
import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import LOOPBACK, Request, Response, Server
from shared.transport import connections
from shared.transport.deadline import call_deadline
from shared.transport.exchange import Exchange, NoAnswer
from tests.unit.transport.slow_server import DRIPS, TICK, TickingClock, read_slowly, send_slowly, slow_server

MAX = 200_000


type Open = Callable[..., Exchange]


@pytest.fixture
def open_exchange() -> Iterator[Open]:
    """Opens exchanges, which the end of the test closes."""
    with ExitStack() as stack:

        def opened(origin: str, authority: Authority | None = None, seconds: float = 60) -> Exchange:
            bundle = authority.bundle if authority else None
            exchange = Exchange(origin.rstrip("/"), bundle, seconds=seconds, max_bytes=MAX)
            stack.callback(exchange.close)
            return exchange

        yield opened


def refused(call: Callable[[], object]) -> tuple[str, bool]:
    with pytest.raises(NoAnswer) as caught:
        call()
    return str(caught.value), caught.value.was_sent


def test_a_request_arrives_as_it_was_written_and_the_answer_is_read_whole(
    open_exchange: Open, authority: Authority
) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(201, b"whole", {"ETag": 'W/"1"', "X-Name": "Zoë"})

    with Server(answer, tls=authority.server_context()) as server:
        exchange = open_exchange(server.url, authority)
        found = exchange.send("PUT", "/a(b='%27%27')?c=%20d", {"If-Match": "*"}, b"body")
        exchange.send("DELETE", "/e", {})
    assert (found.status, found.body, found.headers["etag"], found.headers["x-name"]) == (201, b"whole", 'W/"1"', "Zoë")
    put, delete = seen
    assert (put.method, put.path, put.query, put.body) == ("PUT", "/a(b='''')", {"c": " d"}, b"body")
    assert (put.headers["host"], put.headers["if-match"]) == (server.url.removeprefix("https://"), "*")
    assert delete.body == b""


@pytest.mark.parametrize("answer", DRIPS)
def test_an_answer_that_does_not_end_is_abandoned_at_the_deadline(open_exchange: Open, answer: str) -> None:
    clock = TickingClock()
    with slow_server(DRIPS[answer], clock=clock) as url, call_deadline(60 * TICK, clock):
        exchange = open_exchange(url, seconds=900 * TICK)
        assert refused(lambda: exchange.send("GET", "/", {})) == ("ReadTimeout", True)
    assert 60 < clock.ticks < 70


def test_without_an_outer_deadline_the_call_has_its_own(open_exchange: Open) -> None:
    with slow_server(send_slowly(b"", b"")) as url:
        assert refused(lambda: open_exchange(url, seconds=0.05).send("GET", "/", {})) == ("ReadTimeout", True)
    with slow_server(read_slowly) as url:
        exchange = open_exchange(url, seconds=0.05)
        assert refused(lambda: exchange.send("PUT", "/", {}, b"x" * 25_000_000)) == ("WriteTimeout", True)


def test_a_request_that_found_no_server_was_not_sent(open_exchange: Open, authority: Authority) -> None:
    with Server(lambda _: Response()) as server:
        url = server.url
    assert refused(lambda: open_exchange(url).send("PUT", "/", {}, b"")) == ("ConnectError", False)
    with Server(lambda _: Response(), tls=authority.server_context()) as server:
        assert refused(lambda: open_exchange(server.url).send("PUT", "/", {}, b"")) == ("ConnectError", False)
        with call_deadline(0):
            assert refused(lambda: open_exchange(server.url).send("PUT", "/", {}, b"")) == ("ConnectTimeout", False)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(0, close=True), "RemoteProtocolError"),
        (Response(body=b"x" * 8, cut=4), "RemoteProtocolError"),
        (Response(body=b"x" * (MAX + 1)), "ReadError"),
    ],
)
def test_an_answer_that_breaks_off_or_is_too_long_is_none(open_exchange: Open, answer: Response, kind: str) -> None:
    with Server(lambda _: answer) as server:
        assert refused(lambda: open_exchange(server.url).send("PUT", "/", {}, b"")) == (kind, True)


# --- connections


class Counted:
    """Counts the connections that are opened, and those of them that are closed, once or more often."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self._closed = 0, set[connections._DeadlineStream]()
        connect, close = connections.DeadlineBackend.connect_tcp, connections._DeadlineStream.close

        def connect_tcp(*args: object, **options: object) -> httpcore.NetworkStream:
            self.opened += 1
            return connect(*args, **options)  # type: ignore[arg-type]  # passed through

        def close_stream(stream: connections._DeadlineStream) -> None:
            self._closed.add(stream)
            close(stream)

        monkeypatch.setattr(connections.DeadlineBackend, "connect_tcp", connect_tcp)
        monkeypatch.setattr(connections._DeadlineStream, "close", close_stream)

    @property
    def closed(self) -> int:
        return len(self._closed)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


def send_together(exchange: Exchange, meeting: threading.Barrier) -> None:
    """Let as many calls run at once as meet."""
    with ThreadPoolExecutor(meeting.parties) as threads:
        list(threads.map(lambda _: exchange.send("GET", "/together", {}), range(meeting.parties)))


def test_a_call_takes_the_connection_that_was_used_last_and_the_others_end(
    open_exchange: Open, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, now = threading.Barrier(3), 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def answer(request: Request) -> Response:
        if request.path == "/together":
            meeting.wait(60)
        return Response(204)

    with Server(answer) as server:
        exchange = open_exchange(server.url)
        send_together(exchange, meeting)
        assert (counted.opened, counted.closed) == (3, 0)
        for _ in range(4):  # the last call comes 8 s after the calls that ran together
            now += 2
            exchange.send("GET", "/alone", {})
        assert (counted.opened, counted.closed) == (3, 2)
        exchange.close()
        assert counted.closed == 3


def test_a_connection_that_the_server_has_ended_is_replaced(open_exchange: Open, counted: Counted) -> None:
    ended = threading.Semaphore(0)

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            with listener.accept()[0] as peer:
                peer.recv(65_536)
                peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            ended.release()

    with socket.create_server((LOOPBACK, 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        exchange = open_exchange(f"http://{LOOPBACK}:{listener.getsockname()[1]}")
        for _ in range(2):
            assert exchange.send("PUT", "/", {}, b"").status == 204
            assert ended.acquire(timeout=60)
        server.join(60)
    assert (counted.opened, counted.closed) == (2, 1)


def test_a_connection_that_the_server_will_end_is_closed(open_exchange: Open, counted: Counted) -> None:
    with Server(lambda _: Response(204, headers={"Connection": "close"})) as server:
        exchange = open_exchange(server.url)
        exchange.send("GET", "/", {})
    assert (counted.opened, counted.closed) == (1, 1)


def test_a_call_that_ends_after_the_client_keeps_no_connection(open_exchange: Open, counted: Counted) -> None:
    begun, closed = threading.Event(), threading.Event()

    def answer(_: Request) -> Response:
        begun.set()
        closed.wait(60)
        return Response(204)

    with Server(answer) as server:
        exchange = open_exchange(f"http://{LOOPBACK}:{server.port}")
        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(exchange.send, "GET", "/", {})
            assert begun.wait(60)
            exchange.close()
            closed.set()
            assert call.result(60).status == 204
    assert (counted.opened, counted.closed) == (1, 1)
