"""The bill of materials lists what Linux and Python 3.13 install from requirements.txt alone."""

import json
import re
import sys
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from local.write_sbom import FILE, UnknownLicence, bill_of_materials, main
from tests.unit.packaging.lock_file import ROOT

AZURE = {
    "implementation_name": "cpython", "os_name": "posix", "platform_machine": "x86_64",
    "platform_python_implementation": "CPython", "platform_system": "Linux", "python_full_version": "3.13.0",
    "python_version": "3.13", "sys_platform": "linux",
}  # fmt: skip
"""The values of the markers where the app runs."""


def locked_versions() -> dict[str, str]:
    """The versions that the lock pins for the place where the app runs, by package."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = [Requirement(pin) for pin in re.findall(r"^([a-z].*) \\$", text, re.MULTILINE)]
    return {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(AZURE)
    }


def read_document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / FILE).read_text(encoding="utf-8"))
    return document


def write_package(folder: Path, name: str, **fields: str) -> Distribution:
    """Write the metadata of an installed package."""
    home = folder / f"{name}-1.0.dist-info"
    home.mkdir()
    lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0"]
    lines += [f"{key.replace('_', '-')}: {value}" for key, value in fields.items()]
    (home / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Distribution.at(home)


def test_names_and_versions_are_those_of_the_lock() -> None:
    listed = {component["name"]: component["version"] for component in read_document()["components"]}
    assert listed == locked_versions()


def test_every_component_has_a_licence_and_its_own_address_among_packages() -> None:
    for component in read_document()["components"]:
        name, version = component["name"], component["version"]
        assert component["purl"] == component["bom-ref"] == f"pkg:pypi/{name}@{version}"
        [licence] = component["licenses"]
        assert licence.get("expression") or licence["license"]["id"]


def test_no_address_is_in_the_file() -> None:
    text = (ROOT / FILE).read_text(encoding="utf-8")
    assert "://" not in text
    assert str(ROOT) not in text


@pytest.mark.skipif(sys.platform != "linux", reason="SKIPPED: only Linux installs the packages of the file")
def test_the_installed_packages_give_the_same_bytes() -> None:
    """The tests run with the same versions, so the licences can be read again."""
    names = locked_versions()
    installed = {normal(package): package for package in distributions()}
    text = bill_of_materials(reversed([installed[name] for name in names]))
    assert text == (ROOT / FILE).read_text(encoding="utf-8")


def normal(package: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", package.name).lower()


def test_another_version_gives_another_serial_number(tmp_path: Path) -> None:
    names = ("one", "two")
    packages = [write_package(tmp_path, name, License="MIT") for name in names]
    numbers = {json.loads(bill_of_materials(some))["serialNumber"] for some in (packages, packages[:1])}
    assert len(numbers) == 2
    assert all(number.startswith("urn:uuid:") for number in numbers)


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License_Expression": "MIT"}, {"license": {"id": "MIT"}}),
        ({"License_Expression": "Apache-2.0 OR MIT"}, {"expression": "Apache-2.0 OR MIT"}),
        ({"License": "MIT License"}, {"license": {"id": "MIT"}}),
    ],
)
def test_a_licence_is_an_id_or_an_expression(tmp_path: Path, fields: Mapping[str, str], licence: object) -> None:
    [component] = json.loads(bill_of_materials([write_package(tmp_path, "My_Package", **fields)]))["components"]
    assert (component["name"], component["licenses"]) == ("my-package", [licence])


def test_an_unknown_licence_ends_make_lock_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = write_package(tmp_path, "odd", License="Do what you like")
    with pytest.raises(UnknownLicence, match="odd states the licence 'Do what you like': add its SPDX id"):
        bill_of_materials([package])
    assert main(tmp_path) == 1
    assert "local/write_sbom.py" in capsys.readouterr().err
