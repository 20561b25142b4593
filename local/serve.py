"""Runs the systems and the host of `make run` for `make serve`, with timers on schedule, until Ctrl-C.

`make trouble` does the same with deals that are in trouble (`local/trouble.py`).

The variables of `CHOSEN_SETTINGS` replace the settings of the local run: `SYNC=preview MAPPING=my.toml make serve`.
"""

import argparse
import json
import logging
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from emulators.base.serve_until_signal import StopSignal, check_ports_free, serve_until_signal
from emulators.partner_center.events import NAMES, TEST_EVENT
from local.environment_file import publish_environment
from local.host.functions_host import Host
from local.storage import Storage, open_storage
from local.systems import PUSH_SCHEDULE, ROOT, SWEEP_SCHEDULE, Systems, complete_opportunity, start_systems
from shared.cli.environment import Environment
from shared.foundation.errors import ConfigurationError

PORT_COUNT = 8
"""Six emulators and the issuers' certificates have one port each, and then the host."""
CHOSEN_SETTINGS = ("MAPPING", "SYNC", "SYNC_FROM", "IRREVERSIBLE_WAIT_SECONDS", "MASS_CHANGE_LIMIT")
"""Settings of the local run that the person may replace. The others lead to the emulators."""


PATH_LINE = 'export PATH="$PWD/.venv/bin:$PATH"'
"""With it, the commands work as they are printed."""


def print_addresses(systems: Systems, host: Host, storage: Storage) -> None:
    """Print all addresses. Each stays on one line, so that it can be copied.

    The first line lets `cosell` be found in another terminal.
    """
    print(PATH_LINE)
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
        "Storage": storage.name,
        "Mapping": storage.environ["MAPPING"],
        "Sync": storage.environ["SYNC"],
    }
    for name, value in lines.items():
        print(f"{name:16}{value}")
    print("Each system has a control API at its address, below /_control. The control API of the host is below /admin.")
    print(f"The mass-change stop is at {storage.environ['MASS_CHANGE_LIMIT']} changes a day (MASS_CHANGE_LIMIT).")


def print_first_deals(systems: Systems) -> None:
    """Print the commands with which a first deal goes each way."""
    print("\nRun these commands in another terminal. The first lets Microsoft send you a referral:")
    print(curl_command(systems, f"{systems.partner.url}/_control/microsoft-sends", {}))
    print("The second lets a seller create a ticked opportunity, which the next push sends to Partner Center:")
    opportunity = complete_opportunity("My first deal", systems.create_account("My customer", "US"))
    body = {"sobject": "Opportunity", "values": opportunity}
    print(curl_command(systems, f"{systems.salesforce_url}/_control/insert", body))


def curl_command(systems: Systems, address: str, body: Mapping[str, object]) -> str:
    """A command for the shell that sends a request of a control API."""
    return shlex.join(["curl", "--cacert", systems.environ["CA_BUNDLE"], "-d", json.dumps(body), address])


@dataclass(frozen=True, slots=True)
class Scene:
    """What `make serve` begins with: settings of the local run, and what happens before the timers start.

    `log_file` is the name of a file for the connector's log events; without a name they are printed.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Systems, Host], None] = lambda _systems, _host: None
    print_next: Callable[[Systems], None] = print_first_deals
    log_file: str = ""


def main(argv: Sequence[str] | None = None, scene: Scene | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns 0, or 2 with one sentence if a port is taken or a setting is wrong."""
    options = _parse_options(argv)
    chosen = scene or Scene()
    return serve_until_signal(lambda stop_signal: _serve_systems(options, chosen, stop_signal), ConfigurationError)


def _parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8443, help="the first of eight ports; 0 chooses free ports")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the emulators create the same ids")
    parser.add_argument("--push-schedule", default=PUSH_SCHEDULE, help="six NCRONTAB fields (default: every minute)")
    parser.add_argument(
        "--sweep-schedule", default=SWEEP_SCHEDULE, help="six NCRONTAB fields (default: every 15 minutes)"
    )
    return parser.parse_args(argv)


def _serve_systems(options: argparse.Namespace, scene: Scene, stop_signal: StopSignal) -> None:
    check_ports_free([options.port and options.port + n for n in range(PORT_COUNT)], "make serve PORT")
    schedules = {"PUSH_SCHEDULE": options.push_schedule, "SWEEP_SCHEDULE": options.sweep_schedule}
    settings = {**schedules, **scene.settings, **_read_choices()}
    with (
        tempfile.TemporaryDirectory(prefix="cosell-") as folder,
        start_systems(Path(folder), seed=options.seed, port=options.port) as systems,
        open_storage({**systems.environ, **settings}, ROOT, Path(folder)) as storage,
        Host(ROOT, environ=storage.environ, queue=storage.queues) as host,
        closing(systems.partner_center),  # stops sending events before the host stops
    ):
        log_file = Path(folder) / scene.log_file if scene.log_file else None
        _show_log_events(log_file)
        host.start(options.port and options.port + PORT_COUNT - 1, systems.authority.server_context())
        systems.partner_center.register_events(f"{host.url}/api/events", [*NAMES, TEST_EVENT])
        local = Environment("local", storage.environ, {"function_app_url": host.url})
        with publish_environment(local) as is_published:
            scene.prepare(systems, host)
            host.start_timers()
            print_addresses(systems, host, storage)
            scene.print_next(systems)
            if storage.environ["SYNC"] != "on":
                print(f"With SYNC={storage.environ['SYNC']} the connector writes nothing to either side.")
            if not is_published:
                print("Another make serve runs in this folder. Commands with --env local lead to that one, not here.")
            place = f"go to {log_file}" if log_file else "follow"
            print(f"\nThe log events of the connector {place}, one on each line. Press Ctrl-C to stop.", flush=True)
            stop_signal.wait()


def _read_choices() -> Mapping[str, str]:
    """The settings that the person has chosen with environment variables. A relative mapping file starts here.

    Raises:
        ConfigurationError: the mapping file does not exist.
    """
    chosen = {name: os.environ[name] for name in CHOSEN_SETTINGS if os.environ.get(name)}
    if "MAPPING" in chosen:
        path = Path(chosen["MAPPING"]).absolute()
        if not path.is_file():
            raise ConfigurationError(f"MAPPING: the file {path} does not exist (example: MAPPING=my.toml make serve)")
        chosen["MAPPING"] = str(path)
    return chosen


def _show_log_events(file: Path | None) -> None:
    """Print the connector's log events as they happen, and the warnings of the host, or write them to a file."""
    handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("cosell", logging.INFO), ("local.host", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.addHandler(handler)
        logger.propagate = False


if __name__ == "__main__":
    sys.exit(main())
