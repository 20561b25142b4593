"""Dies before and after every call of a port in each way a push can go; another instance takes over after the lease."""

import pytest

from tests.unit.sync.crash_points import EVERY, crash_at, crash_points, every_nth
from tests.unit.sync.harness import HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.outbound_deals import SCENARIOS, Scenario, assert_linked


def dies_and_is_succeeded(scenario: Scenario, number: int) -> None:
    """One life that ends at a call, and its recovery."""
    with Harness() as harness:
        deal = scenario.arrange(harness)
        victim = harness.instance()
        crash_at(victim, number)
        assert victim.crashes_during(scenario.run)
        scenario.meanwhile(harness, deal)
        recover_after_lease(harness)
        scenario.check(harness, deal)
        assert_quiet(harness)


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("name", SCENARIOS)
def test_whoever_dies_at_any_call_of_a_push_leaves_nothing_lost_and_nothing_doubled(name: str, every: int) -> None:
    scenario = SCENARIOS[name]
    fatal, calls = crash_points(scenario.arrange, scenario.run)
    assert calls > len(fatal) > 4
    for number in every_nth(fatal, every):
        dies_and_is_succeeded(scenario, number)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nobody_dies_and_all_is_well(harness: Harness, name: str) -> None:
    scenario = SCENARIOS[name]
    deal = scenario.arrange(harness)
    scenario.run(harness.one)
    scenario.meanwhile(harness, deal)
    recover_after_lease(harness)
    scenario.check(harness, deal)
    assert_quiet(harness)


def test_a_crash_in_the_middle_of_a_batch_costs_the_others_only_time(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(5)]
    harness.one.life.at("partner_center.create", harness.one.life.crash, skip=2, after=True)
    assert harness.one.crashes_during(Instance.push)
    other = harness.instance()
    for _ in range(3):
        other.push(after=HOUR)
    for deal in deals:
        assert_linked(harness, deal)


def test_a_process_that_dies_twice_at_the_same_place_still_makes_one_referral(harness: Harness) -> None:
    deal = harness.seller_creates()
    for _ in range(3):
        victim = harness.instance()
        victim.life.at("store.replace_link", victim.life.crash, skip=2)
        victim.crashes_during(Instance.push)
        harness.later(HOUR)
    recover_after_lease(harness)
    assert_linked(harness, deal)
