"""The page docs/reference/emulator-of-salesforce.md names everything that the emulator has."""

import re
from pathlib import Path

from emulators.salesforce import SalesforceEmulator

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "reference" / "emulator-of-salesforce.md").read_text(encoding="utf-8")
SHARED_CONTROLS = {"journal", "faults", "clock", "reset"}


def test_the_page_lists_exactly_the_controls_of_the_emulator(emulator: SalesforceEmulator) -> None:
    documented = set(re.findall(r"(?:GET|POST|DELETE) /_control/(\w+)", PAGE)) - SHARED_CONTROLS
    assert documented == set(emulator._control_api._posts) | {"records", "hooks", "notifications"}


def test_the_page_lists_every_tag() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "emulators/salesforce").rglob("*.py"))
    tags = set(re.findall(r'[._]tag\("([\w.]+)"', sources)) | set(
        re.findall(r'self\._fixed_reply\(call, "(\w+)"', sources)
    )
    assert {"composite", "limits", "oauth", "collections.update"} <= tags
    for tag in tags:
        name = "." + tag.partition(".")[2] if tag.startswith("collections.") and tag != "collections.create" else tag
        assert f"`{name}`" in PAGE, tag


def test_the_page_lists_every_object(emulator: SalesforceEmulator) -> None:
    for sobject in emulator.org.model:
        assert re.search(rf"\b{sobject.name}\b", PAGE)
