"""Referral bodies in the shape that the service returns, one for each peculiarity of what people enter in the portal.

The names are invented. The shapes are those of docs/reference/partner-center.md#shape-of-a-referral: unset scalars are
null, unset collections are [] or absent, fractions have seven digits, and names hold HTML entities.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NAMES = tuple(sorted(file.stem for file in FOLDER.glob("*.json")))

OF_THE_SERVICE = (
    "id", "engagementId", "eTag", "organizationId", "organizationName", "links", "createdDateTime", "updatedDateTime",
)  # fmt: skip
"""The properties of a body that an emulated service chooses by itself."""


def portal_body(name: str) -> dict[str, Any]:
    """A new copy of the body in the file of this name."""
    body: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return body


def raw_values(name: str) -> dict[str, Any]:
    """The values of a body that a test can put into a stored referral, by JSON pointer."""
    return {f"/{key}": value for key, value in portal_body(name).items() if key not in OF_THE_SERVICE}
