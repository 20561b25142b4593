"""Publishes the environment `local` for `cosell --env local`, for as long as `make serve` runs.

Several `make serve` may run in one folder, with different ports. The file belongs to the first one. A lock shows that
its owner still runs; the system releases the lock even if the owner is killed.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.cli.environment import FOLDER, Environment, write_environment

LOCK_NAME = "local.lock"


@contextmanager
def publish_environment(environment: Environment, folder: Path = FOLDER) -> Iterator[bool]:
    """Write the environment's file, and remove it when the block ends.

    Yields False, and neither writes nor removes the file, if another process has published this environment.
    """
    folder.mkdir(exist_ok=True)
    with (folder / LOCK_NAME).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        path = write_environment(environment, folder)
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)
