"""Runs that take long: leases are renewed, others may take over, and nobody takes new pairs in the last fifth."""

from shared.domain.deal import Side
from tests.unit.sync.arrivals import assert_quiet, recovers
from tests.unit.sync.bench import Bench
from tests.unit.sync.departures import agreed, linked


def slow(bench: Bench, call: str, seconds: float, times: int) -> None:
    """From now on so many calls of a port take so long."""
    for number in range(times):
        bench.one.life.at(call, lambda: bench.later(seconds), skip=number, after=True)


def test_a_run_takes_no_new_pairs_when_most_of_its_time_is_gone_and_the_next_goes_on(bench: Bench) -> None:
    bench.salesforce.rest.pages.short_pages = 5
    deals = []
    for number in range(15):
        deals.append(bench.seller_creates(Name=f"Deal {number}"))
        bench.later(1.0)
    slow(bench, "partner_center.create", 100.0, 5)
    bench.push()
    assert len(bench.referrals()) == 5
    cursor = bench.store.cursor("push_opportunity")
    assert cursor is not None
    assert cursor < bench.now()
    bench.push()
    bench.push()
    for deal in deals:
        linked(bench, deal)


def test_a_lease_is_renewed_before_a_late_write_back(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(4)]
    slow(bench, "partner_center.create", 70.0, 4)
    other = bench.instance()
    # By now the first lock is older than half its lease: it is renewed, and whoever comes then leaves the pair alone.
    bench.one.life.at("salesforce.update", lambda: other.push(after=100.0))
    bench.push()
    assert bench.calls()["salesforce.write_back"] == 1
    assert {due.cause for due in bench.due(Side.SALESFORCE)} <= {"busy"}
    recovers(bench)
    for deal in deals:
        linked(bench, deal)


def test_whoever_takes_over_from_a_run_past_its_lease_and_the_run_itself_agree_in_the_end(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(4)]
    bench.quiet()
    for deal in deals:
        bench.seller_edits(deal, Amount=55)
    slow(bench, "partner_center.patch", 200.0, 4)
    other = bench.instance()
    bench.one.life.at("partner_center.patch", lambda: other.push(after=0.0), skip=3)
    bench.push()
    recovers(bench)
    for deal in deals:
        assert bench.referral_of(deal)["details"]["dealValue"] == 55
        assert bench.told(deal, "10000.00 USD → 55.00 USD") == 1
        agreed(bench, deal)
    assert_quiet(bench)
