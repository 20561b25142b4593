"""`python -m emulators salesforce --port 7083`: the emulator alone, over TLS, until Ctrl-C."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulators.base.certificate_authority import Authority
from emulators.base.serve_until_signal import CannotServe, End, check_free, serving
from emulators.base.server import Server
from emulators.salesforce.emulator import SalesforceEmulator
from emulators.salesforce.metadata.source_fields import PROJECT, MetadataError


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; exit status 2 with one sentence if it cannot."""
    wanted = _options(argv)
    return serving(lambda end: _serve(wanted, end))


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators salesforce", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--metadata", type=Path, default=PROJECT, help="an sfdx source project")
    parser.add_argument("--single-currency", action="store_true")
    return parser.parse_args(argv)


def _serve(wanted: argparse.Namespace, end: End) -> None:
    check_free([wanted.port])
    emulator = _emulator(wanted)
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
        authority = Authority(Path(folder))
        with Server(emulator.handle, port=wanted.port, tls=authority.server()) as server:
            emulator.public_url = server.url
            print(f"Salesforce   {server.url}\nControl API  {server.url}/_control", flush=True)
            print(f"CA bundle    {authority.bundle}", flush=True)
            end.wait()


def _emulator(wanted: argparse.Namespace) -> SalesforceEmulator:
    try:
        return SalesforceEmulator(wanted.seed, wanted.metadata, multi_currency=not wanted.single_currency)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CannotServe(f"{wanted.metadata} is no sfdx source project: {error.filename} is missing") from error
    except MetadataError as error:
        raise CannotServe(f"the metadata of {wanted.metadata}: {error}") from error
