"""Serve until a signal arrives, then stop cleanly with an exit status.

The exit status is 0 after a signal, and 2 with one sentence on stderr if serving cannot begin.
"""

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
    """A command-line option is wrong or cannot be met; the message is written for the person who typed it."""


class StopSignal:
    """Waits for Ctrl-C (SIGINT) or SIGTERM.

    Create it before the first server starts. A signal during the start then stops the process cleanly too.
    """

    def __init__(self) -> None:
        """Take over both signals. This works in the main thread only."""
        self._received = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._received.set())

    def wait(self) -> None:
        """Block until one of the signals arrives."""
        self._received.wait()


def serve_until_signal(serve: Callable[[StopSignal], None], *refusals: type[Exception]) -> int:
    """Call `serve`, which must stop all that it started before it returns, and return the exit status.

    CannotServe, OSError and `refusals` are reported in one sentence on stderr.
    """
    stop_signal = StopSignal()
    reported: tuple[type[Exception], ...] = (CannotServe, OSError, *refusals)
    try:
        serve(stop_signal)
    except reported as error:
        print(f"Cannot serve: {error}", file=sys.stderr)
        return 2
    print("Stopped.", flush=True)
    return 0


def check_ports_free(ports: Iterable[int], option: str = "--port") -> None:
    """Raise CannotServe for the first port that cannot be used. The message suggests `option`=0.

    A 0 among `ports` stands for any free port and is not checked.
    """
    with ExitStack() as held:  # hold all ports at once, because the same port may be given twice
        for port in filter(None, ports):
            try:
                held.enter_context(socket.create_server((LOOPBACK, port)))
            except (OSError, OverflowError) as error:
                raise CannotServe(f"port {port} {_port_problem(error)}; {option}=0 uses a free port") from error


def _port_problem(error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return "does not exist: ports go from 1 to 65535"
    return "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {os.strerror(error.errno or 0)}"
