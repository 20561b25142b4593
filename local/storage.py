"""Where the local run keeps its links and queues: embedded, or in Azurite's real tables and queues.

`STORAGE=azurite` chooses; without it nothing but Python is needed.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import azurite
from local.host.host_json import HostSettings
from local.host.queues import Queues
from shared.foundation.errors import ConfigurationError

VARIABLE = "STORAGE"
EMBEDDED, AZURITE = "embedded", "azurite"


@dataclass(frozen=True, slots=True)
class Storage:
    """The app's environment with its storage in it; `queues` are the host's (None: its own, embedded)."""

    name: str
    environ: Mapping[str, str]
    queues: Queues | None = None


@contextmanager
def opened(environ: Mapping[str, str], app: Path, folder: Path) -> Iterator[Storage]:
    """The storage that the variable STORAGE names. Raises ConfigurationError, also for what Azurite lacks here.

    `environ` is the app's without it, `app` the folder of host.json, `folder` takes Azurite's log.
    """
    match os.environ.get(VARIABLE, "").lower():
        case "" | "embedded":
            yield Storage(EMBEDDED, environ)
        case "azurite":
            with azurite.running(folder) as running, closing(_queues(running, app)) as queues:
                yield Storage(AZURITE, {**environ, **_settings(running)}, queues)
        case _:
            raise ConfigurationError(f"{VARIABLE} is {AZURITE}, or not set: {VARIABLE}={AZURITE} make run")


def _queues(running: azurite.Azurite, app: Path) -> Queues:
    from local.host.storage_queues import StorageQueues  # noqa: PLC0415 - slow to import, and rarely wanted

    encoding = HostSettings.read(app / "host.json").message_encoding
    return StorageQueues(running.connection_string, encoding=encoding)


def _settings(running: azurite.Azurite) -> dict[str, str]:
    """An empty variable counts as not set: there is exactly one store."""
    connection = running.connection_string
    return {"STORE_FILE": "", "STORE_CONNECTION_STRING": connection, "AzureWebJobsStorage": connection}
