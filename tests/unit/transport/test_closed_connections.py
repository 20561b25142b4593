"""A call leaves no connection open, at whatever point its time is up.

The tests keep what a call made, so that no connection is closed merely because the call has forgotten it.
"""

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
import requests
from urllib3.util import connection

from emulators.base.certificate_authority import Authority
from shared.transport.client import open_client
from shared.transport.deadline import call_deadline
from shared.transport.exchange import Exchange, NoAnswer
from shared.transport.session import open_session
from tests.unit.transport.slow_server import SLACK, TICK, TickingClock

type Get = Callable[[str, Path], object]
LAST = b"."


def get_with_httpx(url: str, bundle: Path) -> object:
    with open_client(bundle) as client:
        return client.get(url, timeout=900 * TICK)


def get_with_requests(url: str, bundle: Path) -> object:
    with open_session(bundle, seconds=900 * TICK) as session:
        return session.get(url)


def get_with_exchange(url: str, bundle: Path) -> object:
    with closing(Exchange(url.rstrip("/"), bundle, seconds=900 * TICK, max_bytes=1000)) as exchange:
        return exchange.send("GET", "/", {})


GETS = [get_with_httpx, get_with_requests, get_with_exchange]


@pytest.mark.parametrize("get", GETS, ids=["httpx", "requests", "exchange"])
def test_a_call_closes_its_connection_whenever_its_time_is_up(get: Get, authority: Authority) -> None:
    """The time is up at the second reading of the clock, then at the third, and so on, until the call succeeds."""
    errors = []  # their frames keep what the call made
    for readings in itertools.count(1):
        with closed_connections(authority.server_context()) as url:
            try:
                with call_deadline(TICK * readings, TickingClock()):
                    get(url, authority.bundle)
            except (httpx.TimeoutException, requests.Timeout, NoAnswer) as error:
                errors.append(error)
            else:
                break
    assert len(errors) > 3


@pytest.mark.parametrize(
    ("get", "owner", "name"),
    [
        (get_with_httpx, httpcore.SyncBackend, "connect_tcp"),
        (get_with_requests, connection, "create_connection"),
        (get_with_exchange, httpcore.SyncBackend, "connect_tcp"),
    ],
    ids=["httpx", "requests", "exchange"],
)
def test_a_connection_that_opens_after_the_deadline_is_closed(
    get: Get, owner: object, name: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_is_up, is_open = threading.Event(), threading.Event()
    connect, kept = getattr(owner, name), []

    def connect_late(*args: Any, **options: Any) -> object:  # noqa: ANN401 - passed through
        time_is_up.wait(SLACK)
        kept.append(connect(*args, **options))
        is_open.set()
        return kept[0]

    monkeypatch.setattr(owner, name, connect_late)
    with closed_connections(authority.server_context()) as url:
        with pytest.raises((httpx.ConnectTimeout, requests.ConnectTimeout, NoAnswer)), call_deadline(0.1, lambda: 0.0):
            get(url, authority.bundle)
        time_is_up.set()
        assert is_open.wait(SLACK)


@contextmanager
def closed_connections(tls: ssl.SSLContext) -> Iterator[str]:
    """Answer requests at the address that it yields. At the end, the clients must have closed all connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve_until_last, args=(listener, tls), daemon=True)
        server.start()
        yield f"https://localhost:{listener.getsockname()[1]}/"
        with socket.create_connection(listener.getsockname()) as last:
            last.sendall(LAST)
            server.join(SLACK)
        assert not server.is_alive(), "a connection is still open"


def serve_until_last(listener: socket.socket, tls: ssl.SSLContext) -> None:
    """Serve one connection after the other, each until the client closes it. The one that sends LAST ends this."""
    while True:
        raw, _ = listener.accept()
        with raw, contextlib.suppress(OSError):
            if raw.recv(1, socket.MSG_PEEK) == LAST:
                return
            with tls.wrap_socket(raw, server_side=True) as peer:
                peer.recv(65_536)
                peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                while peer.recv(65_536):
                    pass
