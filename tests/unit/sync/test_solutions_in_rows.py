"""With `source = "rows"`, the solutions of a deal are rows of a related list, and the text field only shows them."""

from pathlib import Path

import pytest

from tests.unit.sync.harness import HOUR
from tests.unit.sync.helped_deals import HELP, NOTES, PROOF, complete_deal, microsofts_records
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.solution_rows import (
    CATALOGUE,
    ROWS,
    colleague_lists,
    deal_with,
    id_of,
    ids_in_partner_center,
    ids_in_salesforce,
    list_solution,
    reading_rows,
    rows_of,
    seller_adds,
    seller_removes,
    touch,
)


def test_the_rows_are_sent_with_what_the_catalogue_says_of_them(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        list_solution(harness, "SOL-1", Name="Ledger", Publisher__c="Fabrikam", Solution_Type__c="1P")
        deal = deal_with(harness, "SOL-1")
        [tag] = harness.referral_of(deal)["details"]["requirements"]["solutions"]
        assert (tag["name"], tag["publisherName"], tag["solutionType"]) == ("Ledger", "Fabrikam", "1P")
        list_solution(harness, "SOL-2", Name="Payroll", Publisher__c="Fabrikam")
        seller_adds(harness, deal, "SOL-2")
        harness.push()
        assert harness.referral_of(deal)["details"]["requirements"]["solutions"][1]["name"] == "Payroll"
        assert_quiet(harness)


def test_a_row_that_a_seller_adds_or_removes_travels_and_the_text_shows_the_ids(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        seller_adds(harness, deal, "SOL-2", "SOL-3")
        harness.push()
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2", "SOL-3"]
        assert harness.opportunity(deal)["Products__c"] == "SOL-1;SOL-2;SOL-3"
        seller_removes(harness, deal, "SOL-1")
        harness.push()
        assert ids_in_partner_center(harness, deal) == ["SOL-2", "SOL-3"]
        assert harness.opportunity(deal)["Products__c"] == "SOL-2;SOL-3"
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert harness.count_in_audit(deal, "Products") == 2  # one line for each change, none for the text
        assert_quiet(harness)


def test_an_added_row_is_one_patch_and_one_write_of_the_opportunity(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        seller_adds(harness, deal, "SOL-2")
        harness.forget_calls()
        harness.push()
        calls = harness.new_calls()
        assert (calls["partner_center.patch"], calls["partner_center.get"]) == (1, 0)
        assert (calls["salesforce.conditional"], calls["salesforce.write_back"]) == (1, 0)


def test_a_row_alone_brings_its_deal_up_within_five_minutes(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        list_solution(harness, "SOL-2")
        harness.salesforce.insert(ROWS, {"Opportunity__c": deal, "Solution__c": list_solution(harness, "SOL-2")})
        for _ in range(5):
            harness.push()
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2"]
        [removed] = [row for row in rows_of(harness, deal) if id_of(harness, row) == "SOL-1"]
        harness.salesforce.delete(ROWS, removed["Id"])
        for _ in range(5):
            harness.push()
        assert ids_in_partner_center(harness, deal) == ["SOL-2"]


def test_one_solution_in_two_rows_counts_once(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        seller_adds(harness, deal, "SOL-1")
        harness.push()
        assert ids_in_partner_center(harness, deal) == ["SOL-1"]
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert_quiet(harness)


def test_an_edit_of_the_text_is_put_right_and_told_once(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        harness.seller_edits(deal, Products__c="SOL-9")
        harness.push_until_quiet()
        assert harness.opportunity(deal)["Products__c"] == "SOL-1"
        assert ids_in_partner_center(harness, deal) == ["SOL-1"]
        assert (
            harness.count_in_audit(deal, "Products only shows the related list of solutions: SOL-9 was replaced") == 1
        )
        assert_quiet(harness)


@pytest.mark.parametrize("text", ["SOL-1, SOL-2", "SOL-1\nSOL-2", "SOL-2;SOL-1"])
def test_a_text_that_shows_the_same_ids_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1", "SOL-2")
        harness.seller_edits(deal, Products__c=text)
        harness.push_until_quiet()
        assert harness.opportunity(deal)["Products__c"] == text
        assert harness.count_in_audit(deal, "Products") == 0


def test_another_order_in_partner_center_is_no_edit_of_anybody(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1", "SOL-2")
        harness.pull_event(colleague_lists(harness, deal, "SOL-7", "SOL-2", "SOL-1"))
        seller_adds(harness, deal, "SOL-3")
        harness.push_until_quiet()
        assert harness.opportunity(deal)["Products__c"] == "SOL-1;SOL-2;SOL-3;SOL-7"
        assert harness.count_in_audit(deal, "Products only shows") == 0
        assert_quiet(harness)


def test_a_text_that_cannot_hold_all_ids_is_cut_at_a_whole_id(tmp_path: Path) -> None:
    ids = [f"SOL-{number:05}-ABC" for number in range(30)]
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, *ids)
        shown = harness.opportunity(deal)["Products__c"]
        assert len(shown) <= 255
        assert shown.endswith(";…")
        assert shown.removesuffix(";…").split(";") == ids[:18]
        assert len(ids_in_partner_center(harness, deal)) == 30
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert_quiet(harness)


def test_the_last_solution_stays_in_partner_center_and_this_is_told(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        seller_removes(harness, deal, "SOL-1")
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-1"]
        assert harness.opportunity(deal)["Products__c"] == "SOL-1"
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
        assert harness.count_in_audit(deal, "Products") == 1
        assert_quiet(harness)
        seller_adds(harness, deal, "SOL-2")
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-2"]
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_deal_without_rows_is_held_and_says_where_solutions_are_picked(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = harness.seller_creates(Products__c="SOL-1")
        harness.push()
        assert harness.our_referrals() == []
        assert harness.count_in_audit(deal, "Please add one to the related list of solutions.") == 1
        seller_adds(harness, deal, "SOL-2")
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-2"]


# --- inactive solutions


def test_an_inactive_solution_holds_a_new_deal_and_is_named(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        old = list_solution(harness, "SOL-1", Active__c=False)
        deal = harness.seller_creates(Products__c=None)
        seller_adds(harness, deal, "SOL-1", "SOL-2")
        harness.push_until_quiet()
        assert harness.our_referrals() == []
        assert harness.count_in_audit(deal, "The catalogue of solutions has SOL-1 as inactive.") == 1
        harness.salesforce.edit(CATALOGUE, old, {"Active__c": True})
        touch(harness, deal)
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2"]


def test_an_inactive_solution_that_is_added_later_is_not_sent_and_told_once(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        old = list_solution(harness, "SOL-2", Active__c=False)
        seller_adds(harness, deal, "SOL-2", "SOL-3")
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-3"]
        assert harness.count_in_audit(deal, "Partner Center does not get SOL-2") == 1
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
        assert_quiet(harness)
        harness.salesforce.edit(CATALOGUE, old, {"Active__c": True})
        touch(harness, deal)
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2", "SOL-3"]
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_solution_travels_within_the_hour_once_the_catalogue_has_it_as_active(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        listed = list_solution(harness, "SOL-2", Active__c=False)
        seller_adds(harness, deal, "SOL-2")
        harness.push_until_quiet()
        harness.push(HOUR)
        harness.forget_calls()
        harness.push(HOUR)
        assert harness.new_calls() == {"salesforce.query": 2}, "an hourly look reads the deal, and writes nothing"
        harness.salesforce.edit(CATALOGUE, listed, {"Active__c": True})  # which touches no deal
        harness.push(HOUR)
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2"]
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        harness.push_until_quiet()
        harness.forget_calls()
        harness.push(HOUR)
        assert harness.new_calls() == {"salesforce.query": 1}


def test_a_solution_that_both_sides_hold_stays_when_it_becomes_inactive(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1", "SOL-2")
        harness.salesforce.edit(CATALOGUE, list_solution(harness, "SOL-1"), {"Active__c": False})
        harness.seller_edits(deal, Amount=7)
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ids_in_salesforce(harness, deal) == ["SOL-1", "SOL-2"]
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert_quiet(harness)


# --- rows that name no solution, and too many


def test_a_row_whose_solution_has_no_id_is_told_and_the_others_travel(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, "SOL-1")
        nameless = list_solution(harness, None, Name="No id yet")
        harness.salesforce.insert(ROWS, {"Opportunity__c": deal, "Solution__c": nameless})
        seller_adds(harness, deal, "SOL-2")
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2"]
        assert harness.count_in_audit(deal, "names no solution with an id") == 1
        assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
        assert_quiet(harness)
        harness.salesforce.edit(CATALOGUE, nameless, {"Solution_Id__c": "SOL-3"})
        touch(harness, deal)
        harness.push_until_quiet()
        assert ids_in_partner_center(harness, deal) == ["SOL-1", "SOL-2", "SOL-3"]
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_fifty_one_solutions_hold_a_new_deal(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = harness.seller_creates(Products__c=None)
        seller_adds(harness, deal, *(f"SOL-{number}" for number in range(51)))
        harness.push_until_quiet()
        assert harness.our_referrals() == []
        assert harness.count_in_audit(deal, "has more than 50 solutions") == 1


def test_the_fifty_first_solution_of_a_linked_deal_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, *(f"SOL-{number}" for number in range(50)))
        seller_adds(harness, deal, "SOL-50")
        before = harness.referral_of(deal)["eTag"]
        harness.push_until_quiet()
        assert harness.referral_of(deal)["eTag"] == before
        assert harness.count_in_audit(deal, "Partner Center does not get SOL-50, because it takes no more") == 1
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
        assert_quiet(harness)


def test_the_fifty_first_solution_follows_once_a_colleague_makes_room_and_is_told_once(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        deal = deal_with(harness, *(f"SOL-{number}" for number in range(49)))
        seller_adds(harness, deal, "SOL-50", "SOL-51")
        colleague_lists(harness, deal, *(f"SOL-{number}" for number in range(49)), "SOL-60")
        harness.run_rounds()
        assert len(ids_in_partner_center(harness, deal)) == 50
        assert len(ids_in_salesforce(harness, deal)) > 50
        harness.seller_edits(deal, Amount=123)
        harness.run_rounds()
        told = "\n".join(line for line in harness.audit_texts(deal) if "takes no more" in line)
        assert (told.count("SOL-50"), told.count("SOL-51")) == (1, 1)
        assert harness.count_in_audit(deal, "has more than 50 solutions") == 0
        kept = [one for one in ids_in_partner_center(harness, deal) if one not in ("SOL-0", "SOL-1")]
        colleague_lists(harness, deal, *kept)
        harness.run_rounds()
        assert ids_in_salesforce(harness, deal) == ids_in_partner_center(harness, deal)
        assert {"SOL-50", "SOL-51", "SOL-60"} <= {*ids_in_salesforce(harness, deal)}
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert_quiet(harness)


# --- help of Microsoft


@pytest.mark.parametrize("is_ready", [True, False])
def test_the_catalogue_says_whether_microsoft_can_be_asked_for_help(tmp_path: Path, is_ready: bool) -> None:
    with reading_rows(tmp_path) as harness:
        list_solution(harness, "SOL-1", Co_sell_Ready__c=is_ready)
        deal = complete_deal(harness, Products__c=None, **{HELP: PROOF, NOTES: "A demo in May, please."})
        seller_adds(harness, deal, "SOL-1")
        harness.run_rounds(4)
        assert bool(microsofts_records(harness)) is is_ready
        assert harness.count_in_audit(deal, "co-sell ready") == int(not is_ready)
