"""Runs the systems and the host of `make run` for `make serve`, with timers on schedule, until Ctrl-C."""

import argparse
import logging
import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from emulators.base.serve_until_signal import StopSignal, check_ports_free, serve_until_signal
from emulators.partner_center.events import NAMES, TEST_EVENT
from local.host.functions_host import Host
from local.storage import open_storage
from local.systems import PUSH_SCHEDULE, ROOT, SWEEP_SCHEDULE, Systems, start_systems
from shared.cli.environment import Environment, write_environment
from shared.foundation.errors import ConfigurationError

PORT_COUNT = 7
"""Six emulators listen on one port each, and then the host."""


def print_addresses(systems: Systems, host: Host, storage: str) -> None:
    """Print all addresses and what to do next. Each stays on one line, so that it can be copied."""
    bundle, partner_center = systems.environ["CA_BUNDLE"], systems.partner.url
    lines = {
        "Salesforce": systems.salesforce_url,
        "Partner Center": partner_center,
        "Entra ID": systems.partner.entra_url,
        "Certificates": systems.partner.certificates_url,
        "Key Vault": systems.environ["KEY_VAULT_URL"],
        "Functions host": host.url,
        "Function key": host.keys.function,
        "Master key": host.keys.master,
        "CA bundle": bundle,
        "Storage": storage,
    }
    for name, value in lines.items():
        print(f"{name:16}{value}")
    print("Each system has a control API at its address, below /_control. The control API of the host is below /admin.")
    print("\nTo let Microsoft send you a referral, run this command in another terminal:")
    print(f"curl --cacert {shlex.quote(bundle)} -d '{{}}' {partner_center}/_control/microsoft-sends")
    print("\nThe log events of the connector follow, one on each line. Press Ctrl-C to stop.", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns 0, or 2 with one sentence if a port is taken or a setting is wrong."""
    options = _parse_options(argv)
    return serve_until_signal(lambda stop_signal: _serve_systems(options, stop_signal), ConfigurationError)


def _parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8443, help="the first of seven ports; 0 chooses free ports")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the emulators create the same ids")
    parser.add_argument("--push-schedule", default=PUSH_SCHEDULE, help="six NCRONTAB fields (default: every minute)")
    parser.add_argument(
        "--sweep-schedule", default=SWEEP_SCHEDULE, help="six NCRONTAB fields (default: every 15 minutes)"
    )
    return parser.parse_args(argv)


def _serve_systems(options: argparse.Namespace, stop_signal: StopSignal) -> None:
    check_ports_free([options.port and options.port + n for n in range(PORT_COUNT)], "make serve PORT")
    schedules = {"PUSH_SCHEDULE": options.push_schedule, "SWEEP_SCHEDULE": options.sweep_schedule}
    with (
        tempfile.TemporaryDirectory(prefix="cosell-") as folder,
        start_systems(Path(folder), seed=options.seed, port=options.port) as systems,
        open_storage({**systems.environ, **schedules}, ROOT, Path(folder)) as storage,
        Host(ROOT, environ=storage.environ, queue=storage.queues) as host,
        closing(systems.partner_center),  # stops sending events before the host stops
    ):
        _print_log_events()
        host.start(options.port and options.port + PORT_COUNT - 1, systems.authority.server_context(), timers=True)
        systems.partner_center.register_events(f"{host.url}/api/events", [*NAMES, TEST_EVENT])
        print_addresses(systems, host, storage.name)
        environment_file = write_environment(Environment("local", storage.environ, {"function_app_url": host.url}))
        try:
            stop_signal.wait()
        finally:
            environment_file.unlink(missing_ok=True)


def _print_log_events() -> None:
    """Print the connector's log events as they happen, and the warnings of the host."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("cosell", logging.INFO), ("local.host", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.addHandler(handler)
        logger.propagate = False


if __name__ == "__main__":
    sys.exit(main())
