"""Runs that take long: leases are renewed, others may take over, and nobody takes new pairs in the last fifth."""

from shared.domain.deal import Side
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.outbound_deals import assert_agreed, assert_linked


def slow(harness: Harness, call: str, seconds: float, times: int) -> None:
    """From now on so many calls of a port take so long."""
    for number in range(times):
        harness.one.life.at(call, lambda: harness.later(seconds), skip=number, after=True)


def test_a_run_takes_no_new_pairs_when_most_of_its_time_is_gone_and_the_next_goes_on(harness: Harness) -> None:
    harness.salesforce.rest.pages.short_pages = 5
    deals = []
    for number in range(15):
        deals.append(harness.seller_creates(Name=f"Deal {number}"))
        harness.later(1.0)
    slow(harness, "partner_center.create", 100.0, 5)
    harness.push()
    assert len(harness.referrals()) == 5
    cursor = harness.store.cursor("push_opportunity")
    assert cursor is not None
    assert cursor < harness.now()
    harness.push()
    harness.push()
    for deal in deals:
        assert_linked(harness, deal)


def test_a_lease_is_renewed_before_a_late_write_back(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(4)]
    slow(harness, "partner_center.create", 70.0, 4)
    other = harness.instance()
    # By now the first lock is older than half its lease: it is renewed, and whoever comes then leaves the pair alone.
    harness.one.life.at("salesforce.update", lambda: other.push(after=100.0))
    harness.push()
    assert harness.calls()["salesforce.write_back"] == 1
    assert {due.cause for due in harness.retry_entries(Side.SALESFORCE)} <= {"busy"}
    recover_after_lease(harness)
    for deal in deals:
        assert_linked(harness, deal)


def test_whoever_takes_over_from_a_run_past_its_lease_and_the_run_itself_agree_in_the_end(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(4)]
    harness.quiet()
    for deal in deals:
        harness.seller_edits(deal, Amount=55)
    slow(harness, "partner_center.patch", 200.0, 4)
    other = harness.instance()
    harness.one.life.at("partner_center.patch", lambda: other.push(after=0.0), skip=3)
    harness.push()
    recover_after_lease(harness)
    for deal in deals:
        assert harness.referral_of(deal)["details"]["dealValue"] == 55
        assert harness.count_in_audit(deal, "10000.00 USD → 55.00 USD") == 1
        assert_agreed(harness, deal)
    assert_quiet(harness)
