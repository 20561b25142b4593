"""The stage of each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.wire import Request, Response, Server
from tests.unit.infra_azure_deploy.stage import Stage, answer_of, checkout, prepare


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fresh")
    checkout(root)
    return root


@pytest.fixture
def stage(tmp_path: Path, fresh: Path) -> Iterator[Stage]:
    root, folder = tmp_path / "checkout", tmp_path / "stage"
    shutil.copytree(fresh, root)
    folder.mkdir()

    def handle(request: Request) -> Response:
        return answer_of(made, request)

    with Server(handle) as server:
        made = Stage(root, folder, server)
        prepare(made)
        yield made
