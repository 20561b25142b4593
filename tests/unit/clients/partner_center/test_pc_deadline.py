"""The total deadline over real sockets, and TLS that trusts only the given bundle."""

import socket
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from shared.clients.partner_center.referrals import Referrals, open_referrals
from shared.clients.partner_center.request import open_service
from shared.foundation.errors import Ambiguous, CosellError, Unavailable
from tests.unit.transport.slow_server import DRIPS, SILENCES, SLACK, TICK, TickingClock, slow_server

ID = "0a5f0000-1111-2222-3333-444455556666"


LIMIT = 1.0
"""Seconds. A write must be sent within them, so that its outcome is unknown."""
KINDS = pytest.mark.parametrize(("write", "error"), [(False, Unavailable), (True, Ambiguous)], ids=["read", "write"])


@KINDS
@pytest.mark.parametrize("answer", DRIPS)
def test_an_answer_that_does_not_end_is_abandoned_at_the_deadline(
    answer: str, write: bool, error: type[CosellError]
) -> None:
    clock = TickingClock()
    with (
        slow_server(DRIPS[answer], clock=clock) as url,
        closing(open_service(httpx.URL(url), None, 60 * TICK)) as service,
    ):
        referrals = Referrals(url, lambda _: "token", service=service, deadline=60 * TICK, clock=clock)
        with pytest.raises(error):
            referrals.create({}) if write else referrals.get(ID)

    assert 60 < clock.ticks < 75


@pytest.mark.slow  # it waits in real time
@KINDS
@pytest.mark.parametrize("answer", SILENCES)
def test_a_silent_service_is_abandoned_at_the_deadline(answer: str, write: bool, error: type[CosellError]) -> None:
    with slow_server(SILENCES[answer]) as url:
        referrals = open_referrals(url, lambda _: "token", deadline=LIMIT)
        started = time.monotonic()
        with pytest.raises(error):
            referrals.create({}) if write else referrals.get(ID)
        took = time.monotonic() - started
        referrals.close()

    assert LIMIT * 0.9 < took < LIMIT + SLACK


@pytest.mark.parametrize(
    "lost", [Response(201, b'{"id": "r1"}', cut=6), Response(201, b'{"id": "r1"}', cut=0), Response(0, close=True)]
)
def test_a_reply_that_breaks_off_is_ambiguous_for_a_write(lost: Response) -> None:
    served: list[str] = []

    def answer(request: Request) -> Response:
        served.append(request.method)
        return lost

    with Server(answer) as server:
        referrals = open_referrals(server.url, lambda _: "token", deadline=SLACK)
        with pytest.raises(Ambiguous):
            referrals.create({})
        referrals.close()

    assert served == ["POST"]


def test_a_refused_connection_is_unavailable_for_a_write() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    referrals = open_referrals(f"http://127.0.0.1:{port}", lambda _: "token", deadline=SLACK)

    with pytest.raises(Unavailable):
        referrals.create({})

    referrals.close()


def test_only_the_given_bundle_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(theirs.bundle))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    def answer(_: Request) -> Response:
        return Response.of({"id": ID})

    with Server(answer, tls=ours.server_context()) as trusted, Server(answer, tls=theirs.server_context()) as stranger:
        good = open_referrals(trusted.url, lambda _: "token", ca_bundle=ours.bundle)
        bad = open_referrals(stranger.url, lambda _: "token", ca_bundle=ours.bundle)

        assert good.get(ID) == {"id": ID}
        with pytest.raises(Unavailable, match="ConnectError"):
            bad.get(ID)
        good.close()
        bad.close()
