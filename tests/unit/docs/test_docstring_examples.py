"""Every example of a docstring runs and is true; `app` in an example is an app that is connected to the emulators."""

import doctest
import importlib
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.systems import Systems
from shared.app import App
from tests.unit.docs.docs_reader import ROOT, python_sources

FOLDERS = ("shared", "functions", "emulators", "local", "infra", "tests")
EXAMPLE = re.compile(r"^ *>>> ", re.MULTILINE)
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in FOLDERS
    for path, code in python_sources(folder).items()
    if EXAMPLE.search(code)
)


@pytest.fixture
def app(systems: Systems) -> Iterator[App]:
    """An app with one referral in Partner Center."""
    systems.partner_center.portal_creates()
    with closing(App()) as app:
        yield app


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_of_a_module_are_true(module: str, app: App) -> None:
    given = {"app": app, "yesterday": datetime.now(UTC) - timedelta(days=1)}
    result = doctest.testmod(importlib.import_module(module), extraglobs=given)
    assert result.failed == 0  # the output shows what an example gave instead
    assert result.attempted > 0


def test_no_example_is_skipped() -> None:
    skipped = re.compile(r"doctest: *\+SKIP")
    this = Path(__file__)
    code = {path: text for folder in FOLDERS for path, text in python_sources(folder).items() if path != this}
    assert [path for path, text in code.items() if skipped.search(text)] == []
