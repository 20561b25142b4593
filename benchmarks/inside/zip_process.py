"""Makes the zip that a build deploys, and unpacks it: `python -P zip_process.py ROOT MAPPING FOLDER`.

The mapping file of the zip is `MAPPING`, so that the app may send deals to the emulators.
"""

import contextlib
import importlib
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

PLACES = (
    ("infra.azure.deploy.zip_package", "build_zip", "zip_for_environment", "code_files"),
    ("infra.azure.deploy.package", "build", "for_environment", "code"),
)
"""Where a build has the functions that make its zip: this build, and f9a8dde."""
ENVIRONMENT = "bench"


def build_zip(root: Path, mapping: bytes) -> bytes:
    """The bytes of the zip. Raises ModuleNotFoundError for a build that makes its zip in another way."""
    for module, build, for_environment, code in PLACES:
        with contextlib.suppress(ModuleNotFoundError):
            place: Any = importlib.import_module(module)
            package = getattr(place, build)(root, "production")
            made = getattr(place, for_environment)(getattr(package, code), package.record, ENVIRONMENT, mapping)
            return bytes(made.data)
    raise ModuleNotFoundError("the build has no module that makes its zip")


def main() -> int:
    """Unpack the zip into the folder; returns 0."""
    root, mapping, folder = map(Path, sys.argv[1:4])
    sys.path.insert(0, str(root))
    with zipfile.ZipFile(io.BytesIO(build_zip(root, mapping.read_bytes()))) as archive:
        archive.extractall(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
