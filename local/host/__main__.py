"""Starts the host from the command line: `python -m local.host --app DIR --port N [--timers]`."""

import argparse
import json
import logging
import os
import sqlite3
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from emulators.base.serve_until_signal import StopSignal, check_ports_free, serve_until_signal
from local.host.functions_host import Host
from local.host.host_json import HostSettings
from local.host.queues import EmbeddedQueues, Queues
from shared.foundation.errors import ConfigurationError

_STORAGE_SETTING = "AzureWebJobsStorage"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM. Returns 0, or 2 with one sentence if the host cannot start."""
    options = _parse_options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("azure", "azure_functions_runtime", "azure.functions"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    _read_local_settings(options.app / "local.settings.json")
    return serve_until_signal(lambda stop_signal: _serve_host(options, stop_signal), ConfigurationError)


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Run a Functions app with a local host.")
    parser.add_argument(
        "--app", type=Path, default=Path(), help="the folder with function_app.py and host.json (default: this folder)"
    )
    parser.add_argument(
        "--port", type=int, default=7071, help="the port on the loopback (default: 7071); 0 chooses a free port"
    )
    parser.add_argument("--timers", action="store_true", help="run the timer functions on schedule")
    parser.add_argument(
        "--queue-file", type=Path, help="keep the embedded queues in this SQLite file (default: in memory)"
    )
    parser.add_argument("--timer-file", type=Path, help="keep the times of timer runs in this file (default: nowhere)")
    parser.add_argument("--cert", type=Path, help="serve TLS with the certificate and key in this PEM file")
    return parser.parse_args(arguments)


def _serve_host(options: argparse.Namespace, stop_signal: StopSignal) -> None:
    check_ports_free([options.port])
    queues = _choose_queues(options)
    try:
        host = Host(options.app, queue=queues, timer_status=options.timer_file)
        host.start(options.port, _tls_context(options.cert), timers=options.timers)
        print(f"Serving {len(host.functions)} functions on {host.url} (docs/local-host.md describes this host)")
        print(f"  master key {host.keys.master}\n  function key {host.keys.function}", flush=True)
        stop_signal.wait()
        host.stop()
    finally:
        queues.close()


def _choose_queues(options: argparse.Namespace) -> Queues:
    if os.environ.get("STORAGE", "").lower() != "azurite":
        return _open_embedded_queues(options.queue_file)
    from local.host.storage_queues import StorageQueues  # noqa: PLC0415 - slow to import, and rarely needed

    connection = os.environ.get(_STORAGE_SETTING)
    if not connection:
        raise ConfigurationError(
            f"STORAGE=azurite needs {_STORAGE_SETTING}, for example {_STORAGE_SETTING}=UseDevelopmentStorage=true"
        )
    return StorageQueues(connection, encoding=HostSettings.read(options.app / "host.json").message_encoding)


def _open_embedded_queues(file: Path | None) -> EmbeddedQueues:
    try:
        return EmbeddedQueues(file or ":memory:")
    except sqlite3.Error as error:
        raise ConfigurationError(f"--queue-file {file}: {error}") from error


def _tls_context(pem: Path | None) -> ssl.SSLContext | None:
    if pem is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(pem)
    except OSError as error:  # the errors of ssl are OSErrors too, and none of them names the file
        raise ConfigurationError(f"--cert {pem}: {error.strerror or error}") from error
    return context


def _read_local_settings(path: Path) -> None:
    """Put `Values` of the file into the environment. As with Core Tools, variables that are already set win."""
    if path.exists():
        values = json.loads(path.read_text(encoding="utf-8")).get("Values", {})
        for name, value in values.items():
            os.environ.setdefault(name, str(value))


if __name__ == "__main__":
    sys.exit(main())
