"""The server answers malformed requests, and prints the defects of a handler or an emulator."""

import socket
import time
from contextlib import ExitStack
from functools import partial

import httpx
import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.emulator import Emulator
from emulators.base.server import Request, Response, Server
from emulators.partner_center.emulator import BASE, PartnerCenterEmulator
from tests.unit.emulators.base.conftest import AllEmulators

HEAD = b"POST /x HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def echo_body(request: Request) -> Response:
    return Response(200, request.body)


def exchange_bytes(server: Server, raw: bytes) -> bytes:
    """Send bytes and return everything that the server sends until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(4096), b""))


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Length: abc\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Content-Length: 1_0\r\n\r\n0123456789",
        HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
        CHUNKED + b"xyz\r\n",
        CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\xff\r\n",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\nX: unfinished",
        CHUNKED + b"0\r\n" + b"X: 1\r\n" * 101 + b"\r\n",
        CHUNKED + b"0" * 100_000 + b"\r\n",
        HEAD + b"Content-Length: 5\r\n\r\nhell",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET http://[/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_a_malformed_request_is_answered_400_and_the_connection_ends(raw: bytes) -> None:
    with Server(echo_body) as server:
        answer = exchange_bytes(server, raw)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_the_chunks_of_a_body_are_joined() -> None:
    with Server(echo_body) as server:
        answer = exchange_bytes(
            server, CHUNKED + b"5;a=b\r\nhello\r\nA\r\n, and more.\r\n0\r\n\r\n".replace(b"A\r", b"B\r")
        )
    assert answer.endswith(b"\r\n\r\nhello, and more.")


def test_trailers_after_the_last_chunk_are_read_and_the_connection_serves_the_next_request() -> None:
    trailers = b"0\r\nExpires: never\r\nX-Checksum: 5\r\n\r\n"
    with Server(echo_body) as server:
        answer = exchange_bytes(server, CHUNKED + b"5\r\nhello\r\n" + trailers + HEAD + b"Content-Length: 2\r\n\r\nme")
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert (b"\r\n\r\nhello" in answer, answer.endswith(b"\r\n\r\nme")) == (True, True)


@pytest.mark.parametrize("tls", [False, True])
def test_two_length_headers_are_answered_400_at_once_and_the_connection_is_closed(
    tls: bool, authority: Authority
) -> None:
    both = HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        Server(echo_body, tls=authority.server_context() if tls else None) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain,
        authority.client_context().wrap_socket(plain, server_hostname="localhost") if tls else plain as client,
    ):
        client.sendall(both)  # the body never comes, and the client does not close the connection
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_an_answer_of_400_arrives_although_the_client_has_sent_more_than_was_read() -> None:
    both = HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Server(echo_body) as server:
        for _ in range(20):
            assert exchange_bytes(server, both + b"x" * 300_000).startswith(b"HTTP/1.1 400 ")


SLOW_STARTS = {
    "nothing": b"",
    "half of a header": b"POST /x HTTP/1.1\r\nHost: loc",
    "half of a body": HEAD + b"Content-Length: 100\r\n\r\nhalf",
    "half of a chunk": CHUNKED + b"64\r\nhalf",
}


@pytest.mark.parametrize("start", SLOW_STARTS.values(), ids=SLOW_STARTS)
def test_a_connection_whose_request_does_not_arrive_in_time_is_closed(start: bytes) -> None:
    with (
        Server(echo_body, idle_seconds=0.2, request_seconds=0.2) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as client,
    ):
        client.sendall(start)
        assert client.recv(1) == b""


def test_a_byte_now_and_then_does_not_keep_a_connection_open() -> None:
    with (
        Server(echo_body, request_seconds=0.5) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as client,
    ):
        ended = time.monotonic() + 60
        while time.monotonic() < ended:
            try:
                client.sendall(b"X")
                if client.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return
    pytest.fail("the connection is still open")


@pytest.mark.slow  # it waits in real time
def test_many_slow_connections_neither_stop_the_server_nor_stay_open() -> None:
    with Server(echo_body, request_seconds=2) as server, ExitStack() as stack:
        connect = partial(socket.create_connection, ("127.0.0.1", server.port), timeout=60)
        slow = [stack.enter_context(connect()) for _ in range(300)]
        for client in slow:
            client.sendall(b"POST /x HTTP/1.1\r\nHost: loc")
        assert httpx.post(server.url, content=b"hello", trust_env=False, timeout=60).content == b"hello"
        assert [client.recv(1) for client in slow] == [b""] * 300


def test_a_slow_handler_may_take_longer_than_a_request() -> None:
    def answer_late(request: Request) -> Response:
        time.sleep(0.7)
        return Response(200, request.body)

    with Server(answer_late, request_seconds=0.5) as server:
        assert exchange_bytes(server, HEAD + b"Content-Length: 5\r\n\r\nhello").endswith(b"\r\n\r\nhello")


def test_a_defect_of_a_handler_is_printed_and_answered_with_500(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: Request) -> Response:
        raise RuntimeError("a defect of the emulator")

    with Server(fail) as server:
        assert httpx.get(server.url, trust_env=False, timeout=60).status_code == 500
    assert "RuntimeError: a defect of the emulator" in capsys.readouterr().err


def test_a_defect_while_sending_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(lambda _: Response(200, headers={"X": "\N{SNOWMAN}"})) as server:
        assert exchange_bytes(server, HEAD + b"\r\n") == b""
    assert "UnicodeEncodeError" in capsys.readouterr().err


def test_a_client_that_closes_the_connection_is_not_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(echo_body) as server:
        try:
            raise ConnectionResetError
        except OSError:
            server._server.handle_error(None, ("127.0.0.1", 1))
    assert capsys.readouterr().err == ""


def respond_with_defect(
    all_emulators: AllEmulators, name: str, monkeypatch: pytest.MonkeyPatch, target: str
) -> Response:
    emulator: Emulator = all_emulators[name]

    def fail(_: Request) -> Response:
        raise RuntimeError("a defect of the emulator")

    monkeypatch.setattr(emulator, "respond", fail)
    answer = emulator.handle(Request.of("GET", target, {}))
    assert [entry.status for entry in emulator.journal] == [500]
    return answer


@pytest.mark.parametrize(
    ("name", "target", "shape"),
    [
        ("partner_center", BASE, {"error": {"code": "generalException", "target": "referral"}}),
        ("partner_center", "/webhooks/v1/registration", {"code": "generalException", "source": "WebhookService"}),
        ("entra", "/common/oauth2/v2.0/token", {"error": "server_error"}),
        ("salesforce", "/services/data/v66.0/limits", [{"errorCode": "UNKNOWN_EXCEPTION"}]),
        ("vault", "/secrets", {"error": {"code": "InternalError"}}),
    ],
)
def test_a_defect_of_an_emulator_is_a_500_in_the_shape_of_its_service(
    all_emulators: AllEmulators,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    target: str,
    shape: object,
) -> None:
    assert contains_shape(respond_with_defect(all_emulators, name, monkeypatch, target).json(), shape)
    assert "RuntimeError: a defect of the emulator" in capsys.readouterr().err


def contains_shape(body: object, shape: object) -> bool:
    """Return whether the body has everything that the shape has."""
    match body, shape:
        case dict(), dict():
            return all(name in body and contains_shape(body[name], part) for name, part in shape.items())
        case list(), list():
            return len(body) == len(shape) and all(map(contains_shape, body, shape))
    return body == shape


@pytest.mark.parametrize("body", [b'{"name": "\\ud800"}', b'{"\\uDFFF": 1}', b'"\xed\xa0\x80"', b"[" * 200_000])
def test_json_that_utf8_cannot_encode_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Request("POST", "/", body=body).json()


@pytest.mark.parametrize("body", [b'"\\ud83d\\ude00"', '\ufeff"\U0001f600"'.encode()])
def test_a_complete_surrogate_pair_is_one_character(body: bytes) -> None:
    assert Request("POST", "/", body=body).json() == "\U0001f600"


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_partner_center_refuses_half_a_surrogate_pair(all_emulators: AllEmulators, method: str) -> None:
    emulator = all_emulators["partner_center"]
    assert isinstance(emulator, PartnerCenterEmulator)
    headers = {"Authorization": f"Bearer {emulator.entra.issue_access_token()}", "Content-Type": "application/json"}
    target = BASE if method == "POST" else f"{BASE}/{emulator.portal_creates()}"
    answer = emulator.handle(Request.of(method, target, headers, b'{"name": "\\ud800"}'))
    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalidRequest")
