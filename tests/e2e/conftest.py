"""Runs the app once in this process, with the real worker library, emulators with TLS, and real sockets."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

import shared.app
from emulators.base.clock import EmulatedClock
from local.host.functions_host import Host
from local.host.queues import EmbeddedQueues
from local.systems import ROOT, start_systems
from tests.e2e.world import WAIT_SECONDS, LogEvents, World


@pytest.fixture(scope="session")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Started once, because one process can load one app only. It leaves the environment unchanged."""
    clock = EmulatedClock()
    folder = tmp_path_factory.mktemp("systems")
    queues = EmbeddedQueues(clock=clock.now)
    with pytest.MonkeyPatch.context() as during, start_systems(folder) as systems:
        for name, value in systems.environ.items():
            during.setenv(name, value)
        host = Host(ROOT, queue=queues, clock=clock.now)
        host.start(tls=systems.authority.server_context())
        during.undo()
        with httpx.Client(
            base_url=host.url, verify=systems.authority.client_context(), trust_env=False, timeout=60
        ) as client:
            yield World(systems, host, queues, clock, client)
        host.stop()
        queues.close()


@pytest.fixture
def world(_started: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world after a reset, with a new store for each test."""
    for name, value in _started.systems.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "store.sqlite"))
    _reset_world(_started)
    yield _started
    _started.systems.partner_center.dispatcher.forget_all()
    with suppress(TimeoutError):  # the reset for the next test removes what this test left in the queue
        _started.host.wait_idle(0)
    shared.app.reset()


def _reset_world(world: World) -> None:
    shared.app.reset()
    world.systems.reset()
    world.systems.salesforce.clock.set(datetime.now(UTC))
    assert world.systems.partner_center.dispatcher.wait_idle(WAIT_SECONDS)
    for queue in ("referral-events", "referral-events-poison"):
        world.queues.clear_queue(queue)
    world.host.wait_idle(WAIT_SECONDS)
    world.host.failures.clear()


@pytest.fixture
def log_events() -> Iterator[LogEvents]:
    """The connector's log events during the test."""
    events, logger = LogEvents(), logging.getLogger("cosell")
    before = logger.level
    logger.addHandler(events)
    logger.setLevel(logging.INFO)
    yield events
    logger.removeHandler(events)
    logger.setLevel(before)
