"""Copies are kept in a container of Azurite as in a folder."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest

from local.azurite import ACCOUNT, KEY, Azurite
from shared.foundation.errors import ConfigurationError, NotFound
from shared.store.copies import Copies, FolderCopies
from shared.store.copy_container import BLOCK_BYTES, ContainerCopies, signer_of_key
from tests.conformance.conftest import ON_AZURITE


def container(running: Azurite, key: str = KEY) -> ContainerCopies:
    url = f"{running.scheme}://127.0.0.1:{running.blob}/{ACCOUNT}/c{uuid4().hex}"
    return ContainerCopies(url, signer_of_key(ACCOUNT, key))


@pytest.fixture(params=["folder", ON_AZURITE])
def copies(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Copies]:
    if request.param == "folder":
        yield FolderCopies(tmp_path / "copies")
    else:
        opened = container(request.getfixturevalue("running_azurite"))
        opened.create()
        opened.create()
        yield opened


def read(copies: Copies, name: str) -> bytes:
    into = BytesIO()
    copies.read(name, into)
    return into.getvalue()


@pytest.mark.parametrize("size", [0, 5, BLOCK_BYTES, 2 * BLOCK_BYTES + 5])
def test_a_file_comes_back_whole(copies: Copies, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    assert copies.write("a.gz", lambda out: out.write(content[:size])) == size
    assert read(copies, "a.gz") == content[:size]


def test_a_file_that_was_interrupted_is_not_seen_and_leaves_the_one_before(copies: Copies) -> None:
    copies.write("a.gz", lambda out: out.write(b"good"))
    for name in ("a.gz", "b.gz"):
        with pytest.raises(ZeroDivisionError):
            copies.write(name, lambda out: out.write(b"half") // 0)
    assert list(copies.names()) == ["a.gz"]
    assert read(copies, "a.gz") == b"good"


def test_files_are_listed_by_name_and_deleted(copies: Copies) -> None:
    assert list(copies.names()) == []
    for name in ("b.gz", "a.gz"):
        copies.write(name, lambda out: out.write(b"x"))
    assert list(copies.names()) == ["a.gz", "b.gz"]
    copies.delete("a.gz")
    copies.delete("a.gz")
    assert list(copies.names()) == ["b.gz"]
    with pytest.raises(NotFound):
        read(copies, "a.gz")


@pytest.mark.node
def test_a_container_that_refuses_or_is_missing_is_named(running_azurite: Azurite) -> None:
    for refused in (container(running_azurite), container(running_azurite, "d3Jvbmc=")):
        with pytest.raises(ConfigurationError, match="BACKUP_CONTAINER: http"):
            refused.names()
