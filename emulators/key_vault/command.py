"""`python -m emulators key-vault --port 7082`: a vault over TLS and the identity endpoint that opens it."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulators.base.certificate_authority import Authority
from emulators.base.serve_until_signal import End, check_free, serving
from emulators.base.server import Server
from emulators.key_vault.emulator import KeyVault
from emulators.key_vault.secret_store import NAME
from emulators.managed_identity.emulator import CLIENT_ID, ManagedIdentity


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError("a secret is NAME=VALUE")
    if not NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"a secret's name has only letters, digits and hyphens: {name}")
    return name, value


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; exit status 2 with one sentence if it cannot."""
    wanted = _options(arguments)
    return serving(lambda end: _serve(wanted, end))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators key-vault", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--identity-port", type=int, default=0)
    parser.add_argument("--secret", type=_pair, action="append", default=[], help="NAME=VALUE, there from the start")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def _serve(options: argparse.Namespace, end: End) -> None:
    check_free([options.identity_port], "--identity-port")
    check_free([options.port, options.identity_port])
    identity = ManagedIdentity(seed=options.seed)
    vault = KeyVault(identity.tokens, secrets=dict(options.secret), seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        with (
            Server(identity.handle, port=options.identity_port) as door,
            Server(vault.handle, port=options.port, tls=authority.server()) as server,
        ):
            print(f"vault      {server.url}\nCA bundle  {authority.bundle}\nidentity   {CLIENT_ID}")
            for name, value in identity.environment(door.url).items():
                print(f"export {name}={value}", flush=True)
            end.wait()
