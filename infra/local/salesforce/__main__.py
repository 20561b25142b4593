"""`python -m infra.local.salesforce --port N [--cert FILE --key FILE]`: the emulator alone, until Ctrl-C."""

import argparse
import ssl
from pathlib import Path

from infra.local.ending import End
from infra.local.salesforce.emulator import SalesforceEmulator
from infra.local.salesforce.metadata import PROJECT
from infra.local.wire import Server


def main() -> None:
    """Serve on the loopback: https with a certificate, else plain http."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.salesforce", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--metadata", type=Path, default=PROJECT, help="an sfdx source project")
    parser.add_argument("--single-currency", action="store_true")
    given = parser.parse_args()
    if (given.cert is None) is not (given.key is None):
        parser.error("--cert and --key go together")
    end = End()
    emulator = SalesforceEmulator(given.seed, given.metadata, multi_currency=not given.single_currency)
    with Server(emulator.handle, port=given.port, tls=_tls(given.cert, given.key)) as server:
        emulator.public_url = server.url
        print(f"Salesforce emulator on {server.url}; control API below {server.url}/_control", flush=True)
        end.wait()


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context


if __name__ == "__main__":
    main()
