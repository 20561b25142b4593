"""Compiles the app's sources for the zip, so that a cold start need not.

The bytecode is of the kind *unchecked hash*: Python uses it without a look at its source, because the times of a zip's
files do not match (docs/reference/azure.md#cold-start). So bytecode of other sources must not get into a zip: it is
always made of the sources in the zip itself, and `foreign_bytecode` finds what is not.
"""

import importlib.util
import py_compile
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from infra.azure.deploy.failure import DeploymentFailure
from shared.cli.exit_codes import Exit

CACHE_TAG = "cpython-313"
"""The Python that Azure runs the app with."""
_MODE = py_compile.PycInvalidationMode.UNCHECKED_HASH
_HEADER = 16
"""Bytes before the code: Python's magic number, the kind of the file, and the hash of the source."""
_UNCHECKED = (0b01).to_bytes(4, "little")


def is_bytecode(name: str) -> bool:
    """Whether a path in the zip is that of bytecode."""
    return name.endswith(".pyc")


def bytecode_path(source: str) -> str:
    """Return where Python looks for the bytecode of a source.

    >>> bytecode_path("shared/app.py")
    'shared/__pycache__/app.cpython-313.pyc'
    """
    path = PurePosixPath(source)
    return (path.parent / "__pycache__" / f"{path.stem}.{CACHE_TAG}.pyc").as_posix()


def compile_sources(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the bytecode of every Python file, by the path where Python looks for it.

    Raises DeploymentFailure if this is not the Python of the app, or if a file cannot be compiled.
    """
    if sys.implementation.cache_tag != CACHE_TAG:
        raise DeploymentFailure(
            "The zip must be made with Python 3.13.", "Run `make clean`, then run again.", Exit.USAGE
        )
    with tempfile.TemporaryDirectory(prefix="cosell-") as folder:
        return {
            bytecode_path(name): _compile(name, source, Path(folder))
            for name, source in files.items()
            if name.endswith(".py")
        }


def _compile(name: str, source: bytes, folder: Path) -> bytes:
    path, made = folder / "source.py", folder / "made.pyc"
    path.write_bytes(source)
    try:
        py_compile.compile(str(path), str(made), dfile=name, doraise=True, invalidation_mode=_MODE)
    except py_compile.PyCompileError as error:
        raise DeploymentFailure(
            f"{name} cannot be compiled.", "Run `make test`, and correct it.", Exit.USAGE
        ) from error
    return made.read_bytes()


def foreign_bytecode(files: Mapping[str, bytes]) -> list[str]:
    """Return the bytecode files that do not belong to their source in the same zip, or that Python would not use."""
    sources = {bytecode_path(name): data for name, data in files.items() if name.endswith(".py")}
    return sorted(
        name for name, data in files.items() if is_bytecode(name) and data[:_HEADER] != _header(sources, name)
    )


def _header(sources: Mapping[str, bytes], name: str) -> bytes | None:
    source = sources.get(name)
    if source is None:
        return None
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source)
