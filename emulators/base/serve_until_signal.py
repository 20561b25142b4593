"""How what serves until told otherwise ends: exit status 0 when told so, 2 with one sentence if it cannot begin."""

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack

from emulators.base.server import LOOPBACK


class CannotServe(Exception):
    """An option that is wrong or cannot be met; the message is for who gave it."""


class End:
    """Make it before the first thing is started, so that an interrupt during the start ends it too."""

    def __init__(self) -> None:
        """From now on both signals are noted instead of striking; only in the main thread."""
        self._told = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._told.set())

    def wait(self) -> None:
        """Block until the end is asked for: Ctrl-C or SIGTERM."""
        self._told.wait()


def serving(serve: Callable[[End], None], *refusals: type[Exception]) -> int:
    """The exit status of `serve`, which has let go of all it started when it returns: then nothing else is said.

    CannotServe, OSError and `refusals` are told in one sentence.
    """
    end = End()
    told: tuple[type[Exception], ...] = (CannotServe, OSError, *refusals)
    try:
        serve(end)
    except told as error:
        print(f"Cannot serve: {error}", file=sys.stderr)
        return 2
    print("Stopped.", flush=True)
    return 0


def check_free(ports: Iterable[int], option: str = "--port") -> None:
    """Raises CannotServe for the first that cannot be had, with `option` as the way out; 0 is a free one."""
    with ExitStack() as held:  # all at once, for one may have been given twice
        for port in filter(None, ports):
            try:
                held.enter_context(socket.create_server((LOOPBACK, port)))
            except (OSError, OverflowError) as error:
                raise CannotServe(f"port {port} {_reason(error)}; {option}=0 takes what is free") from error


def _reason(error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return "is none: they go from 1 to 65535"
    return "is taken" if error.errno == errno.EADDRINUSE else f"cannot be had: {os.strerror(error.errno or 0)}"
