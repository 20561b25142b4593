"""The stage of each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.infra.azure_deploy.stage import Stage, checkout, played


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fresh")
    checkout(root)
    return root


@pytest.fixture
def stage(tmp_path: Path, fresh: Path) -> Iterator[Stage]:
    root = tmp_path / "checkout"
    shutil.copytree(fresh, root)
    with played(root, tmp_path / "stage") as stage:
        yield stage
