"""Run the Salesforce emulator alone, over TLS, until Ctrl-C: `python -m emulators salesforce --port 7083`."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from emulators.base.certificate_authority import Authority
from emulators.base.serve_until_signal import CannotServe, StopSignal, check_ports_free, serve_until_signal
from emulators.base.server import Server
from emulators.salesforce.emulator import SalesforceEmulator
from emulators.salesforce.metadata.component_xml import MetadataError
from emulators.salesforce.metadata.source_project import PROJECT


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal arrives; exit status 2, with one sentence, if an option is wrong or the port is taken."""
    options = _parse_options(argv)
    return serve_until_signal(lambda stop_signal: _serve_emulator(options, stop_signal))


def _parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators salesforce", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free port")
    parser.add_argument("--seed", type=int, default=0, help="record ids repeat for the same seed")
    parser.add_argument("--metadata", type=Path, default=PROJECT, help="the sfdx source project to install")
    parser.add_argument("--single-currency", action="store_true", help="start an org without multiple currencies")
    return parser.parse_args(argv)


def _serve_emulator(options: argparse.Namespace, stop_signal: StopSignal) -> None:
    check_ports_free([options.port])
    emulator = _build_emulator(options)
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
        authority = Authority(Path(folder))
        with Server(emulator.handle, port=options.port, tls=authority.server_context()) as server:
            emulator.public_url = server.url
            print(f"Salesforce   {server.url}\nControl API  {server.url}/_control", flush=True)
            print(f"CA bundle    {authority.bundle}", flush=True)
            stop_signal.wait()


def _build_emulator(options: argparse.Namespace) -> SalesforceEmulator:
    try:
        return SalesforceEmulator(options.seed, options.metadata, multi_currency=not options.single_currency)
    except (FileNotFoundError, NotADirectoryError) as error:
        message = f"{options.metadata} is not an sfdx source project: {error.filename} is missing"
        raise CannotServe(message) from error
    except MetadataError as error:
        raise CannotServe(f"the metadata of {options.metadata}: {error}") from error
