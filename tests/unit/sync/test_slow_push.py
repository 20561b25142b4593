"""Long runs renew their leases, leave expired pairs to other instances, and take no new pairs near their end.

Sources: docs/protocol.md#time-and-deadlines, docs/protocol.md#the-time-limit-of-a-run.
"""

from shared.domain.deal import Side
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.outbound_deals import assert_agreed, assert_linked


def delay_calls(harness: Harness, call: str, seconds: float, times: int) -> None:
    """Let the next `times` calls of a port method take `seconds` each."""
    for number in range(times):
        harness.first.process.interrupt_at(call, lambda: harness.advance_time(seconds), skip=number, after=True)


def test_a_run_takes_no_new_pairs_near_its_end_and_the_next_run_continues(harness: Harness) -> None:
    harness.salesforce.rest.pages.short_pages = 5
    deals = []
    for number in range(15):
        deals.append(harness.seller_creates(Name=f"Deal {number}"))
        harness.advance_time(1.0)
    delay_calls(harness, "partner_center.create", 100.0, 5)
    harness.push()
    assert len(harness.our_referrals()) == 5
    cursor = harness.store.cursor("push_opportunity")
    assert cursor is not None
    assert cursor < harness.now()
    harness.push()
    harness.push()
    for deal in deals:
        assert_linked(harness, deal)


def test_a_lease_is_renewed_before_a_late_write_back(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(4)]
    delay_calls(harness, "partner_center.create", 70.0, 4)
    other = harness.new_instance()
    # By now the first lock is older than half its lease. It is renewed, so another instance leaves the pair alone.
    harness.first.process.interrupt_at("salesforce.update", lambda: other.push(after=100.0))
    harness.push()
    assert harness.new_calls()["salesforce.write_back"] == 1
    assert {entry.cause for entry in harness.retry_entries(Side.SALESFORCE)} <= {"busy"}
    recover_after_lease(harness)
    for deal in deals:
        assert_linked(harness, deal)


def test_a_run_past_its_lease_and_the_instance_that_takes_over_write_each_value_once(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(4)]
    harness.push_until_quiet()
    for deal in deals:
        harness.seller_edits(deal, Amount=55)
    delay_calls(harness, "partner_center.patch", 200.0, 4)
    other = harness.new_instance()
    harness.first.process.interrupt_at("partner_center.patch", lambda: other.push(after=0.0), skip=3)
    harness.push()
    recover_after_lease(harness)
    for deal in deals:
        assert harness.referral_of(deal)["details"]["dealValue"] == 55
        assert harness.count_in_audit(deal, "10000.00 USD → 55.00 USD") == 1
        assert_agreed(harness, deal)
    assert_quiet(harness)
