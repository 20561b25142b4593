"""The targets of the Makefile, run in a copy of the checkout: what they install, and what they say if they cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.systems import ROOT
from shared import __version__
from tests.unit.docs.docs_reader import tracked_files

MAKE = shutil.which("make") or "make"
FILES_OF_THE_MAKEFILE = ("Makefile", ".python-version", "requirements-local.txt", "requirements-dev.txt")
INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_FIND_LINKS")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and what its targets need before the packages are installed."""
    folder = tmp_path / "checkout"
    for name in FILES_OF_THE_MAKEFILE:
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "local", folder / "local", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def whole_checkout(tmp_path: Path) -> Path:
    """A copy of all tracked files, as a fresh clone has them."""
    if not tracked_files():
        pytest.skip("this is not a git checkout: no file is tracked")
    for path in tracked_files():
        target = tmp_path / "clone" / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path / "clone"


def run_make(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a shell: the variables of a make that runs these tests are removed."""
    removed = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ENV", "NODE_REQUIRED", "PORT", "MARK")
    clean = {name: value for name, value in os.environ.items() if name not in removed}
    return subprocess.run(  # noqa: S603 - our own command
        [MAKE, *words], cwd=folder, env={**clean, **environ}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip


def write_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


# --- what is missing


@pytest.mark.parametrize("target", ["deploy", "rollback"])
def test_a_missing_env_is_one_sentence_before_anything_is_installed(checkout: Path, target: str) -> None:
    completed = run_make(checkout, target)
    assert completed.stdout == f"ENV is missing. Name the environment, for example: make {target} ENV=staging\n"
    assert completed.returncode == 2
    assert not (checkout / ".venv").exists()


# --- Node.js

TESTS_WITH_NODE = "the tests with Azurite, jsforce and the parser of alert queries"
NPM_FAILS = "npm cannot install the packages of tests/conformance/azurite"
INSTALLING = "Installing Node packages in tests/conformance/azurite. This happens once.\n"


@pytest.fixture
def failing_npm(checkout: Path, tmp_path: Path) -> str:
    """A PATH whose npm leaves half of its work and fails, as without a network."""
    (checkout / "tests/conformance/azurite").mkdir(parents=True)
    write_program(tmp_path / "programs", "npm", "mkdir node_modules; exit 1")
    return f"{tmp_path / 'programs'}{os.pathsep}{os.environ['PATH']}"


def test_an_npm_that_cannot_install_skips_its_tests_loudly(checkout: Path, failing_npm: str) -> None:
    completed = run_make(checkout, "node", PATH=failing_npm)
    assert completed.stdout == f"{INSTALLING}SKIPPED: {NPM_FAILS}, so {TESTS_WITH_NODE} do not all run.\n"
    assert completed.returncode == 0
    assert not (checkout / "tests/conformance/azurite/node_modules").exists()


def test_an_npm_that_cannot_install_is_a_failure_where_node_is_required(checkout: Path, failing_npm: str) -> None:
    completed = run_make(checkout, "node", PATH=failing_npm, NODE_REQUIRED="yes")
    sentence = f"FAILED: {NPM_FAILS}, but NODE_REQUIRED is set: {TESTS_WITH_NODE} must run.\n"
    assert completed.stdout == INSTALLING + sentence
    assert completed.returncode == 2


@pytest.mark.parametrize(("required", "word", "status"), [("", "SKIPPED", 0), ("yes", "FAILED", 2)])
def test_a_missing_npm_is_reported_in_the_same_way(checkout: Path, required: str, word: str, status: int) -> None:
    (checkout / "empty").mkdir()
    completed = run_make(checkout, "node", PATH=str(checkout / "empty"), NODE_REQUIRED=required)
    assert completed.stdout.startswith(f"{word}: Node.js is not installed, ")
    assert completed.returncode == status


@pytest.mark.slow
@pytest.mark.parametrize(("required", "status", "outcome"), [("", 0, "1 skipped"), ("yes", 1, "1 error")])
def test_a_skipped_test_with_node_fails_where_node_is_required(required: str, status: int, outcome: str) -> None:
    test = "tests/conformance/test_kusto.py::test_the_parser_finds_an_error[an operator]"
    completed = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=ROOT, env={**os.environ, "PATH": "", "NODE_REQUIRED": required}, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip
    assert completed.returncode == status, completed.stdout
    assert outcome in completed.stdout.splitlines()[-1]


def test_ci_requires_node() -> None:
    assert "export NODE_REQUIRED=yes" in (ROOT / ".ci/run").read_text(encoding="utf-8")


# --- the first run


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A PATH with uv, or one without it."""
    name: str = request.param
    if name == "uv" and shutil.which("uv") is None:
        pytest.skip("uv is not installed on this machine")
    if name == "pip":
        folders = os.environ["PATH"].split(os.pathsep)
        monkeypatch.setenv("PATH", os.pathsep.join(each for each in folders if not (Path(each) / "uv").exists()))
    return name


@pytest.mark.slow  # it makes a Python environment
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("installer")
def test_without_a_network_the_first_run_ends_after_one_try_with_one_sentence(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in INDEX_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    closed = "http://127.0.0.1:9/simple"
    environ = {"PIP_INDEX_URL": closed, "UV_DEFAULT_INDEX": closed, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CACHE": "1"}
    completed = run_make(checkout, "run", **environ)
    *before, sentence = completed.stdout.splitlines()
    assert before == [
        "Creating the Python environment .venv.",
        "Installing the packages of requirements-local.txt. This happens once.",
    ]
    assert sentence.startswith("The packages cannot be installed, because the package index cannot be reached (")
    assert completed.returncode == 2


@pytest.mark.slow  # it needs the package registry
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("installer")
def test_the_first_run_installs_only_what_the_story_needs(whole_checkout: Path) -> None:
    completed = run_make(whole_checkout, "run", "DEALS=1")
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "Both sides agree." in completed.stdout
    assert "Installed the packages in " in completed.stdout
    missing = "import importlib.util as i; print([m for m in ('pytest', 'mypy', 'ruff') if i.find_spec(m)])"
    assert run_in(whole_checkout, ".venv/bin/python", "-c", missing) == "[]\n"
    assert run_in(whole_checkout, ".venv/bin/cosell", "--version") == f"{__version__}\n"


def run_in(folder: Path, program: str, *words: str) -> str:
    """The output of a program of the checkout."""
    return subprocess.run([folder / program, *words], cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own command
