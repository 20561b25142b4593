"""Notes that are longer in Partner Center than Salesforce's field: the rest is not shown, and that is said once."""

from tests.unit.sync.arrivals import assert_quiet, opportunity_of, sent
from tests.unit.sync.bench import Bench

SAYS = "Notes is full (32,000 characters)"
LONG = "A long story. " * 3000


def test_a_colleague_who_writes_more_than_fits_has_it_told_once(bench: Bench) -> None:
    deal = bench.shared()
    referral = bench.referral_of(deal)["id"]
    bench.colleague_edits(referral, details_notes=LONG)
    bench.event(referral)
    bench.rounds()
    assert bench.row(deal)["Description"] == LONG[:32000].rstrip()
    assert bench.told(deal, SAYS) == 1
    bench.seller_edits(deal, Amount=12345)
    bench.rounds()
    bench.colleague_edits(referral, details_dealValue=23456)
    bench.event(referral)
    bench.rounds()
    assert bench.told(deal, SAYS) == 1
    assert bench.partner_center.referral(referral)["details"]["notes"] == LONG
    assert_quiet(bench)


def test_a_deal_that_arrives_with_more_than_fits_has_it_told_once(bench: Bench) -> None:
    referral = sent(bench)
    bench.partner_center.raw_patch(referral, {"/details/notes": LONG})
    bench.event(referral)
    deal = opportunity_of(bench, referral)["Id"]
    bench.colleague_edits(referral, details_dealValue=23456)
    bench.event(referral)
    bench.rounds()
    assert bench.told(deal, SAYS) == 1
    assert_quiet(bench)


def test_notes_that_fit_are_not_spoken_of(bench: Bench) -> None:
    deal = bench.shared(Description=LONG[:31000].rstrip())
    bench.seller_edits(deal, Amount=12345)
    bench.rounds()
    assert bench.told(deal, SAYS) == 0
