"""A throw-away certificate authority for one run: the real clients insist on TLS."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import certifi
import trustme


@dataclass
class Authority:
    """Issues certificates for `localhost`; `bundle` is what a process must trust instead of the machine's own."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    def __post_init__(self) -> None:
        """Write the bundle, in place of that of an earlier run: its authority is another."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bundle.write_bytes(self.ca.cert_pem.bytes() + Path(certifi.where()).read_bytes())

    @property
    def bundle(self) -> Path:
        """The authority's certificate together with the public roots, as one PEM file."""
        return self.folder / "ca-bundle.pem"

    def server(self) -> ssl.SSLContext:
        """A context for a server on the loopback."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        """A context for a client that trusts this authority alone."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        return context
