"""Serve Partner Center, Entra ID and the certificate host over TLS, and the issuers' certificates by plain http.

Each has an address of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from emulators.base.certificate_authority import Authority
from emulators.base.server import Server
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import ORGANIZATION, PartnerCenterEmulator

PORT_COUNT = 4


@dataclass(frozen=True, slots=True)
class ServedPartnerCenter:
    """The three emulators and their addresses."""

    partner_center: PartnerCenterEmulator
    entra: EntraEmulator
    certificates: CertificateHost
    url: str
    entra_url: str
    certificates_url: str
    issuers_url: str


@contextmanager
def serve_partner_center(
    authority: Authority, *, seed: int = 0, organization_id: str = ORGANIZATION, port: int = 0, spacing: float = 1.0
) -> Iterator[ServedPartnerCenter]:
    """Serve on `port` and the three ports after it, or with 0 on free ports, until the context ends.

    `spacing` is the number of seconds between two attempts to deliver an event.
    """
    entra, certificates = EntraEmulator(seed=seed), CertificateHost(seed=seed)
    emulator = PartnerCenterEmulator(
        seed=seed, organization_id=organization_id, entra=entra, certificates=certificates,
        ca_bundle=authority.bundle, spacing=spacing,
    )  # fmt: skip
    ports = [port + n if port else 0 for n in range(PORT_COUNT)]
    tls = authority.server_context()
    handlers = (emulator.handle, entra.handle, certificates.handle)
    first, second, third = (Server(handle, port=p, tls=tls) for handle, p in zip(handlers, ports[:3], strict=True))
    with first, second, third, Server(certificates.handle, port=ports[3]) as issuers:
        certificates.set_public_urls(third.url, issuers.url)
        try:
            yield ServedPartnerCenter(emulator, entra, certificates, first.url, second.url, third.url, issuers.url)
        finally:
            emulator.close()
