"""A process crashes at each call of a push in turn, and another instance takes over after the lease."""

from collections.abc import Callable

import pytest

from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth, fail
from tests.unit.sync.harness import HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.outbound_deals import PUSH_SCENARIOS, PushScenario, assert_linked, refused_deal


def crash_and_recover(scenario: PushScenario, number: int) -> None:
    """Crash at one call, recover, and check how the deal ends."""
    with Harness() as harness:
        deal = scenario.arrange(harness)
        crashing = harness.new_instance()
        crash_instance_at(crashing, number)
        assert crashing.crashes_during(scenario.run)
        scenario.meanwhile(harness, deal)
        recover_after_lease(harness)
        scenario.check(harness, deal)
        assert_quiet(harness)


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("name", PUSH_SCENARIOS)
def test_a_crash_at_any_call_of_a_push_loses_nothing_and_doubles_nothing(name: str, every: int) -> None:
    scenario = PUSH_SCENARIOS[name]
    points, calls = crash_points(scenario.arrange, scenario.run)
    assert calls > len(points) > 4
    for number in every_nth(points, every):
        crash_and_recover(scenario, number)


@pytest.mark.parametrize("name", PUSH_SCENARIOS)
def test_a_push_without_a_crash_ends_with_the_same_result(harness: Harness, name: str) -> None:
    scenario = PUSH_SCENARIOS[name]
    deal = scenario.arrange(harness)
    scenario.run(harness.first)
    scenario.meanwhile(harness, deal)
    recover_after_lease(harness)
    scenario.check(harness, deal)
    assert_quiet(harness)


def test_a_crash_in_the_middle_of_a_batch_only_delays_the_other_pairs(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(5)]
    harness.first.process.interrupt_at("partner_center.create", harness.first.process.crash, skip=2, after=True)
    assert harness.first.crashes_during(Instance.push)
    other = harness.new_instance()
    for _ in range(3):
        other.push(after=HOUR)
    for deal in deals:
        assert_linked(harness, deal)


def corrected_deal(harness: Harness) -> str:
    """A deal that Partner Center refused, and that its seller has corrected since."""
    deal = refused_deal(harness)
    harness.push_until_quiet()
    harness.seller_edits(deal, Amount=31000)
    return deal


@pytest.mark.parametrize(
    ("arrange", "call"), [(Harness.seller_creates, "salesforce.twins"), (corrected_deal, "partner_center.create")]
)
def test_a_run_that_stops_before_it_queues_a_deal_that_it_failed_to_send_loses_nothing(
    harness: Harness, arrange: Callable[[Harness], str], call: str
) -> None:
    deal = arrange(harness)
    harness.first.process.interrupt_at(call, fail)
    harness.first.process.interrupt_at("store.put_retry_entry", harness.first.process.crash)
    assert harness.first.crashes_during(Instance.push)
    harness.new_instance().push(after=60)
    assert_linked(harness, deal)


def test_repeated_crashes_at_the_same_call_still_create_one_referral(harness: Harness) -> None:
    deal = harness.seller_creates()
    for _ in range(3):
        crashing = harness.new_instance()
        crashing.process.interrupt_at("store.replace_link", crashing.process.crash, skip=2)
        crashing.crashes_during(Instance.push)
        harness.advance_time(HOUR)
    recover_after_lease(harness)
    assert_linked(harness, deal)
