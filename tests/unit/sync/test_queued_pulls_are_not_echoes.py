"""A pull from the retry queue also looks at the opportunity: a known version of the referral does not end it early.

Source: docs/protocol.md#echoes.
"""

from shared.domain.deal import Side
from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet


def test_a_close_that_a_pull_queued_is_sent_although_the_next_push_crashed(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, StageName="Closed Won")
    harness.colleague_edits(referral, details_notes="From the portal")
    harness.pull_event(referral)
    crashing = harness.new_instance()
    crashing.process.interrupt_at("store.put_retry_entry", crashing.process.crash)
    assert crashing.crashes_during(lambda instance: instance.push(MINUTE))
    assert [
        [entry.cause for entry in harness.retry_entries(side)] for side in (Side.PARTNER_CENTER, Side.SALESFORCE)
    ] == [
        ["waiting"],
        [],
    ]
    for _ in range(5):
        harness.push(MINUTE)
    assert harness.partner_center.referral(referral)["substatus"] == "Won"
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)
