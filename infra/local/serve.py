"""`make serve`: the same systems and host as `make run`, with timers on schedule, until Ctrl-C."""

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.local import storage
from infra.local.ending import End
from infra.local.host import Host
from infra.local.partner_center.events import NAMES, TEST_EVENT
from infra.local.systems import PUSH_SCHEDULE, ROOT, SWEEP_SCHEDULE, Systems, started
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
    end, console, wanted = End(), Console(highlight=False), _options(argv)
    try:
        _serve(wanted, console, end)
    except (ConfigurationError, OSError) as error:
        console.print(f"Cannot serve: {error}", markup=False)
        return 2
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8443, help="the first of seven addresses; 0: free ones")
    parser.add_argument("--seed", type=int, default=0, help="of the emulators' ids")
    parser.add_argument("--push-schedule", default=PUSH_SCHEDULE, help="NCRONTAB, six fields (default: every minute)")
    parser.add_argument("--sweep-schedule", default=SWEEP_SCHEDULE, help="the same (default: every 15 minutes)")
    return parser.parse_args(argv)


def _serve(wanted: argparse.Namespace, console: Console, end: End) -> None:
    schedules = {"PUSH_SCHEDULE": wanted.push_schedule, "SWEEP_SCHEDULE": wanted.sweep_schedule}
    with (
        tempfile.TemporaryDirectory(prefix="cosell-") as folder,
        started(Path(folder), seed=wanted.seed, port=wanted.port) as systems,
        storage.opened({**systems.environ, **schedules}, ROOT, Path(folder)) as kept,
        Host(ROOT, environ=kept.environ, queue=kept.queues) as host,
    ):
        _tell_events()
        host.start(wanted.port and wanted.port + 6, systems.authority.server(), timers=True)
        systems.partner_center.register_events(f"{host.url}/api/events", [*NAMES, TEST_EVENT])
        show(console, systems, host)
        console.print(f"Queues and tables: {kept.name}. What the connector does follows, one event a line.")
        left = write(Environment("local", kept.environ, {"function_app_url": host.url}))
        try:
            end.wait()
        finally:
            left.unlink(missing_ok=True)


def _tell_events() -> None:
    """The connector's own log events, as they happen, and what the host has to say."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("cosell", logging.INFO), ("infra.local.host", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.addHandler(handler)
        logger.propagate = False


if __name__ == "__main__":
    sys.exit(main())
