"""Start the managed-identity endpoint alone: `python -m emulators managed-identity --port 7081`."""

import argparse
from collections.abc import Sequence

from emulators.base.serve_until_signal import StopSignal, check_ports_free, serve_until_signal
from emulators.base.server import Server
from emulators.managed_identity.emulator import ManagedIdentity


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal arrives. Return the exit status: 0, or 2 after one sentence if serving cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m emulators managed-identity", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the endpoint (default: a free one)")
    parser.add_argument("--header", help="the secret that callers must send; another emulator needs the same value")
    options = parser.parse_args(arguments)
    return serve_until_signal(lambda stop_signal: _serve_endpoint(options, stop_signal))


def _serve_endpoint(options: argparse.Namespace, stop_signal: StopSignal) -> None:
    check_ports_free([options.port])
    identity = ManagedIdentity(header=options.header)
    with Server(identity.handle, port=options.port) as server:
        for name, value in identity.environment_variables(server.url).items():
            print(f"export {name}={value}", flush=True)
        stop_signal.wait()
