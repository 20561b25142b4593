"""A port fails at each call of a push in turn, before or after its work. The same process continues and converges."""

import pytest

from shared.foundation.errors import Ambiguous, CosellError, StoreConflict, StoreUnavailable, Throttled, Unavailable
from tests.unit.sync.crash_points import EVERY_NTH, every_nth
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.outbound_deals import PUSH_SCENARIOS, PushScenario

pytestmark = pytest.mark.slow

NAMES = (
    "a create",
    "an adoption",
    "a refused create",
    "an update",
    "an update in conflict",
    "a win",
    "a completed deal",
)
WRITES = {
    "salesforce.update",
    "salesforce.update_unmodified",
    "salesforce.update_with_rows",
    "partner_center.create",
    "partner_center.patch",
}


USAGE = "salesforce.api_usage"
"""This method returns a number that the client remembers. It makes no call and cannot fail."""


class UnknownError(Exception):
    """A bug in the connector: an exception that the error policy does not know."""


def calls_without_faults(scenario: PushScenario) -> list[str]:
    """The calls of a run without faults."""
    with Harness() as harness:
        scenario.arrange(harness)
        harness.first.process.calls.clear()
        scenario.run(harness.first)
        return list(harness.first.process.calls)


def possible_errors(name: str) -> list[tuple[Exception, bool]]:
    """The errors that a call may raise, each with whether the call has done its work by then."""
    if name.startswith("store."):
        lost_replies: list[tuple[Exception, bool]] = (
            [(StoreUnavailable("away"), True)] if _changes_the_store(name) else []
        )
        return [(StoreUnavailable("away"), False), *lost_replies]
    if name in WRITES:
        return [
            (Unavailable("refused"), False),
            (Ambiguous("lost"), False),
            (Ambiguous("lost"), True),
            (UnknownError(), True),
        ]
    return [(Unavailable("away"), False), (Throttled("slow down", after=60.0), False)]


def _changes_the_store(name: str) -> bool:
    return any(word in name for word in ("insert", "replace", "put", "remove", "move", "delete", "write"))


def run_with_error(scenario: PushScenario, number: int, error: Exception, *, after: bool) -> None:
    """Run with an error at one call, recover, and check how the deal ends."""
    with Harness() as harness:
        deal = scenario.arrange(harness)
        worker = harness.new_instance()

        def fail() -> None:
            raise error

        worker.process.interrupt_at("", fail, skip=number, after=after)
        try:
            scenario.run(worker)
        except CosellError as escaped:
            assert isinstance(escaped, StoreUnavailable), escaped  # noqa: PT017 - only some calls let the error out of the run
        recover_after_lease(harness, worker)
        try:
            scenario.check(harness, deal)
            assert_quiet(harness, harness.new_instance())
        except AssertionError as failed:
            message = (
                f"{type(error).__name__} {'after' if after else 'before'} call {number}, {worker.process.calls[number]}"
            )
            raise AssertionError(f"{message}: {failed}") from failed


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("name", NAMES)
def test_an_error_at_any_call_of_a_push_only_delays_the_result(name: str, every: int) -> None:
    scenario = PUSH_SCENARIOS[name]
    cases = [
        (number, error, after)
        for number, call in enumerate(calls_without_faults(scenario))
        if call != USAGE
        for error, after in possible_errors(call)
    ]
    for number, error, after in every_nth(cases, every * 2 - 1):
        run_with_error(scenario, number, error, after=after)


@pytest.mark.parametrize("name", ["a create", "an update"])
def test_losing_the_lock_at_any_write_of_a_link_only_delays_the_result(name: str) -> None:
    scenario = PUSH_SCENARIOS[name]
    for number, call in enumerate(calls_without_faults(scenario)):
        if call in ("store.insert_link", "store.replace_link"):
            run_with_error(scenario, number, StoreConflict("another was first"), after=False)
