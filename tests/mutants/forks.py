"""Runs work in forked processes, a few at a time, and brings back what each returns as a text."""

import os
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from time import process_time
from traceback import format_exc

STDERR = os.fdopen(os.dup(2), "w")
"""The standard error output of the program, whatever pytest makes of it."""
STOPPED = "stopped"
"""In place of the text, if the process used up its seconds, or crashed."""


def in_forks[Key](
    work: Iterable[tuple[Key, Callable[[], str]]], workers: int, seconds: int
) -> Iterator[tuple[Key, str]]:
    """Yield each key with the text that its work returned; `seconds` of the processor are the limit of one."""
    running: dict[int, tuple[Key, int]] = {}
    for key, function in work:
        if len(running) >= workers:
            yield _finished(running)
        pid, output = _start(function, seconds)
        running[pid] = key, output
    while running:
        yield _finished(running)


def _finished[Key](running: dict[int, tuple[Key, int]]) -> tuple[Key, str]:
    pid, status = os.wait()
    key, output = running.pop(pid)
    with os.fdopen(output) as text:
        returned = text.read()
    return key, returned if status == 0 else STOPPED


def _start(function: Callable[[], str], seconds: int) -> tuple[int, int]:
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        _work(function, writable, seconds)
    os.close(writable)
    return pid, readable


def _work(function: Callable[[], str], writable: int, seconds: int) -> None:
    """Do the work in this new process, and end it without any cleaning up."""
    code = 1
    try:
        limit = int(process_time()) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        # A mutant that waits for ever uses no processor.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30 * seconds)
        os.write(writable, function().encode())
        code = 0
    except BaseException:  # noqa: BLE001 # the process must not go on in the code of its parent
        STDERR.write(format_exc())
        STDERR.flush()
    finally:
        os._exit(code)
