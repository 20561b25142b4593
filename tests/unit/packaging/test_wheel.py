"""What the wheel requires and holds; it is built here in the process, without a network."""

import re
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

from hatch_build import pins
from shared import __version__
from tests.unit.packaging.lock_file import ROOT, locked

METADATA = f"cosell-{__version__}.dist-info"
FOLDERS = {"shared": "shared", "infra/salesforce": "shared/cli/salesforce_package"}
"""The folders of the repository that the wheel holds, and where it puts them."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    [built] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(archive.read(f"{METADATA}/METADATA").decode())


def test_the_wheel_requires_exactly_the_versions_of_the_lock_file(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist", [])
    assert {Requirement(each) for each in required} == locked()
    assert len(required) == len(locked()) > 40


def test_every_package_that_the_command_names_is_required(metadata: Message) -> None:
    wanted = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("requirements.in", "requirements-cli.in"))
    required = {Requirement(each).name for each in metadata.get_all("Requires-Dist", [])}
    assert set(re.findall(r"^([a-z][\w-]*)", wanted, re.MULTILINE)) <= required


def test_a_marker_of_the_lock_file_is_kept(metadata: Message) -> None:
    required = {each.name: each for each in map(Requirement, metadata.get_all("Requires-Dist", []))}
    assert str(required["colorama"].marker) == 'sys_platform == "win32"'
    assert required["rich"].marker is None


def test_the_version_is_that_of_the_code(metadata: Message) -> None:
    assert metadata["Version"] == __version__


def test_the_wheel_installs_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        declared = archive.read(f"{METADATA}/entry_points.txt").decode()
    assert declared.split("\n", 1)[0] == "[console_scripts]"
    assert "cosell = shared.cli.main:main" in declared.splitlines()


def test_the_wheel_holds_the_product_with_its_salesforce_package_and_nothing_else(names: set[str]) -> None:
    expected = {
        f"{place}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, place in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and not any(part == "__pycache__" or part.startswith(".") for part in path.relative_to(ROOT).parts)
    }
    assert {name for name in names if not name.startswith(METADATA)} == expected
    assert "shared/mapping/default.toml" in expected
    assert "shared/cli/salesforce_package/sfdx-project.json" in expected
    for part in ("force-app", "translations"):
        assert any(name.startswith(f"shared/cli/salesforce_package/{part}/") for name in expected)


@pytest.mark.parametrize(
    "line", ["rich", "rich>=15", "rich @ file:rich.whl", "-r other.txt", "rich ; python_version == '3.13'"]
)
def test_a_line_that_pins_no_version_stops_the_build(line: str) -> None:
    with pytest.raises(ValueError, match=r"requirements-cli\.txt must pin a version"):
        list(pins(f"typer==1.0 \\\n    --hash=sha256:00\n{line}\n"))


def test_hashes_and_comments_are_left_out() -> None:
    lock = "# a comment\n\nrich==15.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n    # via typer\n"
    assert list(pins(lock)) == ["rich==15.0 ; sys_platform == 'win32'"]
