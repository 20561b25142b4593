"""A run stops after it released a pair, and before it queued the next try: the pair is tried again all the same.

Source: docs/protocol.md#the-retry-queue.
"""

from collections.abc import Callable

from tests.unit.sync.harness import HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import accepted_deal, assert_quiet, microsoft_sends_deal, opportunity_of


def stop_before_the_entry(harness: Harness, run: Callable[[Instance], object]) -> None:
    crashed = harness.new_instance()
    crashed.process.interrupt_at("store.put_retry_entry", crashed.process.crash)
    assert crashed.crashes_during(run)


def test_a_value_that_salesforce_refuses_is_tried_again(harness: Harness) -> None:
    """The poll comes back to the write-back of the mark; that look writes nothing, and is stopped as well."""
    referral, deal = accepted_deal(harness)
    harness.refuse_writes_of("Amount")
    harness.colleague_edits(referral, details_dealValue=777)
    stop_before_the_entry(harness, Instance.sweep)
    stop_before_the_entry(harness, Instance.push)
    harness.salesforce.org.hooks.rules.clear()
    harness.run_rounds(3, after=HOUR)
    assert harness.opportunity(deal)["Amount"] == 777
    assert_quiet(harness)


def test_a_close_that_waits_for_its_time_is_sent(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    stop_before_the_entry(harness, Instance.push)
    stop_before_the_entry(harness, Instance.push)
    harness.run_rounds(3)
    assert harness.referral_of(deal)["substatus"] == "Won"
    assert_quiet(harness)


def test_the_end_of_a_deal_that_nobody_answers_is_told(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    for run in (Instance.sweep, Instance.push):
        stop_before_the_entry(harness, run)
    for _ in range(14 * 3):
        harness.run_rounds(1, after=8 * HOUR)
    assert harness.count_in_audit(opportunity_of(harness, referral)["Id"], "Microsoft awaits the answer") == 2
