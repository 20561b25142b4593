"""Dies before and after every call of a port in each way a push can go; another instance takes over after the lease."""

import pytest

from tests.unit.sync.arrivals import assert_quiet, recovers
from tests.unit.sync.bench import HOUR, Bench, Instance
from tests.unit.sync.deaths import EVERY, deaths, doom, some
from tests.unit.sync.departures import SCENARIOS, Scenario, linked


def dies_and_is_succeeded(scenario: Scenario, number: int) -> None:
    """One life that ends at a call, and its recovery."""
    with Bench() as bench:
        deal = scenario.arrange(bench)
        victim = bench.instance()
        doom(victim, number)
        assert victim.dies(scenario.run)
        scenario.meanwhile(bench, deal)
        recovers(bench)
        scenario.check(bench, deal)
        assert_quiet(bench)


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("name", SCENARIOS)
def test_whoever_dies_at_any_call_of_a_push_leaves_nothing_lost_and_nothing_doubled(name: str, every: int) -> None:
    scenario = SCENARIOS[name]
    fatal, calls = deaths(scenario.arrange, scenario.run)
    assert calls > len(fatal) > 4
    for number in some(fatal, every):
        dies_and_is_succeeded(scenario, number)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nobody_dies_and_all_is_well(bench: Bench, name: str) -> None:
    scenario = SCENARIOS[name]
    deal = scenario.arrange(bench)
    scenario.run(bench.one)
    scenario.meanwhile(bench, deal)
    recovers(bench)
    scenario.check(bench, deal)
    assert_quiet(bench)


def test_a_crash_in_the_middle_of_a_batch_costs_the_others_only_time(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(5)]
    bench.one.life.at("partner_center.create", bench.one.life.crash, skip=2, after=True)
    assert bench.one.dies(Instance.push)
    other = bench.instance()
    for _ in range(3):
        other.push(after=HOUR)
    for deal in deals:
        linked(bench, deal)


def test_a_process_that_dies_twice_at_the_same_place_still_makes_one_referral(bench: Bench) -> None:
    deal = bench.seller_creates()
    for _ in range(3):
        victim = bench.instance()
        victim.life.at("store.replace_link", victim.life.crash, skip=2)
        victim.dies(Instance.push)
        bench.later(HOUR)
    recovers(bench)
    linked(bench, deal)
