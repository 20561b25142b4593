"""The download over real sockets: pinned to the checked address, short, and limited to a plain answer of 200."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from emulators.base.server import Request, Response, Server
from shared.foundation.errors import Unavailable
from shared.transport.deadline import Deadline
from shared.webhook import certificate_download
from shared.webhook.certificate_download import (
    MAX_CERTIFICATE,
    PinnedDownload,
    is_public,
    may_connect,
    resolve_host,
)
from shared.webhook.certificate_origins import LEAF_PATH, AllowList, Origin, Target, read_origins
from tests.unit.transport.slow_server import SLACK, TICK, TickingClock

NAME = "certificates.example.test"
PUBLIC = "93.184.216.34"


def target_at(origin: str) -> Target:
    allowed = AllowList(read_origins([origin], setting="s", schemes=["https", "http"], in_azure=False), LEAF_PATH)
    return allowed.parse_url(f"{origin}/cert/a.cer")


@dataclass
class FakeNetwork:
    """Resolves names to given addresses, records each connection, and connects every one to the test's server."""

    port: int = 0
    answers: list[list[str]] = field(default_factory=lambda: [[PUBLIC]])
    asked: list[tuple[str, int]] = field(default_factory=list)
    opened: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]

    def connect(self, address: tuple[str, int], seconds: float) -> socket.socket:
        assert 0 < seconds <= 3
        self.opened.append(address)
        return socket.create_connection(("127.0.0.1", self.port), seconds)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(ca: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(ca.cert_pem.bytes())
    return path


@contextmanager
def serve_certificate(
    ca: trustme.CA, answer: Callable[[Request], Response], *names: str
) -> Iterator[tuple[FakeNetwork, list[str]]]:
    server_names: list[str] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*(names or (NAME,))).configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: server_names.append(str(name))
    with Server(answer, tls=context) as server:
        yield FakeNetwork(server.port), server_names


def make_download(network: FakeNetwork, bundle: Path | None) -> PinnedDownload:
    return PinnedDownload(bundle, resolve=network.resolve, connect=network.connect)


def test_the_connection_goes_to_the_checked_address_and_tls_to_the_name(ca: trustme.CA, bundle: Path) -> None:
    requests: list[Request] = []

    def answer(request: Request) -> Response:
        requests.append(request)
        return Response(200, b"certificate")

    with serve_certificate(ca, answer) as (network, names):
        assert make_download(network, bundle)(target_at(f"https://{NAME}")) == b"certificate"
    assert network.asked == [(NAME, 443)]
    assert network.opened == [(PUBLIC, 443)]
    assert names == [NAME]
    (request,) = requests
    assert (request.method, request.path, request.headers["host"]) == ("GET", "/cert/a.cer", NAME)
    assert request.headers.keys() == {"host", "accept", "accept-encoding", "user-agent", "connection"}


def test_dns_rebinding_between_check_and_connection_has_no_effect(ca: trustme.CA, bundle: Path) -> None:
    with serve_certificate(ca, lambda _: Response(200, b"x")) as (network, _):
        network.answers = [[PUBLIC], ["127.0.0.1"]]
        fetch = make_download(network, bundle)
        assert fetch(target_at(f"https://{NAME}")) == b"x"
        assert (len(network.asked), network.opened) == (1, [(PUBLIC, 443)])
        with pytest.raises(Unavailable):
            fetch(target_at(f"https://{NAME}"))
    assert network.opened == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "127.0.0.1", "127.8.9.1", "10.0.0.4", "172.16.3.4", "192.168.1.1", "169.254.169.254", "168.63.129.16",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fc00::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:93.184.216.34", "64:ff9b::7f00:1",
        "2002:7f00:1::", "2001:0:1::", "ff02::1", "2001:db8::1", "fec0::1",
    ],
)  # fmt: skip
def test_a_private_address_opens_no_connection(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    for answer in ([address], [PUBLIC, address], [address, PUBLIC]):
        network = FakeNetwork(answers=[answer])
        with pytest.raises(Unavailable):
            make_download(network, None)(target_at(f"https://{NAME}"))
        assert network.opened == []


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", "20.60.1.1"])
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_private_address_is_reached_only_if_the_setting_names_it() -> None:
    loopback, public, inner = (ipaddress.ip_address(text) for text in ("127.0.0.1", PUBLIC, "10.0.0.4"))
    local, literal = Origin("https", "localhost", 8443), Origin("https", "10.0.0.4")
    assert [may_connect(local, one) for one in (loopback, public, inner)] == [True, False, False]
    assert [may_connect(literal, one) for one in (loopback, public, inner)] == [False, False, True]


def test_an_address_is_not_resolved(ca: trustme.CA, bundle: Path) -> None:
    with serve_certificate(ca, lambda _: Response(200, b"x"), "127.0.0.1") as (network, _):
        assert make_download(network, bundle)(target_at(f"https://127.0.0.1:{network.port}")) == b"x"
        assert (network.asked, network.opened) == ([], [("127.0.0.1", network.port)])


def test_localhost_works_with_the_systems_resolver(ca: trustme.CA, bundle: Path) -> None:
    with serve_certificate(ca, lambda _: Response(200, b"x"), "localhost") as (network, _):
        assert PinnedDownload(bundle)(target_at(f"https://localhost:{network.port}")) == b"x"
    assert "127.0.0.1" in resolve_host("localhost", 1)


def test_the_next_address_is_tried_if_one_refuses(ca: trustme.CA, bundle: Path) -> None:
    with serve_certificate(ca, lambda _: Response(200, b"x")) as (network, _):
        network.answers = [["93.184.216.35", PUBLIC]]

        def connect(address: tuple[str, int], seconds: float) -> socket.socket:
            if address[0].endswith("35"):
                raise ConnectionRefusedError
            return network.connect(address, seconds)

        fetch = PinnedDownload(bundle, resolve=network.resolve, connect=connect)
        assert fetch(target_at(f"https://{NAME}")) == b"x"


def test_a_certificate_for_another_name_or_of_another_authority_is_refused(ca: trustme.CA, bundle: Path) -> None:
    with (
        serve_certificate(ca, lambda _: Response(200, b"x"), "other.example.test") as (network, _),
        pytest.raises(Unavailable),
    ):
        make_download(network, bundle)(target_at(f"https://{NAME}"))
    with serve_certificate(trustme.CA(), lambda _: Response(200, b"x")) as (network, _):
        for trusted in (bundle, None):
            with pytest.raises(Unavailable):
                make_download(network, trusted)(target_at(f"https://{NAME}"))


@pytest.mark.parametrize(
    "response",
    [
        Response(302, b"", {"Location": "https://169.254.169.254/cert/a.cer"}),
        Response(301, b"x", {"Location": "/cert/b.cer"}),
        Response(404, b"x"),
        Response(500, b"x"),
        Response(206, b"x"),
        Response(200, b"x" * (MAX_CERTIFICATE + 1)),
        Response(200, b"x" * 5_000_000),
        Response(200, b"x" * 1000, cut=10),
        Response(200, b"x", {"X": "y" * 40_000}),
        Response(0, close=True),
    ],
)
def test_only_a_small_complete_200_is_a_certificate(response: Response, ca: trustme.CA, bundle: Path) -> None:
    with serve_certificate(ca, lambda _: response) as (network, _), pytest.raises(Unavailable):
        make_download(network, bundle)(target_at(f"https://{NAME}"))
    assert len(network.opened) == 1, "no redirect is followed, and no request is repeated"


def test_the_largest_certificate_still_fits(ca: trustme.CA, bundle: Path) -> None:
    with serve_certificate(ca, lambda _: Response(200, b"x" * MAX_CERTIFICATE)) as (network, _):
        assert len(make_download(network, bundle)(target_at(f"https://{NAME}"))) == MAX_CERTIFICATE


def test_proxies_and_bundles_of_the_environment_are_not_used(
    ca: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle.with_name("absent.pem")))
    with serve_certificate(ca, lambda _: Response(200, b"x")) as (network, _):
        assert make_download(network, bundle)(target_at(f"https://{NAME}")) == b"x"
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        with pytest.raises(Unavailable):
            make_download(network, None)(target_at(f"https://{NAME}"))


@contextmanager
def scripted_server(script: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server without TLS that runs the script for its one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(4096)
                try:
                    script(peer)
                except OSError:
                    return  # the client has closed the connection, as the test expects

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(SLACK)


def fetch_from_script(script: Callable[[socket.socket], None], seconds: float = 5.0) -> bytes:
    with scripted_server(script) as port:
        network = FakeNetwork(port)
        return make_download(network, None)(target_at(f"http://{NAME}"), seconds)


def test_a_silent_host_is_abandoned_after_the_total_time() -> None:
    done = threading.Event()

    def silent(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        time.sleep(0.05)
        peer.sendall(b"x")
        done.wait(2 * SLACK)

    began = time.monotonic()
    with scripted_server(silent) as port:
        with pytest.raises(Unavailable):
            make_download(FakeNetwork(port), None)(target_at(f"http://{NAME}"), 0.1)
        assert time.monotonic() - began < SLACK
        done.set()


def test_a_slow_host_is_abandoned_after_the_total_time() -> None:
    sent = 0

    def drip(peer: socket.socket) -> None:
        nonlocal sent
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while sent < 1000:
            peer.sendall(b"x")
            sent += 1
            time.sleep(0.005)

    with pytest.raises(Unavailable):
        fetch_from_script(drip, 0.1)
    assert sent < 1000


def test_a_slow_host_is_abandoned_however_fast_each_of_its_bytes_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = TickingClock()
    monkeypatch.setattr(certificate_download, "Deadline", lambda seconds: Deadline(seconds, clock))

    def drip(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(900):
            clock.reads.acquire(timeout=SLACK)
            peer.sendall(b"x")

    with pytest.raises(Unavailable):
        fetch_from_script(drip, 60 * TICK)
    assert 60 < clock.ticks < 70


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00" * 100,
        b"HTTP/1.1",
        b"HTTP/9.9 200 OK\r\n\r\nx",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 2000,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 40_000,
    ],
)
def test_an_answer_that_is_not_http_is_not_a_certificate(answer: bytes) -> None:
    with pytest.raises(Unavailable):
        fetch_from_script(lambda peer: peer.sendall(answer))


def test_a_chunked_answer_and_one_that_ends_with_the_connection_are_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    assert fetch_from_script(lambda peer: peer.sendall(chunked)) == b"abc"
    assert fetch_from_script(lambda peer: peer.sendall(b"HTTP/1.0 200 OK\r\n\r\nabc")) == b"abc"


def test_a_resolver_that_hangs_or_fails_makes_the_file_unavailable() -> None:
    release = threading.Event()

    def hang(_host: str, _port: int) -> list[str]:
        release.wait(SLACK)
        return [PUBLIC]

    def fail(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    network = FakeNetwork()
    for resolve in (hang, fail, lambda _h, _p: [], lambda _h, _p: ["fe80::1%eth0", "x"]):
        with pytest.raises(Unavailable):
            PinnedDownload(resolve=resolve, connect=network.connect)(target_at(f"https://{NAME}"), 0.05)
    release.set()
    assert network.opened == []


def test_the_error_contains_nothing_of_the_answer() -> None:
    with pytest.raises(Unavailable) as refused:
        fetch_from_script(lambda peer: peer.sendall(b"HTTP/1.1 secret secret\r\n\r\n"))
    assert "secret" not in str(refused.value)
