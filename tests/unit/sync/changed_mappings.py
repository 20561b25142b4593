"""Mapping files that change while the app runs. The fixture `write` of conftest.py writes them."""

from collections.abc import Callable
from pathlib import Path

from tests.unit.sync.emulated_systems import translation_of
from tests.unit.sync.harness import Harness

WITHOUT_NOTES = '[fields.notes]\ndirection = "off"\n'
Write = Callable[[str], Path]


def change_mapping(harness: Harness, mapping: Path | None = None) -> None:
    """From now on, the app runs with another mapping file: the default one unless a file is given."""
    org = harness.translation.org
    assert org is not None
    harness.translation = (translation_of(mapping) if mapping else translation_of()).for_org(org)
    harness.first = harness.new_instance()
