"""Start Partner Center, Entra and the certificate host: `python -m emulators partner-center --port 8443`."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulators.base.certificate_authority import Authority
from emulators.base.serve_until_signal import CannotServe, StopSignal, check_ports_free, serve_until_signal
from emulators.partner_center.emulator import ORGANIZATION
from emulators.partner_center.serve import ServedPartnerCenter, serve_partner_center


def parse_options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m emulators partner-center", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=8443, help="Partner Center; Entra and certificates are the next two"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--organization", default=ORGANIZATION, help="id of our organisation")
    parser.add_argument("--populate", type=int, default=0, metavar="N", help="begin with N deals of ours")
    parser.add_argument("--events", metavar="URL", help="where events are sent")
    parser.add_argument("--folder", type=Path, help="where the certificate bundle is written (default: temporary)")
    return parser.parse_args(argv)


def print_connection_details(addresses: ServedPartnerCenter, bundle: Path) -> None:
    """Print what a client needs."""
    entra = addresses.entra
    print(f"Partner Center  {addresses.url}/v1.0/engagements/referrals")
    print(f"Entra ID        {addresses.entra_url}/{entra.tenant}")
    print(f"Certificates    {addresses.certificates.leaf_url}")
    print(f"CA bundle       {bundle}")
    print(f"Client id       {entra.client_id}")
    print(f"Client secret   {entra.client_secret}")
    print(f"Refresh token   {entra.issue_refresh_token()}", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; exit status 2 with one sentence if it cannot."""
    wanted = parse_options(argv)
    return serve_until_signal(lambda end: _serve_emulators(wanted, end))


def _serve_emulators(wanted: argparse.Namespace, end: StopSignal) -> None:
    check_ports_free([wanted.port and wanted.port + n for n in range(3)])
    with tempfile.TemporaryDirectory() as temporary:
        authority = Authority(wanted.folder or Path(temporary))
        with serve_partner_center(
            authority, seed=wanted.seed, organization_id=wanted.organization, port=wanted.port
        ) as addresses:
            addresses.partner_center.populate(wanted.populate)
            if wanted.events:
                _register_receiver(addresses, wanted.events)
            print_connection_details(addresses, authority.bundle)
            end.wait()


def _register_receiver(addresses: ServedPartnerCenter, url: str) -> None:
    try:
        addresses.partner_center.register_events(url)
    except ValueError as error:
        raise CannotServe(f"--events: {error}") from error
