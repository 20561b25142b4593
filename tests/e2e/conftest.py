"""The project's app in this process: the real worker library, emulators over TLS, real sockets; started once."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

import shared.app
from emulators.base.emulator import EmulatedClock
from local.host.functions_host import Host
from local.host.queues import EmbeddedQueues
from local.systems import ROOT, started
from tests.e2e.world import PATIENCE, Events, World


@pytest.fixture(scope="session")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Started once: the worker library takes one app a process. The environment is as before when a test begins."""
    clock = EmulatedClock()
    folder = tmp_path_factory.mktemp("systems")
    queues = EmbeddedQueues(clock=clock.now)
    with pytest.MonkeyPatch.context() as during, started(folder) as systems:
        for name, value in systems.environ.items():
            during.setenv(name, value)
        host = Host(ROOT, queue=queues, clock=clock.now)
        host.start(tls=systems.authority.server())
        during.undo()
        with httpx.Client(base_url=host.url, verify=systems.authority.client(), trust_env=False) as client:
            yield World(systems, host, queues, clock, client)
        host.stop()
        queues.close()


@pytest.fixture
def world(_started: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Everything as at the start, and a store of the test's own."""
    for name, value in _started.systems.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "store.sqlite"))
    _begin(_started)
    yield _started
    _started.systems.partner_center.dispatcher.forget()
    with suppress(TimeoutError):  # what a test left in the queue goes with the next beginning
        _started.host.wait_idle(0)
    shared.app.reset()


def _begin(world: World) -> None:
    shared.app.reset()
    world.systems.reset()
    assert world.systems.partner_center.dispatcher.wait_idle(PATIENCE)
    for queue in ("referral-events", "referral-events-poison"):
        world.queues.clear(queue)
    world.host.wait_idle(PATIENCE)
    world.host.failures.clear()


@pytest.fixture
def logged() -> Iterator[Events]:
    """The log events of the test."""
    events, logger = Events(), logging.getLogger("cosell")
    before = logger.level
    logger.addHandler(events)
    logger.setLevel(logging.INFO)
    yield events
    logger.removeHandler(events)
    logger.setLevel(before)
