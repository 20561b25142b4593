"""What a pull left to the due list concerns the opportunity too: the referral's known version is no reason to end."""

from shared.domain.deal import Side
from tests.unit.sync.arrivals import assert_quiet
from tests.unit.sync.bench import MINUTE, Bench


def test_a_close_that_waits_for_a_pull_is_sent_though_the_push_that_saw_it_died(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.seller_edits(deal, StageName="Closed Won")
    bench.colleague_edits(referral, details_notes="From the portal")
    bench.event(referral)
    mortal = bench.instance()
    mortal.life.at("store.put_retry_entry", mortal.life.crash)
    assert mortal.dies(lambda one: one.push(MINUTE))
    assert [[row.cause for row in bench.due(side)] for side in (Side.PARTNER_CENTER, Side.SALESFORCE)] == [
        ["waiting"],
        [],
    ]
    for _ in range(5):
        bench.push(MINUTE)
    assert bench.partner_center.referral(referral)["substatus"] == "Won"
    assert bench.due(Side.PARTNER_CENTER) == []
    assert_quiet(bench)
