"""The server answers malformed requests, and prints the defects of a handler or an emulator."""

import socket

import httpx
import pytest

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
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
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


def test_a_defect_of_a_handler_is_printed_and_answered_with_500(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: Request) -> Response:
        raise RuntimeError("a defect of the emulator")

    with Server(fail) as server:
        assert httpx.get(server.url, trust_env=False).status_code == 500
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
