from collections.abc import Iterator

import pytest

from local.host.invocations import Invocations
from local.host.queues import EmbeddedQueues
from tests.unit.local.host.doubles import ScriptedRunner, SteppedClock


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
