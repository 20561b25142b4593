"""The installation shows its progress, and says in one sentence why it cannot work."""

import ast
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from local import install_packages
from local.install_packages import main

LOCK = """\
annotated-doc==0.0.7 \\
    --hash=sha256:00
    # via typer
cffi==2.1.1 ; platform_python_implementation != 'PyPy' \\
    --hash=sha256:00
not-installed-anywhere==1.0 \\
    --hash=sha256:00
"""
NO_NETWORK = (
    "The packages cannot be installed, because the package index cannot be reached ({}): check the network and its "
    "proxy, and run the same command again."
)
RETRY = (
    "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'NewConnectionError('<pip object>: "
    "Failed to establish a new connection')': /simple/annotated-doc/"
)
COLLECTING = "Collecting annotated-doc==0.0.7 (from -r requirements.txt (line 1))"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements-local.txt"
    path.write_text(LOCK)
    return path


def write_program(path: Path, script: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return path


def use_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *lines: str, end: str = "exit 0") -> None:
    """Let a script that prints `lines` stand for `python -m pip`, and hide uv."""
    printing = "\n".join(f'echo "{line}"' for line in lines)
    program = write_program(tmp_path / "programs" / "python", f"{printing}\n{end}\n")
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(shutil, "which", lambda _: None)


def use_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Let a script stand for uv. Returns the file with the arguments and retries of each call, one on each line."""
    calls = tmp_path / "calls"
    record = f'echo "$UV_HTTP_RETRIES: $*" >> {calls}\n'
    write_program(tmp_path / "programs" / "uv", record + script)
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("UV_HTTP_RETRIES", raising=False)
    return calls


# --- pip


def test_without_a_network_pip_is_stopped_at_its_first_retry_with_one_sentence(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_pip(tmp_path, monkeypatch, COLLECTING, RETRY, end="exec sleep 60")
    began = time.monotonic()
    assert main([str(lock)]) == 1
    assert time.monotonic() - began < 30
    assert capsys.readouterr().out.splitlines()[1:] == [NO_NETWORK.format("NewConnectionError")]


def test_a_connection_that_breaks_later_is_left_to_the_retries_of_pip(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_pip(tmp_path, monkeypatch, COLLECTING, "  Downloading annotated_doc-0.0.7.whl (6 kB)", RETRY)
    assert main([str(lock)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Installed the packages in ")


def test_the_progress_names_the_package_and_the_count(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install_packages, "PLAIN_SECONDS", 0)
    local_wheel = "Processing /opt/wheels/cffi-2.1.1-cp313-cp313-linux_x86_64.whl (from -r requirements.txt (line 4))"
    unpacking = "Installing collected packages: annotated-doc, cffi"
    use_pip(tmp_path, monkeypatch, COLLECTING, local_wheel, unpacking)
    assert main([str(lock)]) == 0
    lines = [re.sub(r" \(\d+ s\)", "", line) for line in capsys.readouterr().out.splitlines()]
    assert lines[:4] == [
        "Installing the packages of requirements-local.txt. This happens once.",
        "  1 of 3 packages, fetching annotated-doc",
        "  2 of 3 packages, fetching cffi",
        "  2 of 3 packages, unpacking all of them",
    ]


def test_a_silent_installer_is_reported_with_the_seconds(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install_packages, "PLAIN_SECONDS", 0.01)
    monkeypatch.setattr(install_packages, "TERMINAL_SECONDS", 0.02)
    use_pip(tmp_path, monkeypatch, COLLECTING, end="sleep 0.3")
    assert main([str(lock)]) == 0
    assert capsys.readouterr().out.count("fetching annotated-doc") > 1


def test_another_failure_shows_what_pip_printed_last(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_pip(tmp_path, monkeypatch, COLLECTING, "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", end="exit 1")
    assert main([str(lock)]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES",
        "The packages cannot be installed: pip failed, and its output shows why.",
    ]


# --- uv


def test_uv_asks_for_one_missing_package_and_then_installs_the_lock_file_with_its_hashes(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = use_uv(tmp_path, monkeypatch, "exit 0\n")
    assert main([str(lock)]) == 0
    asked, installed = calls.read_text().splitlines()
    python = f"pip install --python {sys.executable}"
    assert re.fullmatch(rf"0: {python} --dry-run --no-deps [\w.-]+==[\d.]+", asked)
    assert installed == f": {python} --require-hashes -r {lock}"


def test_without_a_network_uv_tries_once_and_one_sentence_says_so(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = 'echo "error: Failed to fetch: x\n  cause: client error (Connect)\n  cause: dns error" >&2\nexit 2\n'
    calls = use_uv(tmp_path, monkeypatch, failure)
    assert main([str(lock)]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [NO_NETWORK.format("uv could not connect")]
    assert len(calls.read_text().splitlines()) == 1


def test_another_failure_shows_what_uv_printed_last(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_uv(tmp_path, monkeypatch, 'echo "error: Hash mismatch for x" >&2\nexit 1\n')
    assert main([str(lock)]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "error: Hash mismatch for x",
        "The packages cannot be installed: uv failed, and its output shows why.",
    ]


# --- both


def test_ctrl_c_stops_without_a_traceback(
    lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(install_packages, "install_packages", interrupt)
    assert main([str(lock)]) == 130
    assert capsys.readouterr().out == "\nStopped.\n"


def test_only_the_standard_library_is_imported() -> None:
    tree = ast.parse(Path(install_packages.__file__).read_text(encoding="utf-8"))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert {str(name).partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_installation_counts_every_package_of_the_lock_file() -> None:
    pins = install_packages.pins_of(LOCK)
    assert json.dumps(pins) == '{"annotated-doc": "0.0.7", "cffi": "2.1.1", "not-installed-anywhere": "1.0"}'
