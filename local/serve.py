"""`make serve`: the same systems and host as `make run`, with timers on schedule, until Ctrl-C."""

import argparse
import logging
import shlex
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from emulators.base.serve_until_signal import End, check_free, serving
from emulators.partner_center.events import NAMES, TEST_EVENT
from local import storage
from local.host.functions_host import Host
from local.systems import PUSH_SCHEDULE, ROOT, SWEEP_SCHEDULE, Systems, started
from shared.cli.environment import Environment, write_environment
from shared.foundation.errors import ConfigurationError

ADDRESSES = 7
"""What `make serve` listens on: the six emulators, and then the host."""


def show(systems: Systems, host: Host, storage: str) -> None:
    """Print where everything is and what to do next, each on a line that nothing cuts: it is there to be copied."""
    bundle, partner_center = systems.environ["CA_BUNDLE"], systems.partner.url
    places = {
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
    for name, place in places.items():
        print(f"{name:16}{place}")
    print("Each system's control API is below its address, at /_control; the host's is at /admin.")
    print("\nMicrosoft sends you a deal when you say, in another terminal:")
    print(f"curl --cacert {shlex.quote(bundle)} -d '{{}}' {partner_center}/_control/microsoft-sends")
    print("\nWhat the connector does follows, one event a line. Ctrl-C ends it all.", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; exit status 2 with one sentence if a port is taken or a setting is wrong."""
    wanted = _options(argv)
    return serving(lambda end: _serve(wanted, end), ConfigurationError)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8443, help="the first of seven ports; 0: free ones")
    parser.add_argument("--seed", type=int, default=0, help="of the emulators' ids")
    parser.add_argument("--push-schedule", default=PUSH_SCHEDULE, help="NCRONTAB, six fields (default: every minute)")
    parser.add_argument("--sweep-schedule", default=SWEEP_SCHEDULE, help="the same (default: every 15 minutes)")
    return parser.parse_args(argv)


def _serve(wanted: argparse.Namespace, end: End) -> None:
    check_free([wanted.port and wanted.port + n for n in range(ADDRESSES)], "make serve PORT")
    schedules = {"PUSH_SCHEDULE": wanted.push_schedule, "SWEEP_SCHEDULE": wanted.sweep_schedule}
    with (
        tempfile.TemporaryDirectory(prefix="cosell-") as folder,
        started(Path(folder), seed=wanted.seed, port=wanted.port) as systems,
        storage.opened({**systems.environ, **schedules}, ROOT, Path(folder)) as kept,
        Host(ROOT, environ=kept.environ, queue=kept.queues) as host,
        closing(systems.partner_center),  # no event is sent to a host that stops
    ):
        _tell_events()
        host.start(wanted.port and wanted.port + ADDRESSES - 1, systems.authority.server(), timers=True)
        systems.partner_center.register_events(f"{host.url}/api/events", [*NAMES, TEST_EVENT])
        show(systems, host, kept.name)
        left = write_environment(Environment("local", kept.environ, {"function_app_url": host.url}))
        try:
            end.wait()
        finally:
            left.unlink(missing_ok=True)


def _tell_events() -> None:
    """The connector's own log events, as they happen, and what the host has to say."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("cosell", logging.INFO), ("local.host", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.addHandler(handler)
        logger.propagate = False


if __name__ == "__main__":
    sys.exit(main())
