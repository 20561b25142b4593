"""A name that does not fit is told once, and so is an edit that replaces the whole of it.

Sources: docs/protocol.md#the-narrower-side-judges-equality, docs/protocol.md#values-that-travel-once.
"""

from functools import partial
from pathlib import Path

import pytest

from tests.unit.sync.harness import AFTER_LEASE, HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of, recover_after_lease

CUT = "Opportunity Name holds the first 120 characters of a longer text in Partner Center."
CUT_THERE = "Partner Center holds the first 20 characters of Opportunity Name."
CUT_ONCE = "Opportunity Name holds the first 120 characters of a longer text. Please see the other system for the whole"
REPLACED = "Opportunity Name was longer than 120 characters in Partner Center. All of that text was replaced."
SHORT_NAMES = 'extends = "default"\n[fields.name]\nlength = 20\n'
ONLY_AT_CREATION = 'extends = "default"\n[fields.name]\nwhen = ["create"]\n'


def long_named_deal(harness: Harness, length: int = 300) -> str:
    """A deal from Microsoft with a name of this length, which is accepted in the portal. Returns the referral's id."""
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/name": "N" * length, "/status": "Active", "/substatus": "Accepted"})
    return referral


def test_a_name_that_is_cut_on_arrival_is_told_once_and_stays_a_difference(harness: Harness) -> None:
    referral = long_named_deal(harness)
    harness.pull_event(referral)
    record = opportunity_of(harness, referral)
    assert (record["Name"], record["Sync_Status__c"]) == ("N" * 120, "Synced with differences")
    harness.run_rounds()
    harness.colleague_edits(referral, details_notes="A word.")
    harness.run_rounds()
    harness.seller_edits(record["Id"], Amount=31000)
    harness.run_rounds()
    assert harness.count_in_audit(record["Id"], CUT) == 1
    assert harness.opportunity(record["Id"])["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


@pytest.mark.parametrize("length", [100, 115, 120])
def test_a_name_that_fits_is_not_told(harness: Harness, length: int) -> None:
    referral = long_named_deal(harness, length)
    harness.pull_event(referral)
    harness.run_rounds()
    record = opportunity_of(harness, referral)
    assert harness.count_in_audit(record["Id"], "of a longer text") == 0
    assert record["Sync_Status__c"] == "Synced"


def test_a_cut_name_that_a_colleague_shortens_to_what_is_held_is_no_difference(harness: Harness) -> None:
    referral = long_named_deal(harness)
    harness.pull_event(referral)
    harness.run_rounds()
    harness.partner_center.raw_patch(referral, {"/name": "N" * 120})
    harness.run_rounds()
    assert opportunity_of(harness, referral)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_stopped_run_tells_a_cut_name_once() -> None:
    for number in range(20):
        with Harness() as harness:
            referral = long_named_deal(harness)
            harness.first.process.crash_at(number, after=True)
            if not harness.first.crashes_during(partial(Instance.pull_event, referral_id=referral)):
                break
            survivor = recover_after_lease(harness)
            survivor.pull_event(referral, after=AFTER_LEASE)
            survivor.push(HOUR)
            record = opportunity_of(harness, referral)
            assert harness.count_in_audit(record["Id"], CUT) == 1, number
            assert record["Sync_Status__c"] == "Synced with differences", number
    assert number > 4


def test_a_name_that_is_cut_in_a_new_referral_is_told_once_and_stays_a_difference(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text(SHORT_NAMES, "utf-8")
    with Harness(mapping=path) as harness:
        harness.partner_center.switches.extra_paths = ("/name",)
        deal = harness.shared_deal(Name="A name of more than twenty characters")
        assert harness.referral_of(deal)["name"] == "A name of more than"
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
        harness.seller_edits(deal, Amount=31000)
        harness.run_rounds()
        harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="A word.")
        harness.run_rounds()
        assert harness.count_in_audit(deal, CUT_THERE) == 1
        assert harness.opportunity(deal)["Name"] == "A name of more than twenty characters"
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
        assert_quiet(harness)
        harness.seller_edits(deal, Name="Short enough")
        harness.run_rounds()
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert harness.referral_of(deal)["name"] == "Short enough"


def test_a_sellers_edit_of_a_cut_name_says_that_it_replaced_the_whole_text(harness: Harness) -> None:
    harness.partner_center.switches.extra_paths = ("/name",)
    referral = long_named_deal(harness)
    harness.pull_event(referral)
    harness.run_rounds()
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, Name="A short name")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["name"] == "A short name"
    assert harness.count_in_audit(deal, REPLACED) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_sellers_edit_of_a_cut_name_that_cannot_be_sent_replaces_nothing(harness: Harness) -> None:
    referral = long_named_deal(harness)
    harness.pull_event(referral)
    harness.run_rounds()
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, Name="A short name")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["name"] == "N" * 300
    assert harness.count_in_audit(deal, REPLACED) == 0
    assert harness.count_in_audit(deal, CUT) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_a_name_that_travels_only_at_creation_and_is_cut_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "once.toml"
    path.write_text(ONLY_AT_CREATION, "utf-8")
    with Harness(mapping=path) as once, Harness() as now:
        referral = long_named_deal(once)
        once.pull_event(referral)
        once.run_rounds()
        record = opportunity_of(once, referral)
        assert once.count_in_audit(record["Id"], CUT_ONCE) == 1
        assert_quiet(once)
        once.translation = now.translation  # a file that begins to extend the default
        once.seller_edits(record["Id"], Amount=31000)
        once.run_rounds()
        assert once.count_in_audit(record["Id"], "of a longer text") == 1
        assert once.opportunity(record["Id"])["Sync_Status__c"] == "Synced with differences"
        assert_quiet(once)
