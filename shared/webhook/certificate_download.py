"""Download one allowed certificate by one GET, over a connection to an IP address that was checked before.

The download follows no redirect, uses no proxy of the environment, sends no cookie and no credential, and reads only
the body of the answer (docs/reference/partner-center.md#webhook-admission-controls, controls 5 and 6).
It uses the standard library, so that the first event does not have to wait until an HTTP library is imported.
"""

import http.client
import io
import ipaddress
import socket
from collections.abc import Buffer, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from msgspec import Struct

from shared.foundation.errors import ConfigurationError, Unavailable
from shared.transport.deadline import Deadline, TimedReader, run_in_time
from shared.transport.trust import tls_context
from shared.webhook.certificate_origins import Origin, Target

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 5.0
MAX_CERTIFICATE = 16 * 1024
"""Bytes."""
_MAX_ANSWER = MAX_CERTIFICATE + 16 * 1024
_OK = 200

type Resolve = Callable[[str, int], Sequence[str]]
type Connect = Callable[[tuple[str, int], float], socket.socket]
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST = ipaddress.ip_network("2000::/3")  # the part of IPv6 that is assigned for public use (RFC 4291, 2.4)
_NOT_PUBLIC = (
    ipaddress.ip_network(
        "168.63.129.16/32"
    ),  # Azure's platform: formally public, but served by the host of the machine
    ipaddress.ip_network("2002::/16"),  # 6to4 and Teredo lead to any IPv4 address that the sender chooses
    ipaddress.ip_network("2001::/32"),
)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet and is not a tunnel to another network."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if address.version == _UNICAST.version and address not in _UNICAST:
        return False
    return not any(address.version == net.version and address in net for net in _NOT_PUBLIC)


def may_connect(origin: Origin, address: Address) -> bool:
    """Whether the origin may be reached at this address: a public one, unless the setting itself names a local one."""
    if origin.ip_address is not None:
        return address == origin.ip_address
    return address.is_loopback if origin.is_localhost else is_public(address)


def resolve_host(host: str, port: int) -> Sequence[str]:
    """The addresses of a host in the order in which the system's resolver gives them. Raises OSError."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


@dataclass
class PinnedDownload:
    """Fetches certificates. The connection trusts `ca_bundle` (None: certifi). Tests replace the other two fields."""

    ca_bundle: Path | None = None
    resolve: Resolve = resolve_host
    connect: Connect = socket.create_connection

    def __call__(self, target: Target, seconds: float = TOTAL_SECONDS) -> bytes:
        """The body of the file at `target`, within `seconds` in all. Raises Unavailable if there is no such answer."""
        deadline = Deadline(seconds)
        try:
            with self._connect(target.origin, deadline) as plain, self._start_tls(plain, target.origin) as connection:
                return _send_get(connection, target, deadline)
        except (OSError, http.client.HTTPException, ValueError, ConfigurationError) as error:
            raise Unavailable(f"the certificate host did not serve the file ({type(error).__name__})") from error

    def _connect(self, origin: Origin, deadline: Deadline) -> socket.socket:
        """Try the checked addresses in order. Each connection goes to the address; the name is not resolved again."""
        refused: OSError = TimeoutError("no time left to connect")
        for address in self._checked_addresses(origin, deadline):
            if deadline.seconds_left() <= 0:
                break
            try:
                connection = self.connect((str(address), origin.tcp_port), deadline.socket_timeout(CONNECT_SECONDS))
            except OSError as error:
                refused = error
                continue
            connection.settimeout(deadline.socket_timeout())
            return connection
        raise refused

    def _checked_addresses(self, origin: Origin, deadline: Deadline) -> Sequence[Address]:
        if origin.ip_address is not None:
            return [origin.ip_address]
        texts = run_in_time(
            deadline.socket_timeout(CONNECT_SECONDS), lambda: self.resolve(origin.host, origin.tcp_port)
        )
        addresses = [ipaddress.ip_address(text) for text in texts]
        if not addresses or not all(may_connect(origin, address) for address in addresses):
            # An internal address among public ones is not an accident, so the whole answer is refused.
            raise ConnectionRefusedError("the name resolves to an address that is not allowed")
        return addresses

    def _start_tls(self, plain: socket.socket, origin: Origin) -> socket.socket:
        if origin.scheme == "http":
            return plain
        return tls_context(self.ca_bundle).wrap_socket(plain, server_hostname=origin.host)


def _send_get(connection: socket.socket, target: Target, deadline: Deadline) -> bytes:
    connection.sendall(
        f"GET {target.path} HTTP/1.1\r\nHost: {target.origin.host_header}\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\nUser-Agent: cosell\r\nConnection: close\r\n\r\n".encode("ascii")
    )
    # HTTPResponse calls nothing of a socket but makefile.
    response = http.client.HTTPResponse(cast("socket.socket", _BoundedSocket(connection, deadline)), method="GET")
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


class _BoundedSocket(Struct):
    """Reads a socket under one deadline and one size limit, which include the header lines."""

    connection: socket.socket
    deadline: Deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self.connection, self.deadline), 4096)


class _BoundedReader(TimedReader):
    _left = _MAX_ANSWER

    def readinto(self, buffer: Buffer, /) -> int | None:
        if self._left <= 0:
            raise http.client.HTTPException("too many bytes")
        count = super().readinto(memoryview(buffer)[: self._left])
        self._left -= count or 0
        return count
