"""JSON can hold half a surrogate pair, but UTF-8 cannot. A text with one stops neither its own deal nor another."""

from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

BROKEN_NAME, READABLE_NAME = "Torn \ud83d name", "Torn \ufffd name"


def test_half_a_surrogate_pair_in_a_name_arrives_as_the_replacement_character(harness: Harness) -> None:
    broken = microsoft_sends_deal(harness, name=BROKEN_NAME)
    others = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(3)]
    harness.sweep()
    assert opportunity_of(harness, broken)["Name"] == READABLE_NAME
    assert [opportunity_of(harness, other)["Name"] for other in others] == ["Deal 0", "Deal 1", "Deal 2"]
    assert_quiet(harness)


def test_half_a_surrogate_pair_in_a_changed_name_stops_no_push(harness: Harness) -> None:
    deals = [harness.shared_deal(Name=f"Deal {number}") for number in range(4)]
    broken = harness.referral_of(deals[0])["id"]
    harness.partner_center.raw_patch(broken, {"/name": BROKEN_NAME, "/details/notes": BROKEN_NAME})
    for deal in deals:
        harness.seller_edits(deal, Amount=777)
    harness.pull_event(broken)
    harness.push(MINUTE)
    harness.run_rounds()
    assert [harness.referral_of(deal)["details"]["dealValue"] for deal in deals] == [777] * 4
    assert READABLE_NAME in harness.opportunity(deals[0])["Description"]
    harness.push_until_quiet()
    assert_quiet(harness)


def test_a_listed_referral_whose_id_no_url_can_hold_is_skipped(harness: Harness) -> None:
    harness.partner_center.raw_patch(microsoft_sends_deal(harness, name="Nowhere"), {"/id": "half \ud800"}, touch=False)
    good = microsoft_sends_deal(harness, name="Somewhere")
    harness.sweep()
    assert opportunity_of(harness, good)["Name"] == "Somewhere"
