"""The `requests` session over real sockets: total deadlines, complete answers, and only our own trust."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from urllib3.exceptions import ConnectTimeoutError, ProtocolError

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from shared.foundation.errors import ConfigurationError
from shared.transport.deadline import call_deadline
from shared.transport.session import DeadlineAdapter, open_session
from tests.unit.transport.slow_server import (
    DRIPS,
    OK,
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
    with pytest.raises(requests.Timeout):
        call()
    assert limit * 0.9 < time.monotonic() - began < limit + SLACK


def assert_cut_off_by(clock: TickingClock, ticks: int, call: Callable[[], object]) -> None:
    with call_deadline(1000 * TICK, clock):
        began = clock.ticks
        with pytest.raises(requests.ReadTimeout):
            call()
        assert ticks < clock.ticks - began < ticks + 10


@pytest.mark.parametrize("answer", DRIPS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_an_answer_that_does_not_end_is_cut_off_at_the_deadline(
    authority: Authority, answer: str, secure: bool
) -> None:
    tls, clock = authority.server_context() if secure else None, TickingClock()
    with (
        slow_server(DRIPS[answer], tls, clock=clock) as url,
        open_session(authority.bundle, seconds=60 * TICK, allow_http=True) as session,
    ):
        assert_cut_off_by(clock, 60, lambda: session.get(url))


@pytest.mark.parametrize("answer", [*SILENCES, "body"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_slow_server_is_cut_off_in_real_time(authority: Authority, answer: str, secure: bool) -> None:
    tls = authority.server_context() if secure else None
    with (
        slow_server({**SILENCES, **DRIPS}[answer], tls) as url,
        open_session(authority.bundle, seconds=LIMIT, allow_http=True) as session,
    ):
        assert_cut_off(lambda: session.get(url))


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_server_that_reads_slowly_is_cut_off_too(authority: Authority, secure: bool) -> None:
    tls = authority.server_context() if secure else None
    body = b"x" * 25_000_000  # some seconds of reading
    with (
        slow_server(read_slowly, tls) as url,
        open_session(authority.bundle, seconds=0.3, allow_http=True) as session,
    ):
        assert_cut_off(lambda: session.post(url, data=body), 0.3)


def test_a_server_that_never_begins_tls_is_cut_off_too(authority: Authority) -> None:
    with (
        slow_server(send_slowly(b"", b""), authority.server_context(), shake_hands=False) as url,
        open_session(authority.bundle, seconds=LIMIT) as session,
    ):
        assert_cut_off(lambda: session.get(url))


@pytest.mark.parametrize("timeout", [60 * TICK, (60 * TICK, 900 * TICK), (900 * TICK, 60 * TICK), (None, 60 * TICK)])
def test_a_shorter_timeout_of_the_call_holds(
    authority: Authority, timeout: float | tuple[float | None, float | None]
) -> None:
    clock = TickingClock()
    with (
        slow_server(DRIPS["last body"], authority.server_context(), clock=clock) as url,
        open_session(authority.bundle, seconds=900 * TICK) as session,
    ):
        assert_cut_off_by(clock, 60, lambda: session.get(url, timeout=timeout))


def test_a_longer_timeout_and_streaming_do_not_extend_the_call(authority: Authority) -> None:
    clock = TickingClock()
    with (
        slow_server(DRIPS["last body"], authority.server_context(), clock=clock) as url,
        open_session(authority.bundle, seconds=60 * TICK) as session,
    ):
        assert_cut_off_by(clock, 60, lambda: session.get(url, timeout=900 * TICK, stream=True))


def test_several_calls_share_one_deadline() -> None:
    now = [0.0]
    with (
        Server(lambda _: Response()) as server,
        slow_server(SILENCES["silence"]) as slow,
        open_session(None, allow_http=True) as session,
    ):
        with call_deadline(60, lambda: now[0]):
            assert session.get(server.url).status_code == 200
            now[0] = 60 - LIMIT
            assert_cut_off(lambda: session.get(slow))
            now[0] = 60.0
            with pytest.raises(requests.ConnectTimeout):
                session.get(server.url)
        assert session.get(server.url).status_code == 200


def test_without_time_nothing_is_sent_and_the_error_says_so() -> None:
    requests_seen: list[Request] = []

    def answer(request: Request) -> Response:
        requests_seen.append(request)
        return Response()

    with (
        Server(answer) as server,
        open_session(None, allow_http=True) as session,
        call_deadline(0),
        pytest.raises(requests.ConnectTimeout) as late,
    ):
        session.get(server.url)
    assert isinstance(late.value.args[0], ConnectTimeoutError)
    assert requests_seen == []


def test_a_timely_answer_is_whole_and_its_connection_is_kept(authority: Authority) -> None:
    body = b"y" * 300_000
    with (
        Server(lambda r: Response(body=r.body or body), tls=authority.server_context()) as server,
        open_session(authority.bundle, seconds=60) as session,
    ):
        answers = session.get(server.url), session.get(server.url), session.post(server.url, data=b"z" * 100_000)
        assert [answer.content for answer in answers] == [body, body, b"z" * 100_000]
        adapter = session.get_adapter(server.url)
        assert isinstance(adapter, DeadlineAdapter)
        pools = adapter.poolmanager.pools
        assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - not a plain mapping


def test_an_answer_in_pieces_is_put_together() -> None:
    pieces = send_slowly(OK + b"Content-Length: 20\r\n\r\n", b"." * 5)
    with slow_server(pieces) as url, open_session(None, allow_http=True) as session:
        assert session.get(url, timeout=60).content == b"." * 20


@pytest.mark.parametrize("length", [5, 8])
def test_an_answer_that_breaks_off_is_a_connection_error(length: int) -> None:
    with (
        Server(lambda _: Response(body=b"x" * length, cut=4)) as server,
        open_session(None, allow_http=True) as session,
        pytest.raises(requests.ConnectionError) as broken,
    ):
        session.get(server.url)
    assert isinstance(broken.value.args[0], ProtocolError)


def test_the_environment_sets_neither_trust_nor_proxies(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Server(lambda _: Response(), tls=authority.server_context()) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
        with open_session(None) as session, pytest.raises(requests.exceptions.SSLError):
            session.get(server.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
        with open_session(authority.bundle) as session:
            assert session.get(server.url).status_code == 200


def test_a_server_of_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    with (
        Server(lambda _: Response(), tls=Authority(tmp_path).server_context()) as server,
        open_session(authority.bundle) as session,
        pytest.raises(requests.exceptions.SSLError),
    ):
        session.get(server.url)


def test_a_missing_bundle_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="absent"):
        open_session(tmp_path / "absent.pem")


def test_http_works_only_if_it_is_allowed() -> None:
    with Server(lambda _: Response()) as server:
        with open_session(None) as session, pytest.raises(requests.exceptions.InvalidSchema):
            session.get(server.url)
        with open_session(None, allow_http=True) as session:
            assert session.get(server.url).status_code == 200


def test_cookies_are_not_kept() -> None:
    with (
        Server(lambda r: Response.of(r.headers.get("cookie"), Set_Cookie="a=b")) as server,
        open_session(None, allow_http=True) as session,
    ):
        assert [session.get(server.url).json() for _ in range(2)] == [None, None]
