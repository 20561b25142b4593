"""Names that do not resolve in time: the system's resolver has no deadline, but the call has one."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests

from emulators.base.server import Response, Server
from shared.transport.client import open_client
from shared.transport.deadline import call_deadline, run_in_time
from shared.transport.session import open_session
from tests.unit.transport.slow_server import SLACK

LIMIT = 0.08


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """An event that the test sets to let hanging calls go on."""
    release = threading.Event()
    yield release
    release.set()


@pytest.fixture
def silent_resolver(monkeypatch: pytest.MonkeyPatch, release: threading.Event) -> None:
    """A resolver that answers no call until the test is over."""
    real = socket.getaddrinfo

    def wait_and_resolve(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - arguments of the real function
        release.wait(2 * SLACK)
        return real(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", wait_and_resolve)


def assert_cut_off(call: Callable[[], object], error: type[Exception]) -> None:
    began = time.monotonic()
    with pytest.raises(error), call_deadline(LIMIT):
        call()
    assert LIMIT * 0.9 < time.monotonic() - began < LIMIT + SLACK


@pytest.mark.usefixtures("silent_resolver")
def test_a_session_does_not_wait_for_a_resolver_that_hangs() -> None:
    with open_session(None, allow_http=True) as session:
        assert_cut_off(lambda: session.get("http://name.example/"), requests.ConnectTimeout)


@pytest.mark.usefixtures("silent_resolver")
def test_a_client_does_not_wait_for_a_resolver_that_hangs() -> None:
    with open_client() as client:
        assert_cut_off(lambda: client.get("http://name.example/", timeout=60), httpx.ConnectTimeout)


def test_an_unknown_name_fails_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with (
        call_deadline(60),
        open_session(None, allow_http=True) as session,
        pytest.raises(requests.ConnectionError) as failed,
    ):
        session.get("http://name.example/")
    assert not isinstance(failed.value, requests.Timeout)
    with call_deadline(60), open_client() as client, pytest.raises(httpx.ConnectError):
        client.get("http://name.example/")


def test_a_name_that_resolves_is_reached() -> None:
    with Server(lambda _: Response.of({"ok": True})) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        with call_deadline(60), open_session(None, allow_http=True) as session, open_client() as client:
            assert session.get(url).json() == client.get(url).json() == {"ok": True}


def test_a_result_that_comes_too_late_is_released(release: threading.Event) -> None:
    released = threading.Event()

    def late() -> str:
        release.wait(2 * SLACK)
        return "a connection"

    with pytest.raises(TimeoutError):
        run_in_time(LIMIT, late, lambda result: released.set() if result == "a connection" else None)
    assert not released.is_set()
    release.set()
    assert released.wait(SLACK)


def test_an_error_of_the_work_reaches_the_caller() -> None:
    def refused() -> str:
        raise ConnectionRefusedError("closed")

    with pytest.raises(ConnectionRefusedError):
        run_in_time(SLACK, refused)


def test_a_result_in_time_is_not_released() -> None:
    released: list[str] = []
    assert run_in_time(SLACK, lambda: "a connection", released.append) == "a connection"
    assert released == []
