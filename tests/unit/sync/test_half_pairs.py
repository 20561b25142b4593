"""JSON can say half a surrogate pair, UTF-8 cannot: a text that holds one harms nobody, its own deal included."""

from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

HALF, LOST = "Torn \ud83d name", "Torn \ufffd name"


def test_a_torn_name_of_a_referral_is_pulled_with_the_sign_for_what_was_lost(harness: Harness) -> None:
    torn = microsoft_sends_deal(harness, name=HALF)
    others = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(3)]
    harness.sweep()
    assert opportunity_of(harness, torn)["Name"] == LOST
    assert [opportunity_of(harness, other)["Name"] for other in others] == ["Deal 0", "Deal 1", "Deal 2"]
    assert_quiet(harness)


def test_a_name_that_tears_later_harms_no_push(harness: Harness) -> None:
    deals = [harness.shared(Name=f"Deal {number}") for number in range(4)]
    torn = harness.referral_of(deals[0])["id"]
    harness.partner_center.raw_patch(torn, {"/name": HALF, "/details/notes": HALF})
    for deal in deals:
        harness.seller_edits(deal, Amount=777)
    harness.event(torn)
    harness.push(MINUTE)
    harness.run_rounds()
    assert [harness.referral_of(deal)["details"]["dealValue"] for deal in deals] == [777] * 4
    assert LOST in harness.opportunity(deals[0])["Description"]
    harness.quiet()
    assert_quiet(harness)


def test_a_list_item_whose_id_no_address_can_hold_is_passed_over(harness: Harness) -> None:
    harness.partner_center.raw_patch(microsoft_sends_deal(harness, name="Nowhere"), {"/id": "half \ud800"}, touch=False)
    good = microsoft_sends_deal(harness, name="Somewhere")
    harness.sweep()
    assert opportunity_of(harness, good)["Name"] == "Somewhere"
