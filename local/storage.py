"""Opens the storage of the local run: embedded tables and queues, or Azurite's with `STORAGE=azurite`.

The embedded storage needs nothing but Python.
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
    """An open storage: its name, the app's environment with the settings of the storage, and the queues for the host.

    If `queues` is None, the host makes its own embedded queues.
    """

    name: str
    environ: Mapping[str, str]
    queues: Queues | None = None


@contextmanager
def open_storage(environ: Mapping[str, str], app: Path, folder: Path) -> Iterator[Storage]:
    """Open the storage that the variable STORAGE names, until the block ends.

    `environ` is the app's environment without storage settings, `app` is the folder of host.json, and Azurite writes
    its log into `folder`.

    Raises:
        ConfigurationError: STORAGE has another value, or Azurite cannot run on this machine.
    """
    match os.environ.get(VARIABLE, "").lower():
        case "" | "embedded":
            yield Storage(EMBEDDED, environ)
        case "azurite":
            with azurite.start_azurite(folder) as azurite_server, closing(_open_queues(azurite_server, app)) as queues:
                yield Storage(AZURITE, {**environ, **_storage_settings(azurite_server)}, queues)
        case _:
            raise ConfigurationError(f"{VARIABLE} must be {AZURITE} or unset. Example: {VARIABLE}={AZURITE} make run")


def _open_queues(azurite_server: azurite.Azurite, app: Path) -> Queues:
    from local.host.storage_queues import StorageQueues  # noqa: PLC0415 - slow to import, and rarely needed

    encoding = HostSettings.read(app / "host.json").message_encoding
    return StorageQueues(azurite_server.connection_string, encoding=encoding)


def _storage_settings(azurite_server: azurite.Azurite) -> dict[str, str]:
    """The storage settings for Azurite. STORE_FILE is empty, which counts as not set, because an app has one store."""
    connection = azurite_server.connection_string
    return {"STORE_FILE": "", "STORE_CONNECTION_STRING": connection, "AzureWebJobsStorage": connection}
