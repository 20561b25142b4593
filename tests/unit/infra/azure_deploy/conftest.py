"""Gives each test a checkout of its own and a fake Azure."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.infra.azure_deploy.fake_azure import FakeAzure, make_checkout, run_fake_azure


@pytest.fixture(scope="session")
def unused_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that each test copies: git takes time."""
    root = tmp_path_factory.mktemp("checkout")
    make_checkout(root)
    return root


@pytest.fixture
def azure(tmp_path: Path, unused_checkout: Path) -> Iterator[FakeAzure]:
    root = tmp_path / "checkout"
    shutil.copytree(unused_checkout, root)
    with run_fake_azure(root, tmp_path / "azure") as azure:
        yield azure
