"""`cosell` as the wheel installs it: an empty environment, a folder that is not the checkout, and the emulators."""

import json
import os
import subprocess
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from local.systems import ROOT, Systems, start_systems
from shared import __version__
from shared.cli.environment import Environment, write_environment
from shared.clients.partner_center.webhook_bodies import EVENTS
from shared.clients.salesforce.source_format import package_folders, read_source
from tests.unit.cli.stand_in_sf import ADMIN, log_in, put_sf_on_path
from tests.unit.packaging.lock_file import locked

pytestmark = [
    pytest.mark.slow,  # it needs the package registry
    pytest.mark.timeout(900),
]

PACKAGE = ROOT / "infra" / "salesforce"
EVENTS_URL = "https://localhost:1/api/events"
REQUIRED = "import importlib.metadata, json; print(json.dumps(importlib.metadata.requires('cosell')))"


def members(*further: Path) -> int:
    """How many components the package of this checkout has, with those of `further` folders."""
    return read_source(*package_folders(PACKAGE), *further).member_count


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds the wheel and its requirements, and the folder where commands are run."""

    programs: Path
    folder: Path

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment with a shell that has no setting of ours."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        return subprocess.run(  # noqa: S603 - our own command
            [self.programs / program, *words], cwd=self.folder, env=clean, capture_output=True, text=True,
            timeout=100, check=False,
        )  # fmt: skip

    def cosell(self, *words: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the JSON document of a command."""
        done = self.run("cosell", *words, "--env", "local", "--json")
        assert done.stdout, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, document


def pip(programs: Path, *words: str | Path) -> None:
    """Run pip; a failure fails the test, so that CI never passes without the installation."""
    command = [programs / "python", "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, check=False)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel, which pip builds and installs as for a user."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    pip(programs, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    [wheel] = folder.glob("cosell-*.whl")
    pip(programs, "install", wheel)
    return programs


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with start_systems(tmp_path_factory.mktemp("systems")) as systems:
        yield systems


@pytest.fixture
def installed(programs: Path, systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """A folder with the two files that a command needs: the names of a deployment, and its mapping file."""
    monkeypatch.chdir(tmp_path)
    mapping = Path("mapping", "acme.toml")
    mapping.parent.mkdir()
    mapping.write_text('extends = "default"\n', encoding="utf-8")
    store = str(tmp_path / "store.sqlite")
    settings = {**systems.environ, "STORE_FILE": store, "MAPPING": mapping.as_posix()}
    write_environment(Environment("local", settings, {"function_app_url": "https://localhost:1"}))
    systems.reset()
    return Installed(programs, tmp_path)


def test_the_environment_requires_the_versions_of_the_lock_file(installed: Installed) -> None:
    required = json.loads(installed.run("python", "-c", REQUIRED).stdout)
    assert {Requirement(each) for each in required} == locked()


def test_the_command_runs_from_the_environment_and_not_from_the_checkout(installed: Installed) -> None:
    place = Path(installed.run("python", "-c", "import shared; print(shared.__file__)").stdout)
    assert place.is_relative_to(installed.programs.parent)
    assert installed.run("cosell", "version").stdout == f"{__version__}\n"


def test_the_doctor_passes_every_check_in_another_folder(installed: Installed, systems: Systems) -> None:
    systems.partner_center.register_events(EVENTS_URL, EVENTS)
    code, document = installed.cosell("doctor")
    assert (code, document["ok"]) == (0, True), document
    [mapping] = [check for check in document["checks"] if check["name"] == "mapping file"]
    assert "acme.toml" in mapping["found"]


def test_the_doctor_reports_what_is_missing_with_exit_code_one(installed: Installed, systems: Systems) -> None:
    systems.vault.secret_store.delete("partner-center-client-secret")
    code, document = installed.cosell("doctor")
    assert (code, document["ok"]) == (1, False)


def test_the_org_accepts_the_salesforce_package_of_the_wheel(
    installed: Installed, systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems.salesforce.bare = True
    systems.reset()
    sf, org = put_sf_on_path(tmp_path / "bin", monkeypatch), systems.salesforce
    log_in(sf, "admin", org, systems.salesforce_url, org.founding.administrator)
    check = ("salesforce", "deploy", "--check-only", *ADMIN)
    code, document = installed.cosell(*check)
    assert (code, document["ok"], document["deployed"]) == (0, True, members()), document
    assert installed.cosell(*check, "--translations")[0] == 3  # the languages are not active in the org
    systems.salesforce.deployments.languages = frozenset({"de", "fr", "ja", "zh_TW"})
    code, document = installed.cosell(*check, "--translations")
    assert (code, document["deployed"]) == (0, members(PACKAGE / "translations")), document
