"""Start a vault, and the identity endpoint whose tokens it accepts: `python -m emulators key-vault --port 7082`."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulators.base.certificate_authority import Authority
from emulators.base.serve_until_signal import StopSignal, check_ports_free, serve_until_signal
from emulators.base.server import Server
from emulators.key_vault.emulator import KeyVault
from emulators.key_vault.secret_store import NAME
from emulators.managed_identity.emulator import CLIENT_ID, ManagedIdentity


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal arrives. Return the exit status: 0, or 2 after one sentence if serving cannot begin."""
    options = _parse_options(arguments)
    return serve_until_signal(lambda stop_signal: _serve_vault(options, stop_signal))


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators key-vault", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the vault (default: a free one)")
    parser.add_argument("--identity-port", type=int, default=0, help="port of the identity endpoint (default: free)")
    parser.add_argument(
        "--secret", type=_parse_secret_option, action="append", default=[], metavar="NAME=VALUE",
        help="a secret that exists from the start; may be repeated",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same version ids")
    return parser.parse_args(arguments)


def _parse_secret_option(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError("write a secret as NAME=VALUE")
    if not NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"a secret's name has only letters, digits and hyphens: {name}")
    return name, value


def _serve_vault(options: argparse.Namespace, stop_signal: StopSignal) -> None:
    check_ports_free([options.identity_port], "--identity-port")
    check_ports_free([options.port, options.identity_port])
    identity = ManagedIdentity(seed=options.seed)
    vault = KeyVault(identity.tokens, secrets=dict(options.secret), seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        with (
            Server(identity.handle, port=options.identity_port) as identity_server,
            Server(vault.handle, port=options.port, tls=authority.server_context()) as vault_server,
        ):
            print(f"vault      {vault_server.url}\nCA bundle  {authority.bundle}\nidentity   {CLIENT_ID}")
            for name, value in identity.environment_variables(identity_server.url).items():
                print(f"export {name}={value}", flush=True)
            stop_signal.wait()
