"""Start Entra ID alone, over TLS, until Ctrl-C: `python -m emulators entra --port 7084`."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulators.base.certificate_authority import Authority
from emulators.base.serve_until_signal import StopSignal, check_ports_free, serve_until_signal
from emulators.base.server import Server
from emulators.entra.emulator import EntraEmulator


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal arrives. Return the exit status: 0, or 2 after one sentence if serving cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m emulators entra", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of Entra ID (default: a free one)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same refresh tokens")
    options = parser.parse_args(arguments)
    return serve_until_signal(lambda stop_signal: _serve_entra(options, stop_signal))


def _serve_entra(options: argparse.Namespace, stop_signal: StopSignal) -> None:
    check_ports_free([options.port])
    entra = EntraEmulator(seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        with Server(entra.handle, port=options.port, tls=authority.server_context()) as server:
            _print_connection_details(entra, server.url, authority.bundle)
            stop_signal.wait()


def _print_connection_details(entra: EntraEmulator, url: str, bundle: Path) -> None:
    print(f"Entra ID       {url}/{entra.tenant}")
    print(f"Tenant         {entra.tenant}")
    print(f"Client id      {entra.client_id}")
    print(f"Client secret  {entra.client_secret}")
    print(f"Refresh token  {entra.issue_refresh_token()}")
    print(f"CA bundle      {bundle}", flush=True)
