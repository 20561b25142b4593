"""JSON can say half a surrogate pair, UTF-8 cannot: a text that holds one harms nobody, its own deal included."""

from tests.unit.sync.arrivals import assert_quiet, opportunity_of, sent
from tests.unit.sync.bench import MINUTE, Bench

HALF, LOST = "Torn \ud83d name", "Torn \ufffd name"


def test_a_torn_name_of_a_referral_is_pulled_with_the_sign_for_what_was_lost(bench: Bench) -> None:
    torn = sent(bench, name=HALF)
    others = [sent(bench, name=f"Deal {number}") for number in range(3)]
    bench.sweep()
    assert opportunity_of(bench, torn)["Name"] == LOST
    assert [opportunity_of(bench, other)["Name"] for other in others] == ["Deal 0", "Deal 1", "Deal 2"]
    assert_quiet(bench)


def test_a_name_that_tears_later_harms_no_push(bench: Bench) -> None:
    deals = [bench.shared(Name=f"Deal {number}") for number in range(4)]
    torn = bench.referral_of(deals[0])["id"]
    bench.partner_center.raw_patch(torn, {"/name": HALF, "/details/notes": HALF})
    for deal in deals:
        bench.seller_edits(deal, Amount=777)
    bench.event(torn)
    bench.push(MINUTE)
    bench.rounds()
    assert [bench.referral_of(deal)["details"]["dealValue"] for deal in deals] == [777] * 4
    assert LOST in bench.row(deals[0])["Description"]
    bench.quiet()
    assert_quiet(bench)


def test_a_list_item_whose_id_no_address_can_hold_is_passed_over(bench: Bench) -> None:
    bench.partner_center.raw_patch(sent(bench, name="Nowhere"), {"/id": "half \ud800"}, touch=False)
    good = sent(bench, name="Somewhere")
    bench.sweep()
    assert opportunity_of(bench, good)["Name"] == "Somewhere"
