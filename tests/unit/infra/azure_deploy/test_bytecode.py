"""The bytecode in a zip is always that of the sources beside it."""

import importlib.util
import io
import py_compile
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from infra.azure.deploy.bytecode import bytecode_path, compile_sources, foreign_bytecode, is_bytecode
from infra.azure.deploy.failure import DeploymentFailure
from infra.azure.deploy.session import ROOT
from infra.azure.deploy.zip_package import ZipPackage, build_zip
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure

SOURCES = {"app.py": b"value = 1\n", "shared/deal.py": b"deal = {'b', 'a'}\n", "host.json": b"{}"}


def test_every_source_has_bytecode_and_nothing_else_has(staging_zip: ZipPackage) -> None:
    assert set(compile_sources(SOURCES)) == {
        "__pycache__/app.cpython-313.pyc",
        "shared/__pycache__/deal.cpython-313.pyc",
    }
    files = staging_zip.files
    assert {name for name in files if is_bytecode(name)} == {bytecode_path(n) for n in files if n.endswith(".py")}


def test_python_looks_for_the_bytecode_where_it_is() -> None:
    assert importlib.util.cache_from_source("shared/app.py") == bytecode_path("shared/app.py")


BUILD = """
import hashlib, pathlib, sys
from infra.azure.deploy.zip_package import app_files
from infra.azure.deploy.bytecode import compile_sources
root = pathlib.Path.cwd()
code = {path.relative_to(root).as_posix(): path.read_bytes() for path in app_files(root)}
print(hashlib.sha256(repr(sorted(compile_sources(code).items())).encode()).hexdigest())
"""


@pytest.mark.slow
def test_other_processes_make_the_same_bytecode() -> None:
    made = set[str]()
    for seed in ("1", "2"):
        command = [sys.executable, "-c", BUILD]
        environ = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
        made.add(done.stdout)
    assert len(made) == 1


def of_other_source(_: bytes) -> bytes:
    return compile_sources({"app.py": b"value = 2\n"})["__pycache__/app.cpython-313.pyc"]


def with_a_time_stamp(data: bytes) -> bytes:
    return data[:4] + bytes(4) + data[8:]


def checked_against_its_source(data: bytes) -> bytes:
    return data[:4] + (0b11).to_bytes(4, "little") + data[8:]


def of_another_python(data: bytes) -> bytes:
    return b"\0\0" + data[2:]


def cut(data: bytes) -> bytes:
    return data[:15]


CHANGES: tuple[Callable[[bytes], bytes], ...] = (
    of_other_source, with_a_time_stamp, checked_against_its_source, of_another_python, cut,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change.__name__))
def test_bytecode_that_does_not_belong_to_its_source_is_found(change: Callable[[bytes], bytes]) -> None:
    files = {**SOURCES, **compile_sources(SOURCES)}
    assert foreign_bytecode(files) == []
    name = "__pycache__/app.cpython-313.pyc"
    assert foreign_bytecode({**files, name: change(files[name])}) == [name]


def test_bytecode_without_a_source_is_found() -> None:
    made = compile_sources(SOURCES)
    assert foreign_bytecode({**made, "app.py": SOURCES["app.py"]}) == ["shared/__pycache__/deal.cpython-313.pyc"]


def test_bytecode_of_the_checkout_never_gets_into_a_zip(azure: FakeAzure) -> None:
    source, other = azure.root / "shared/domain/deal.py", azure.root / "other.py"
    other.write_text("deal = 666\n", "utf-8")
    (source.parent / "__pycache__").mkdir()
    name, stale = "shared/domain/deal.py", bytecode_path("shared/domain/deal.py")
    expected = compile_sources({name: source.read_bytes()})[stale]
    for mode in py_compile.PycInvalidationMode:
        py_compile.compile(str(other), str(azure.root / stale), dfile=str(source), invalidation_mode=mode)
        assert build_zip(azure.root, "staging").files[stale] == expected


def zip_with(package: ZipPackage, changes: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in {**package.files, **changes}.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_a_zip_whose_bytecode_is_not_that_of_its_sources_is_rejected(azure: FakeAzure) -> None:
    package = build_zip(azure.root, "staging")
    assert ZipPackage.from_bytes(zip_with(package, {})).record == package.record
    with pytest.raises(DeploymentFailure, match=r"shared/domain/__pycache__/deal\.cpython-313\.pyc"):
        ZipPackage.from_bytes(zip_with(package, {"shared/domain/deal.py": b"deal = 2\n"}))


def test_another_python_makes_no_zip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.implementation.cache_tag", "cpython-399")
    with pytest.raises(DeploymentFailure, match=r"must be made with Python 3\.13"):
        compile_sources(SOURCES)


def test_a_source_that_cannot_be_compiled_makes_no_zip() -> None:
    with pytest.raises(DeploymentFailure, match=r"app\.py cannot be compiled"):
        compile_sources({"app.py": b"def\n"})


def test_a_traceback_names_the_source_in_the_zip(tmp_path: Path) -> None:
    (tmp_path / "app.pyc").write_bytes(compile_sources({"shared/app.py": b"raise ValueError\n"}).popitem()[1])
    done = subprocess.run([sys.executable, str(tmp_path / "app.pyc")], capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    assert 'File "shared/app.py", line 1' in done.stderr
