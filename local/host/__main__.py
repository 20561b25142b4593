"""Start the host alone: `python -m local.host --app DIR --port N [--timers]`."""

import argparse
import json
import logging
import os
import sqlite3
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from emulators.base.serve_until_signal import End, check_free, serving
from local.host.functions_host import Host
from local.host.host_json import HostSettings
from local.host.queues import EmbeddedQueues, Queues
from shared.foundation.errors import ConfigurationError

_STORAGE = "AzureWebJobsStorage"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 0 at the end, 2 if the host does not start."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("azure", "azure_functions_runtime", "azure.functions"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    _read_local_settings(options.app / "local.settings.json")
    return serving(lambda end: _serve(options, end), ConfigurationError)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="A local Functions host.")
    parser.add_argument("--app", type=Path, default=Path(), help="the folder of function_app.py and host.json")
    parser.add_argument("--port", type=int, default=7071, help="the port on the loopback; 0 takes a free one")
    parser.add_argument("--timers", action="store_true", help="run the timers on schedule")
    parser.add_argument("--queue-file", type=Path, help="the SQLite file of the embedded queues (default: in memory)")
    parser.add_argument("--timer-file", type=Path, help="where to remember when timers ran")
    parser.add_argument("--cert", type=Path, help="serve TLS with this PEM file of certificate and key")
    return parser.parse_args(arguments)


def _serve(options: argparse.Namespace, end: End) -> None:
    check_free([options.port])
    queues = _queues(options)
    try:
        host = Host(options.app, queue=queues, timer_status=options.timer_file)
        host.start(options.port, _tls(options.cert), timers=options.timers)
        print(f"Serving {len(host.functions)} functions on {host.url} (a stand-in for Core Tools: docs/local-host.md)")
        print(f"  master key {host.keys.master}\n  function key {host.keys.function}", flush=True)
        end.wait()
        host.stop()
    finally:
        queues.close()


def _queues(options: argparse.Namespace) -> Queues:
    if os.environ.get("STORAGE", "").lower() != "azurite":
        return _embedded(options.queue_file)
    from local.host.storage_queues import StorageQueues  # noqa: PLC0415 - slow to import, and rarely wanted

    connection = os.environ.get(_STORAGE)
    if not connection:
        raise ConfigurationError(f"STORAGE=azurite needs {_STORAGE}, for example {_STORAGE}=UseDevelopmentStorage=true")
    return StorageQueues(connection, encoding=HostSettings.read(options.app / "host.json").message_encoding)


def _embedded(file: Path | None) -> EmbeddedQueues:
    try:
        return EmbeddedQueues(file or ":memory:")
    except sqlite3.Error as error:
        raise ConfigurationError(f"--queue-file {file}: {error}") from error


def _tls(pem: Path | None) -> ssl.SSLContext | None:
    if pem is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(pem)
    except OSError as error:  # of which ssl's own is one, and none of them names the file
        raise ConfigurationError(f"--cert {pem}: {error.strerror or error}") from error
    return context


def _read_local_settings(path: Path) -> None:
    """Take `Values` as Core Tools do: what the environment says already wins."""
    if path.exists():
        values = json.loads(path.read_text(encoding="utf-8")).get("Values", {})
        for name, value in values.items():
            os.environ.setdefault(name, str(value))


if __name__ == "__main__":
    sys.exit(main())
