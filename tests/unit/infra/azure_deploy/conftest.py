"""Gives each test a checkout of its own and a fake Azure."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.azure.deploy.session import ROOT
from infra.azure.deploy.zip_package import ZipPackage, build_zip
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure, make_checkout, run_fake_azure


@pytest.fixture(scope="session")
def unused_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that each test copies: git takes time."""
    root = tmp_path_factory.mktemp("checkout")
    make_checkout(root)
    return root


@pytest.fixture(scope="session")
def staging_zip() -> ZipPackage:
    """The zip of this repository for staging, which no test changes: it takes a second to build."""
    return build_zip(ROOT, "staging")


@pytest.fixture
def home(tmp_path: Path, staging_zip: ZipPackage) -> Path:
    """The unpacked zip of this repository."""
    with zipfile.ZipFile(io.BytesIO(staging_zip.data)) as archive:
        archive.extractall(tmp_path)
    return tmp_path


@pytest.fixture
def azure(tmp_path: Path, unused_checkout: Path) -> Iterator[FakeAzure]:
    root = tmp_path / "checkout"
    shutil.copytree(unused_checkout, root)
    with run_fake_azure(root, tmp_path / "azure") as azure:
        yield azure
