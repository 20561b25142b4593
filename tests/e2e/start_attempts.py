"""Starts the host on the app once for each environment read from stdin; writes exit status and output of each.

One process for all: what is slow to import is imported once, and each start happens in a fork, so that it is the first
one that its process sees.
"""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import azure.functions  # noqa: F401 - imported before the forks
import azure_functions_runtime  # noqa: F401 - as above

import shared.mapping.translation
import shared.webhook.certificate_chain  # noqa: F401 - as above
from local.host.__main__ import main
from local.systems import ROOT

SECONDS = 5
"""A start that is not refused would serve for ever."""


def attempt(environ: dict[str, str]) -> tuple[int, str]:
    """Exit status and output of `python -m local.host` under this environment alone."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            started(environ, output.fileno())
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read().decode()


def started(environ: dict[str, str], output: int) -> None:
    """The child: never returns."""
    code = 70
    try:
        signal.alarm(SECONDS)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.clear()
        os.environ.update(environ)
        code = main(["--app", str(ROOT), "--port", "0"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    os.chdir(Path(tempfile.gettempdir()))
    json.dump([attempt(environ) for environ in json.load(sys.stdin)], sys.stdout)
