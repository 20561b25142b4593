"""A port fails at any call of a push, before or after its work is done; the same process goes on and all ends well."""

import pytest

from shared.foundation.errors import Ambiguous, CosellError, StoreConflict, StoreUnavailable, Throttled, Unavailable
from tests.unit.sync.crash_points import EVERY, every_nth
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.outbound_deals import SCENARIOS, Scenario

pytestmark = pytest.mark.slow

NAMES = ("a create", "an adoption", "a refused create", "an update", "an update in conflict", "a win", "a mended deal")
WRITES = {"salesforce.update", "salesforce.update_unmodified", "partner_center.create", "partner_center.patch"}


USAGE = "salesforce.api_usage"
"""A number that the client remembers: no call, and nothing that fails."""


class Bug(Exception):
    """A fault of our own, of a kind nobody foresaw."""


def calls_of(scenario: Scenario) -> list[str]:
    """The calls of a run that meets no trouble."""
    with Harness() as harness:
        scenario.arrange(harness)
        harness.one.life.calls.clear()
        scenario.run(harness.one)
        return list(harness.one.life.calls)


def troubles(name: str) -> list[tuple[Exception, bool]]:
    """What may go wrong at a call, and whether its work is done by then."""
    if name.startswith("store."):
        lost: list[tuple[Exception, bool]] = [(StoreUnavailable("away"), True)] if _changes(name) else []
        return [(StoreUnavailable("away"), False), *lost]
    if name in WRITES:
        return [(Unavailable("refused"), False), (Ambiguous("lost"), False), (Ambiguous("lost"), True), (Bug(), True)]
    return [(Unavailable("away"), False), (Throttled("slow down", after=60.0), False)]


def _changes(name: str) -> bool:
    return any(word in name for word in ("insert", "replace", "put", "remove", "move", "delete", "write"))


def meets(scenario: Scenario, number: int, error: Exception, *, after: bool) -> None:
    """A run in which one call fails, and what comes of it."""
    with Harness() as harness:
        deal = scenario.arrange(harness)
        worker = harness.instance()

        def fail() -> None:
            raise error

        worker.life.at("", fail, skip=number, after=after)
        try:
            scenario.run(worker)
        except CosellError as escaped:
            assert isinstance(escaped, StoreUnavailable), escaped  # noqa: PT017 - whether one escapes depends on the call
        recover_after_lease(harness, worker)
        try:
            scenario.check(harness, deal)
            assert_quiet(harness, harness.instance())
        except AssertionError as failed:
            message = (
                f"{type(error).__name__} {'after' if after else 'before'} call {number}, {worker.life.calls[number]}"
            )
            raise AssertionError(f"{message}: {failed}") from failed


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("name", NAMES)
def test_a_port_that_fails_at_any_call_costs_time_alone(name: str, every: int) -> None:
    scenario = SCENARIOS[name]
    cases = [
        (number, error, after)
        for number, call in enumerate(calls_of(scenario))
        if call != USAGE
        for error, after in troubles(call)
    ]
    for number, error, after in every_nth(cases, every * 2 - 1):
        meets(scenario, number, error, after=after)


@pytest.mark.parametrize("name", ["a create", "an update"])
def test_a_lock_that_was_lost_is_not_worked_under(name: str) -> None:
    scenario = SCENARIOS[name]
    for number, call in enumerate(calls_of(scenario)):
        if call in ("store.insert_link", "store.replace_link"):
            meets(scenario, number, StoreConflict("another was first"), after=False)
