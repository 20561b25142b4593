"""With `show_rows`, the text is read, and the related list shows what Partner Center holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of
from tests.unit.sync.solution_rows import (
    SHOWING_ROWS,
    colleague_lists,
    ids_in_partner_center,
    ids_in_salesforce,
    reading_rows,
    seller_adds,
    seller_removes,
)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    with reading_rows(tmp_path, SHOWING_ROWS) as harness:
        yield harness


def test_the_list_shows_the_ids_of_the_text_and_what_changes_in_partner_center(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1;SOL-2")
    assert ids_in_salesforce(harness, deal) == ["SOL-1", "SOL-2"]
    harness.seller_edits(deal, Products__c="SOL-2;SOL-3")
    harness.push()
    assert ids_in_partner_center(harness, deal) == ids_in_salesforce(harness, deal) == ["SOL-2", "SOL-3"]
    harness.pull_event(colleague_lists(harness, deal, "SOL-3", "SOL-4"))
    assert ids_in_salesforce(harness, deal) == ["SOL-3", "SOL-4"]
    assert sorted(harness.opportunity(deal)["Products__c"].split(";")) == ["SOL-3", "SOL-4"]
    assert harness.count_in_audit(deal, "Deal Solutions") == 0, "the line of the text says it"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_deal_that_arrives_shows_its_solutions(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = str(opportunity_of(harness, referral)["Id"])
    harness.run_rounds()
    assert ids_in_salesforce(harness, deal) == sorted(harness.opportunity(deal)["Products__c"].split(";"))
    assert_quiet(harness)


def test_a_row_that_a_seller_adds_is_not_sent_and_told_once(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1")
    seller_adds(harness, deal, "SOL-9")
    harness.push_until_quiet()
    assert ids_in_partner_center(harness, deal) == ["SOL-1"]
    assert harness.opportunity(deal)["Products__c"] == "SOL-1"
    assert harness.count_in_audit(deal, "Deal Solutions only shows Products: Partner Center does not get SOL-9.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)
    harness.seller_edits(deal, Products__c="SOL-1;SOL-9")
    harness.push_until_quiet()
    assert ids_in_partner_center(harness, deal) == ids_in_salesforce(harness, deal) == ["SOL-1", "SOL-9"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_row_that_a_seller_deletes_comes_back_and_is_told(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1;SOL-2")
    seller_removes(harness, deal, "SOL-1")
    harness.push_until_quiet()
    assert ids_in_partner_center(harness, deal) == ids_in_salesforce(harness, deal) == ["SOL-1", "SOL-2"]
    assert harness.count_in_audit(deal, "Deal Solutions only shows Products: SOL-2 was replaced by") == 1
    assert_quiet(harness)


def test_the_line_about_a_row_that_comes_back_names_what_stays_beside_it(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-1")
    seller_adds(harness, deal, "SOL-7")
    harness.push_until_quiet()
    seller_removes(harness, deal, "SOL-1")
    harness.push_until_quiet()
    assert ids_in_salesforce(harness, deal) == ["SOL-1", "SOL-7"]
    assert harness.count_in_audit(deal, "Deal Solutions only shows Products: SOL-7 was replaced by SOL-1, SOL-7.") == 1
    assert_quiet(harness)


def test_a_file_without_the_key_makes_no_rows() -> None:
    with Harness() as harness:
        deal = harness.shared_deal(Products__c="SOL-1")
        assert ids_in_salesforce(harness, deal) == []
