"""A proxy on the loopback that opens tunnels with CONNECT, and records what it was asked for."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ConnectProxy:
    """A running proxy: its address, the requested targets, and the credentials that came with them.

    `refusal` is the status of every answer, or None to open the tunnels. `leads_to` replaces the address of a target.
    """

    port: int = 0
    targets: list[str] = field(default_factory=list)
    credentials: list[str | None] = field(default_factory=list)
    refusal: int | None = None
    leads_to: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def run_connect_proxy() -> Iterator[ConnectProxy]:
    proxy = ConnectProxy()

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            proxy.targets.append(self.path)
            proxy.credentials.append(self.headers.get("Proxy-Authorization"))
            if proxy.refusal is not None:
                self.send_error(proxy.refusal)
                return
            host, _, port = self.path.rpartition(":")
            with socket.create_connection(proxy.leads_to.get(self.path, (host, int(port)))) as target:
                self.send_response_only(200)
                self.end_headers()
                with suppress(OSError):
                    _relay(self.connection, target)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the base class's signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _relay(client: socket.socket, target: socket.socket) -> None:
    """Copy bytes in both directions until one side closes."""
    peers = {client: target, target: client}
    while True:
        readable, _, _ = select.select(list(peers), [], [], 30)
        for each in readable:
            data = each.recv(65536)
            if not data:
                return
            peers[each].sendall(data)
        if not readable:
            return
