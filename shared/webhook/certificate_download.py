"""One GET of one allowed certificate, over a connection pinned to an address that was checked.

No redirect is followed, no proxy of the environment is asked, no cookie or credential is sent, and nothing of the
answer but its body is used (examples-to-follow.md B3, controls 5 and 6). The standard library suffices: the client
needs none of what an HTTP library brings, and the first event does not wait for one to be imported.
"""

import http.client
import io
import ipaddress
import socket
import ssl
import threading
from collections.abc import Buffer, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

from msgspec import Struct

from shared.foundation.errors import Unavailable
from shared.transport.deadline import Deadline, TimedReader, in_time
from shared.webhook.certificate_origins import Origin, Target

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 5.0
MAX_CERTIFICATE = 16 * 1024
_MAX_ON_THE_WIRE = MAX_CERTIFICATE + 16 * 1024
_OK = 200

type Resolve = Callable[[str, int], Sequence[str]]
type Connect = Callable[[tuple[str, int], float], socket.socket]
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is meant to be reached (RFC 4291 section 2.4)
_NOT_PUBLIC = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's platform: public by the registries, in truth the host's agent
    ipaddress.ip_network("2002::/16"),  # 6to4 and Teredo lead on to an IPv4 address of the sender's choice
    ipaddress.ip_network("2001::/32"),
)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet and to no tunnel into something else."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if address.version == _UNICAST.version and address not in _UNICAST:
        return False
    return not any(address.version == net.version and address in net for net in _NOT_PUBLIC)


def may_connect(origin: Origin, address: Address) -> bool:
    """Whether the origin may be reached at this address: public, unless the setting itself spells a local one out."""
    if origin.address is not None:
        return address == origin.address
    return address.is_loopback if origin.is_localhost else is_public(address)


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, in its order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass
class PinnedDownload:
    """Fetches certificates. `ca_bundle` is what the connection trusts (None: certifi); the rest is for tests."""

    ca_bundle: Path | None = None
    resolve: Resolve = system_addresses
    connect: Connect = socket.create_connection
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, target: Target, seconds: float = TOTAL_SECONDS) -> bytes:
        """The body, within `seconds` altogether. Raises Unavailable for anything else."""
        deadline = Deadline(seconds)
        try:
            with self._connected(target.origin, deadline) as plain, self._secured(plain, target.origin) as wire:
                return _get(wire, target, deadline)
        except (OSError, http.client.HTTPException, ValueError) as broken:
            raise Unavailable(f"certificate host did not serve the file ({type(broken).__name__})") from broken

    def _connected(self, origin: Origin, deadline: Deadline) -> socket.socket:
        """Try the checked addresses in order; each connection goes to the address, never to the name again."""
        refused: OSError = TimeoutError("no time left to connect")
        for address in self._addresses(origin, deadline):
            if deadline.left() <= 0:
                break
            try:
                made = self.connect((str(address), origin.connects_to), deadline.wait(CONNECT_SECONDS))
            except OSError as broken:
                refused = broken
                continue
            made.settimeout(deadline.wait())
            return made
        raise refused

    def _addresses(self, origin: Origin, deadline: Deadline) -> Sequence[Address]:
        if origin.address is not None:
            return [origin.address]
        texts = in_time(deadline.wait(CONNECT_SECONDS), lambda: self.resolve(origin.host, origin.connects_to))
        addresses = [ipaddress.ip_address(text) for text in texts]
        if not addresses or not all(may_connect(origin, address) for address in addresses):
            # One inner address among public ones is no accident: the whole answer is refused.
            raise ConnectionRefusedError("the name resolves to an address that is not allowed")
        return addresses

    def _secured(self, plain: socket.socket, origin: Origin) -> socket.socket:
        if origin.scheme == "http":
            return plain
        with self._lock:
            context = self._context
        return context.wrap_socket(plain, server_hostname=origin.host)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        # Not create_default_context: it reads the environment (key log file).
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(cafile=self.ca_bundle or _public_roots())
        return context


def _public_roots() -> str:
    import certifi  # noqa: PLC0415 - a local run brings its own bundle

    return certifi.where()


def _get(wire: socket.socket, target: Target, deadline: Deadline) -> bytes:
    wire.sendall(
        f"GET {target.path} HTTP/1.1\r\nHost: {target.origin.authority}\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\nUser-Agent: cosell\r\nConnection: close\r\n\r\n".encode("ascii")
    )
    # All it needs of a socket is makefile.
    response = http.client.HTTPResponse(cast("socket.socket", _Bounded(wire, deadline)), method="GET")
    try:
        response.begin()
        if response.status != _OK:
            raise http.client.HTTPException("not 200")
        body = response.read(MAX_CERTIFICATE + 1)
        if len(body) > MAX_CERTIFICATE or response.length:
            raise http.client.HTTPException("too large, or cut short")
        return body
    finally:
        response.close()


class _Bounded(Struct):
    """A socket's bytes under one deadline and one limit for everything, header lines included."""

    wire: socket.socket
    deadline: Deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self.wire, self.deadline), 4096)


class _Reader(TimedReader):
    _left = _MAX_ON_THE_WIRE

    def readinto(self, buffer: Buffer, /) -> int | None:
        if self._left <= 0:
            raise http.client.HTTPException("too many bytes")
        count = super().readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count
