"""`python -m emulators managed-identity --port 7081`: the managed-identity endpoint alone, until Ctrl-C."""

import argparse
from collections.abc import Sequence

from emulators.base.serve_until_signal import End, check_free, serving
from emulators.base.server import Server
from emulators.managed_identity.emulator import ManagedIdentity


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; exit status 2 with one sentence if it cannot."""
    parser = argparse.ArgumentParser(prog="python -m emulators managed-identity", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--header", help="the secret that callers must send; other emulators need the same value")
    options = parser.parse_args(arguments)
    return serving(lambda end: _serve(options, end))


def _serve(options: argparse.Namespace, end: End) -> None:
    check_free([options.port])
    identity = ManagedIdentity(header=options.header)
    with Server(identity.handle, port=options.port) as server:
        for name, value in identity.environment(server.url).items():
            print(f"export {name}={value}", flush=True)
        end.wait()
