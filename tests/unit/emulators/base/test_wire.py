"""The socket's side of the emulators: what no client should send is answered, and a defect is seen."""

import socket

import httpx
import pytest

from emulators.base.emulator import Emulator
from emulators.base.server import Request, Response, Server
from emulators.partner_center.emulator import BASE, PartnerCenterEmulator
from tests.unit.emulators.base.conftest import House

HEAD = b"POST /x HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def echo(request: Request) -> Response:
    return Response(200, request.body)


def sent(server: Server, raw: bytes) -> bytes:
    """All that comes back until the server closes."""
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
    with Server(echo) as server:
        answer = sent(server, raw)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_chunked_body_is_put_together() -> None:
    with Server(echo) as server:
        answer = sent(server, CHUNKED + b"5;a=b\r\nhello\r\nA\r\n, and more.\r\n0\r\n\r\n".replace(b"A\r", b"B\r"))
    assert answer.endswith(b"\r\n\r\nhello, and more.")


def test_a_handler_that_fails_is_seen_and_answered_500(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: Request) -> Response:
        raise RuntimeError("a defect of ours")

    with Server(fail) as server:
        assert httpx.get(server.url, trust_env=False).status_code == 500
    assert "RuntimeError: a defect of ours" in capsys.readouterr().err


def test_what_fails_on_the_way_out_is_seen_too(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(lambda _: Response(200, headers={"X": "\N{SNOWMAN}"})) as server:
        assert sent(server, HEAD + b"\r\n") == b""
    assert "UnicodeEncodeError" in capsys.readouterr().err


def test_a_client_that_hangs_up_is_no_event(capsys: pytest.CaptureFixture[str]) -> None:
    with Server(echo) as server:
        try:
            raise ConnectionResetError
        except OSError:
            server._server.handle_error(None, ("127.0.0.1", 1))
    assert capsys.readouterr().err == ""


def defective(house: House, name: str, monkeypatch: pytest.MonkeyPatch, target: str) -> Response:
    emulator: Emulator = house[name]

    def fail(_: Request) -> Response:
        raise RuntimeError("a defect of ours")

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
def test_an_emulators_defect_is_a_500_as_its_service_words_it(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    target: str,
    shape: object,
) -> None:
    assert holds(defective(house, name, monkeypatch, target).json(), shape)
    assert "RuntimeError: a defect of ours" in capsys.readouterr().err


def holds(found: object, shape: object) -> bool:
    """Whether all that the shape names is there."""
    match found, shape:
        case dict(), dict():
            return all(name in found and holds(found[name], wanted) for name, wanted in shape.items())
        case list(), list():
            return len(found) == len(shape) and all(map(holds, found, shape))
    return found == shape


@pytest.mark.parametrize("body", [b'{"name": "\\ud800"}', b'{"\\uDFFF": 1}', b'"\xed\xa0\x80"', b"[" * 200_000])
def test_what_no_utf8_can_say_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Request("POST", "/", body=body).json()


@pytest.mark.parametrize("body", [b'"\\ud83d\\ude00"', '\ufeff"\U0001f600"'.encode()])
def test_a_whole_pair_is_one_sign(body: bytes) -> None:
    assert Request("POST", "/", body=body).json() == "\U0001f600"


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_partner_center_takes_no_half_pair(house: House, method: str) -> None:
    emulator = house["partner_center"]
    assert isinstance(emulator, PartnerCenterEmulator)
    headers = {"Authorization": f"Bearer {emulator.entra.issue_access_token()}", "Content-Type": "application/json"}
    target = BASE if method == "POST" else f"{BASE}/{emulator.portal_creates()}"
    answer = emulator.handle(Request.of(method, target, headers, b'{"name": "\\ud800"}'))
    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalidRequest")
