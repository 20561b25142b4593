"""What a pull left to the due list concerns the opportunity too: the referral's known version is no reason to end."""

from shared.domain.deal import Side
from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet


def test_a_close_that_waits_for_a_pull_is_sent_though_the_push_that_saw_it_died(harness: Harness) -> None:
    deal = harness.shared()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, StageName="Closed Won")
    harness.colleague_edits(referral, details_notes="From the portal")
    harness.event(referral)
    mortal = harness.instance()
    mortal.life.at("store.put_retry_entry", mortal.life.crash)
    assert mortal.crashes_during(lambda one: one.push(MINUTE))
    assert [[row.cause for row in harness.retry_entries(side)] for side in (Side.PARTNER_CENTER, Side.SALESFORCE)] == [
        ["waiting"],
        [],
    ]
    for _ in range(5):
        harness.push(MINUTE)
    assert harness.partner_center.referral(referral)["substatus"] == "Won"
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)
