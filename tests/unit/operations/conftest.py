"""The app with the emulated systems, and what it logs."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App
from tests.no_waits import no_waits

type LoggedEvents = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def systems(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    monkeypatch.setattr("shared.cli.self_signed_certificate.KEY_BITS", 2048)  # a longer key takes long
    with no_waits():
        yield systems


@pytest.fixture
def app(systems: Systems) -> Iterator[App]:
    del systems
    app = App()
    yield app
    app.close()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> LoggedEvents:
    caplog.set_level(logging.INFO, logger="cosell")

    def fields_of(name: str) -> list[dict[str, Any]]:
        lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "cosell"]
        return [
            {key: value for key, value in line.items() if key != "event"} for line in lines if line["event"] == name
        ]

    return fields_of
