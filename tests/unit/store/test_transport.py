import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from infra.local.wire import LOOPBACK, Response, Server
from shared.store.transport import session


@contextmanager
def dripping(pieces: Iterator[bytes], pause: float) -> Iterator[str]:
    """A server that sends its one answer piece by piece."""
    stopped = threading.Event()
    with socket.create_server((LOOPBACK, 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                for piece in pieces:
                    if stopped.is_set():
                        return
                    try:
                        connection.sendall(piece)
                    except OSError:
                        return
                    stopped.wait(pause)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}/"
        finally:
            stopped.set()
            thread.join(5)


def drops(count: int) -> Iterator[bytes]:
    yield f"HTTP/1.1 200 OK\r\nContent-Length: {count}\r\n\r\n".encode()
    for _ in range(count):
        yield b"."


def test_an_answer_in_pieces_is_put_together() -> None:
    with dripping(drops(20), 0.001) as url, session(5) as ours:
        assert ours.get(url, timeout=5).content == b"." * 20


def test_an_answer_that_trickles_is_cut_off_at_the_deadline() -> None:
    began = time.monotonic()
    with dripping(drops(1_000), 0.01) as url, session(0.1) as ours, pytest.raises(requests.Timeout):
        ours.get(url, timeout=5)
    assert time.monotonic() - began < 2


def test_a_shorter_timeout_of_the_caller_holds() -> None:
    began = time.monotonic()
    with dripping(drops(1_000), 0.01) as url, session(60) as ours, pytest.raises(requests.Timeout):
        ours.get(url, timeout=(0.1, 60))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("told", [lambda size: size + 1, lambda size: size * 2])
def test_an_answer_shorter_than_announced_is_an_error(told: Callable[[int], int]) -> None:
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {told(4)}\r\n\r\nfour".encode()
    with dripping(iter([answer]), 0) as url, session(5) as ours, pytest.raises(requests.ConnectionError):
        ours.get(url, timeout=5)


def test_nothing_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    with Server(lambda _: Response(200, b"here")) as server, session(5) as ours:
        url = server.url.replace("localhost", LOOPBACK)
        assert ours.get(url, timeout=5).content == b"here"
