"""Start Partner Center, Entra ID and the certificate host: `python -m emulators partner-center --port 8443`."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulators.base.certificate_authority import Authority
from emulators.base.serve_until_signal import CannotServe, StopSignal, check_ports_free, serve_until_signal
from emulators.partner_center.emulator import ORGANIZATION
from emulators.partner_center.serve import PORT_COUNT, ServedPartnerCenter, serve_partner_center


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal arrives. Return the exit status: 0, or 2 after one sentence if serving cannot begin."""
    options = parse_options(arguments)
    return serve_until_signal(lambda stop_signal: _serve_emulators(options, stop_signal))


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m emulators partner-center", description=__doc__)
    parser.add_argument(
        "--port",
        type=int,
        default=8443,
        help="port of Partner Center; Entra ID, certificates and issuers use the next three",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same ids")
    parser.add_argument("--organization", default=ORGANIZATION, help="id of our own organisation")
    parser.add_argument("--populate", type=int, default=0, metavar="N", help="begin with N deals of our own")
    parser.add_argument("--events", metavar="URL", help="address that receives the events")
    parser.add_argument("--folder", type=Path, help="folder for the certificate bundle (default: a temporary one)")
    return parser.parse_args(arguments)


def _serve_emulators(options: argparse.Namespace, stop_signal: StopSignal) -> None:
    check_ports_free([options.port and options.port + n for n in range(PORT_COUNT)])
    with tempfile.TemporaryDirectory() as temporary:
        authority = Authority(options.folder or Path(temporary))
        with serve_partner_center(
            authority, seed=options.seed, organization_id=options.organization, port=options.port
        ) as served:
            served.partner_center.populate(options.populate)
            if options.events:
                _register_receiver(served, options.events)
            print_connection_details(served, authority.bundle)
            stop_signal.wait()


def _register_receiver(served: ServedPartnerCenter, url: str) -> None:
    try:
        served.partner_center.register_events(url)
    except ValueError as error:
        raise CannotServe(f"--events: {error}") from error


def print_connection_details(served: ServedPartnerCenter, bundle: Path) -> None:
    """Print the addresses, the certificate bundle and the credentials that a client needs."""
    entra = served.entra
    print(f"Partner Center  {served.url}/v1.0/engagements/referrals")
    print(f"Entra ID        {served.entra_url}/{entra.tenant}")
    print(f"Certificates    {served.certificates.leaf_url}")
    print(f"Issuers         {served.issuers_url}")
    print(f"CA bundle       {bundle}")
    print(f"Client id       {entra.client_id}")
    print(f"Client secret   {entra.client_secret}")
    print(f"Refresh token   {entra.issue_refresh_token()}", flush=True)
