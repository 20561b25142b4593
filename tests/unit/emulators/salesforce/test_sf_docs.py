"""The emulator's page and the emulator say the same."""

import re
from pathlib import Path

from emulators.salesforce import SalesforceEmulator

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "emulators-salesforce.md").read_text(encoding="utf-8")
SHARED = {"journal", "faults", "clock", "reset"}


def test_every_control_is_on_the_page_and_the_reverse(emulator: SalesforceEmulator) -> None:
    told = set(re.findall(r"(?:GET|POST|DELETE) /_control/(\w+)", PAGE)) - SHARED
    assert told == set(emulator._control_api._posts) | {"records", "hooks"}


def test_every_tag_is_on_the_page() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "emulators/salesforce").rglob("*.py"))
    tags = set(re.findall(r'[._]tag\("([\w.]+)"', sources)) | set(
        re.findall(r'self\._only\(call, "GET", "(\w+)"', sources)
    )
    assert {"composite", "limits", "oauth", "collections.update"} <= tags
    for tag in tags:
        name = "." + tag.partition(".")[2] if tag.startswith("collections.") and tag != "collections.create" else tag
        assert f"`{name}`" in PAGE, tag


def test_every_object_is_on_the_page(emulator: SalesforceEmulator) -> None:
    for sobject in emulator.org.model:
        assert re.search(rf"\b{sobject.name}\b", PAGE)
