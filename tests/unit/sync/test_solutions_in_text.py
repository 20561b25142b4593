"""The ids of solutions in a text field: both sides change the list, and what does not travel is told."""

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.solution_rows import colleague_lists, ids_in_partner_center


def shown(harness: Harness, deal: str) -> str:
    return str(harness.opportunity(deal)["Products__c"])


def test_a_seller_adds_and_removes_ids(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1")
    harness.seller_edits(deal, Products__c="SOL-1, sol-2")
    harness.push()
    calls = harness.new_calls()
    assert (calls["partner_center.get"], calls["partner_center.patch"]) == (0, 1)
    assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2"]
    harness.seller_edits(deal, Products__c="SOL-2")
    harness.push()
    assert ids_in_partner_center(harness, deal) == ["SOL-2"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_replaced_list_keeps_what_the_mapping_does_not_know(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1;SOL-2")
    referral = harness.referral_of(deal)
    tags = [{**tag, "price": 7.5, "quantity": 3} for tag in referral["details"]["requirements"]["solutions"]]
    harness.partner_center.raw_patch(referral["id"], {"/details/requirements/solutions": tags})
    harness.sweep()
    harness.seller_edits(deal, Products__c="SOL-2")
    harness.push()
    [left] = harness.referral_of(deal)["details"]["requirements"]["solutions"]
    assert (left["id"], left["price"], left["quantity"]) == ("SOL-2", 7.5, 3)


def test_both_sides_change_the_list_at_once_and_nothing_is_lost(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1;SOL-2")
    colleague_lists(harness, deal, "SOL-1", "SOL-2", "SOL-3")
    harness.seller_edits(deal, Products__c="SOL-2;SOL-4")
    harness.run_rounds()
    assert ids_in_partner_center(harness, deal) == ["SOL-2", "SOL-3", "SOL-4"]
    assert sorted(shown(harness, deal).split(";")) == ["SOL-2", "SOL-3", "SOL-4"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_an_id_that_no_catalogue_knows_is_sent_with_its_id_as_its_name(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1")
    harness.seller_edits(deal, Products__c="SOL-1;SOL-77-NEW")
    harness.push_until_quiet()
    tag = harness.referral_of(deal)["details"]["requirements"]["solutions"][1]
    assert (tag["id"], tag["name"]) == ("SOL-77-NEW", "SOL-77-NEW")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_words_that_are_no_ids_are_told_once_and_the_list_stays(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1")
    before = harness.referral_of(deal)["eTag"]
    harness.seller_edits(deal, Products__c="SOL-1; the big one")
    harness.push_until_quiet()
    assert harness.referral_of(deal)["eTag"] == before
    assert harness.count_in_audit(deal, "Products holds words that are no solution ids: the, big, one.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert shown(harness, deal) == "SOL-1; the big one"
    assert_quiet(harness)
    harness.seller_edits(deal, Products__c="SOL-1;SOL-2")
    harness.push_until_quiet()
    assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_the_last_id_stays_in_partner_center_and_this_is_told(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1")
    harness.seller_edits(deal, Products__c=None)
    harness.push_until_quiet()
    assert ids_in_partner_center(harness, deal) == ["SOL-1"]
    assert harness.count_in_audit(deal, "Products") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_an_id_that_the_text_cannot_hold_is_told_and_goes_in_once_there_is_room(harness: Harness) -> None:
    ids = [f"SOL-{number:05}-ABC" for number in range(19)]
    deal = harness.shared_deal(Products__c=";".join(ids[:18]))
    colleague_lists(harness, deal, *ids)
    harness.run_rounds()
    assert ids_in_partner_center(harness, deal) == ids
    assert harness.count_in_audit(deal, f"Products does not show {ids[18]}, which it cannot hold.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    harness.seller_edits(deal, Products__c=";".join(ids[1:18]))
    harness.run_rounds()
    assert ids_in_partner_center(harness, deal) == ids[1:]
    assert sorted(shown(harness, deal).split(";")) == ids[1:]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


# --- at most fifty


def test_ids_beyond_fifty_of_both_sides_together_are_told_and_the_others_travel(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1")
    colleague_lists(harness, deal, "SOL-1", *(f"SOL-{number}" for number in range(100, 148)))
    harness.seller_edits(deal, Products__c="SOL-1;SOL-2;SOL-3")
    harness.run_rounds()
    listed = ids_in_partner_center(harness, deal)
    assert len(listed) == 50
    assert "SOL-2" in listed
    assert "SOL-3" not in listed
    assert "SOL-3" in shown(harness, deal)
    told = "Products: Partner Center does not get SOL-3, because it takes no more for one deal."
    assert harness.count_in_audit(deal, told) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_an_id_that_partner_center_refuses_is_sent_again_only_with_another_list(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1")
    body = '{"error": {"code": "invalidRequest", "message": "Unknown solution"}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", times=9, status=400, body=body))
    harness.seller_edits(deal, Products__c="SOL-1;SOL-2")
    harness.push()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    harness.forget_calls()
    for _ in range(5):
        harness.push()
    assert harness.new_calls()["partner_center.failed"] == 0
    harness.clear_faults()
    colleague_lists(harness, deal, "SOL-1", "SOL-7")
    harness.run_rounds()
    assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2", "SOL-7"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)
