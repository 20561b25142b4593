"""How what serves until it is told otherwise ends: Ctrl-C or SIGTERM, exit status 0."""

import signal
import threading


class End:
    """Make it before the first thing is started, so that an interrupt during the start ends it too."""

    def __init__(self) -> None:
        """From now on both signals are noted instead of striking; only in the main thread."""
        self._told = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._told.set())

    def wait(self) -> None:
        """Block until the end is asked for."""
        self._told.wait()
        print("Stopped.", flush=True)
