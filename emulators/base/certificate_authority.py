"""Issue TLS certificates for `localhost` from an authority that exists for one run.

The real clients refuse plain http, so the emulators serve TLS.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import trustme


@dataclass
class Authority:
    """A certificate authority for `localhost`; a client process must trust `bundle` instead of the system's roots."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    def __post_init__(self) -> None:
        """Write the bundle. It replaces the bundle of an earlier run, which had another authority.

        It has no public roots: clients of emulators need none, and each TLS context takes 15 ms to read them.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bundle.write_bytes(self.ca.cert_pem.bytes())

    @property
    def bundle(self) -> Path:
        """The PEM file with this authority's certificate."""
        return self.folder / "ca-bundle.pem"

    def server_context(self) -> ssl.SSLContext:
        """Return a TLS context for a server on the loopback address."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return a TLS context for a client; it trusts this authority only."""
        return ssl.create_default_context(cafile=str(self.bundle))
