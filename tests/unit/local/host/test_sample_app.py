"""The host runs real apps, each in a process of its own, because a process can load one app only."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[4]
MODULE_HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"
SAMPLE = Path(__file__).parent / "sample"


def run_python(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_sample_app_through_the_worker_library() -> None:
    plugins = ("-p", "no:cacheprovider", "-p", "no:xdist")
    done = run_python("-m", "pytest", "-q", *plugins, "--rootdir", str(ROOT), str(SAMPLE / "check_host.py"))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "complaint"),
    [
        ("import azure.functions as func\n", "Could not find top level function app instances"),
        (
            MODULE_HEAD + "@app.route('x')\ndef x(req: func.HttpRequest) -> dict: return {}\n",
            "the app cannot be indexed: FunctionLoadError: cannot load the x function",
        ),
        (
            MODULE_HEAD + "@app.route('admin/x')\ndef x(req: func.HttpRequest) -> str: return ''\n",
            "x: the route 'admin/x' must not begin with admin or runtime",
        ),
    ],
)
def test_an_app_that_azure_would_refuse_does_not_start(tmp_path: Path, module: str, complaint: str) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(module)

    done = run_python("-m", "local.host", "--app", str(tmp_path), "--port", "0")

    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_the_host_starts_alone_and_stops_at_a_signal(tmp_path: Path) -> None:
    settings = {"SAMPLE_QUEUE": "sample-events", "SAMPLE_SCHEDULE": "0 0 0 1 1 *"}
    command = [sys.executable, "-m", "local.host", "--app", str(SAMPLE / "app"), "--port", "0", "--timers"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=log, text=True
        )
        with process:
            assert process.stdout is not None
            url = process.stdout.readline().partition(" on ")[2].split()[0]
            answered = httpx.get(f"{url}/api/anything", trust_env=False, timeout=60).text
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0

    assert answered == "rest anything"
