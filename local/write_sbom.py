"""Writes the bill of materials of the app (SBOM, CycloneDX 1.6) to stdout: `python -m local.write_sbom FOLDER`.

`make lock` installs into FOLDER what Linux and Python 3.13 install from requirements.txt alone. The same packages give
the same bytes: nothing in the document is a time, a path or the address of a registry.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

FILE = "sbom.cdx.json"
NAME = "cosell"
SPDX: Mapping[str, str] = {
    "Apache 2.0": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "BSD-3-Clause": "BSD-3-Clause",
    "MIT": "MIT",
    "MIT License": "MIT",
    "MPL-2.0": "MPL-2.0",
}
"""The SPDX id of each licence that a package states in its own words."""
LICENCE_FILES: Mapping[str, str] = {"isodate": "BSD-3-Clause"}
"""By package, the SPDX id of the licence file, where the metadata holds the text of the licence."""
SPACE = uuid.UUID("6f1d3c0e-6c86-5d0a-9a5d-3a3f6f1b8c52")


class UnknownLicence(Exception):
    """A package states a licence that the tables do not have. `str()` names both and the remedy."""


def bill_of_materials(packages: Iterable[Distribution]) -> str:
    """The document as text, with the packages by name. Raises UnknownLicence."""
    components = sorted(map(_component, packages), key=lambda component: component["name"])
    # The serial number is that of this set of packages, so that it tells two sets apart.
    serial = uuid.uuid5(SPACE, json.dumps(components, sort_keys=True))
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": NAME, "name": NAME}},
        "components": components,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _component(package: Distribution) -> dict[str, Any]:
    name = re.sub(r"[-_.]+", "-", package.name).lower()
    purl = f"pkg:pypi/{name}@{package.version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": package.version,
        "licenses": [_licence(package, name)],
        "purl": purl,
    }


def _licence(package: Distribution, name: str) -> dict[str, Any]:
    """The licence in CycloneDX's form: an SPDX id, or an expression of several."""
    expression = package.metadata.get("License-Expression")
    stated = package.metadata.get("License") or ""
    spdx = expression or LICENCE_FILES.get(name) or SPDX.get(stated.strip())
    if not spdx:
        first = next(iter(stated.splitlines()), "") or "none"
        raise UnknownLicence(f"{name} states the licence {first!r}: add its SPDX id to local/write_sbom.py.")
    return {"expression": spdx} if " " in spdx else {"license": {"id": spdx}}


def main(folder: Path) -> int:
    """Print the document of the packages in a folder; returns the exit status."""
    try:
        text = bill_of_materials(distributions(path=[str(folder)]))
    except UnknownLicence as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
