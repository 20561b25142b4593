from collections.abc import Iterator

import pytest

from infra.local.host.invocations import Invocations
from infra.local.host.queues import EmbeddedQueues
from tests.unit.host.doubles import ScriptedRunner, SteppedClock


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def runner() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
def queues(clock: SteppedClock) -> Iterator[EmbeddedQueues]:
    opened = EmbeddedQueues(clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def invocations(runner: ScriptedRunner, queues: EmbeddedQueues) -> Invocations:
    return Invocations(runner, queues, timeout=5)
