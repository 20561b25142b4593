"""`make serve`: the same systems and host as `make run`, with timers on schedule, until Ctrl-C."""

import argparse
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.local.host import Host
from infra.local.systems import ROOT, Systems, started
from shared.cli.environment import Environment, write
from shared.errors import ConfigurationError


def show(console: Console, systems: Systems, host: Host) -> None:
    """Print where everything is, and how to act on it."""
    table = Table("system", "address", "control API")
    rows = (
        ("Salesforce", systems.salesforce_url),
        ("Partner Center", systems.partner.url),
        ("Entra ID", systems.partner.entra_url),
        ("Certificates", systems.partner.certificates_url),
        ("Key Vault", systems.environ["KEY_VAULT_URL"]),
    )
    for name, url in rows:
        table.add_row(name, url, f"{url}/_control")
    table.add_row("Functions host", host.url, f"{host.url}/admin/functions")
    console.print(table)
    console.print(f"Function key {host.keys.function}, master key {host.keys.master}")
    console.print(f"Trust {systems.environ['CA_BUNDLE']} (curl --cacert). Ctrl-C ends it all.")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; exit status 2 with one sentence if a port is taken or a setting is wrong."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8443, help="the first of seven addresses; 0: free ones")
    parser.add_argument("--seed", type=int, default=0, help="of the emulators' ids")
    wanted, console = parser.parse_args(argv), Console(highlight=False)
    try:
        _serve(wanted.port, wanted.seed, console)
    except (ConfigurationError, OSError) as error:
        console.print(f"Cannot serve: {error}")
        return 2
    return 0


def _serve(port: int, seed: int, console: Console) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="cosell-") as folder,
        started(Path(folder), seed=seed, port=port) as systems,
        Host(ROOT, environ=systems.environ) as host,
    ):
        host.start(port and port + 6, systems.authority.server(), timers=True)
        systems.partner_center.register_events(f"{host.url}/api/events")
        show(console, systems, host)
        left = write(Environment("local", systems.environ, {"function_app_url": host.url}))
        try:
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
        finally:
            left.unlink(missing_ok=True)
        console.print("Stopped.")


if __name__ == "__main__":
    sys.exit(main())
