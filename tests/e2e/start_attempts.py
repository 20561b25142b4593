"""Starts the host once for each environment on the standard input, and writes the exit status and output of each start.

With the word `minimal`, it serves the minimal app, as Azure does, and writes what that app answers and logs.

The modules that are slow to import are imported once. Each start happens in a fork, because a process can load one app
only.
"""

import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

import azure.functions  # noqa: F401 - imported before the forks
import azure_functions_runtime  # noqa: F401 - as above
import httpx

import shared.mapping.translation
import shared.webhook.certificate_chain  # noqa: F401 - as above
from local.host.__main__ import main
from local.host.function_index import TIMER
from local.host.functions_host import Host
from local.systems import ROOT

MAX_SECONDS = 5
"""A start that is not refused would serve without end."""


def attempt_start(environ: dict[str, str]) -> tuple[int, str]:
    """The exit status and output of `python -m local.host` with exactly this environment."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            run_child(environ, output.fileno())
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read().decode()


def run_child(environ: dict[str, str], output: int) -> None:
    """Start the host in the child process. Never returns."""
    code = 70
    try:
        signal.alarm(MAX_SECONDS)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.clear()
        os.environ.update(environ)
        code = serve_minimal_app() if "minimal" in sys.argv else main(["--app", str(ROOT), "--port", "0"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def serve_minimal_app() -> int:
    """Ask the minimal app for its health, run its timer once, and print what it has, answers and logs."""
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    with Host(ROOT, minimal=True) as host:
        host.start()
        answers = {
            name: httpx.get(f"{host.url}/api/health", headers={"x-functions-key": key})
            for name, key in (("with key", host.keys.function), ("without key", ""))
        }
        triggers = {
            name: f"{function.trigger_type} {function.trigger_binding.get('schedule', '')}".strip()
            for name, function in host.functions.items()
        }
        for name in [name for name, function in host.functions.items() if function.trigger_type == TIMER]:
            host.run_now(name)
    statuses = {name: (answer.status_code, answer.text) for name, answer in answers.items()}
    sys.stdout.write(f"RESULT {json.dumps({'triggers': triggers, 'answers': statuses})}\n")
    return 0


if __name__ == "__main__":
    os.chdir(Path(tempfile.gettempdir()))
    json.dump([attempt_start(environ) for environ in json.load(sys.stdin)], sys.stdout)
