"""Reads requirements-cli.txt independently of the build hook."""

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]


def locked() -> set[Requirement]:
    """The pins with their markers."""
    lock = (ROOT / "requirements-cli.txt").read_text(encoding="utf-8")
    return {Requirement(pin) for pin in re.findall(r"^([a-z].*) \\$", lock, re.MULTILINE)}
