"""Unpacks the app from its zip, as Azure does, with the mapping file of a local run."""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from infra.azure.deploy.zip_package import app_files, zip_for_environment

ROOT = Path(__file__).parents[1]


@contextmanager
def unpacked_app(environ: Mapping[str, str]) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield the folder of the app, and the environment with which it reads the mapping file of its zip.

    `MAPPING` in `environ` is the path of the file that the zip gets; without it the zip gets one that changes nothing.
    """
    chosen = environ.get("MAPPING")
    mapping = Path(chosen).read_bytes() if chosen else b'extends = "default"\n'
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
        with zipfile.ZipFile(io.BytesIO(_app_zip(mapping))) as archive:
            archive.extractall(folder)
        yield Path(folder), {**environ, "MAPPING": "mapping/local.toml"}


@cache
def _app_zip(mapping: bytes) -> bytes:
    code = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in app_files(ROOT)}
    return zip_for_environment(code, {}, "local", mapping).data
