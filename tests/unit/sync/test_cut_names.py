"""A text that travels only at creation and does not fit is told once (docs/protocol.md#values-that-travel-once)."""

from functools import partial
from pathlib import Path

import pytest

from tests.unit.sync.harness import AFTER_LEASE, HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of, recover_after_lease

CUT = "Opportunity Name holds the first {} characters of a longer text. Please see the other system for the whole text."
SHORT_NAMES = 'extends = "default"\n[fields.name]\nlength = 20\n'


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
    assert harness.count_in_audit(record["Id"], CUT.format(120)) == 1
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
            assert harness.count_in_audit(record["Id"], CUT.format(120)) == 1, number
            assert record["Sync_Status__c"] == "Synced with differences", number
    assert number > 4


def test_a_name_that_is_cut_in_a_new_referral_is_told_once_and_stays_a_difference(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text(SHORT_NAMES, "utf-8")
    with Harness(mapping=path) as harness:
        deal = harness.shared_deal(Name="A name of more than twenty characters")
        assert harness.referral_of(deal)["name"] == "A name of more than"
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
        harness.seller_edits(deal, Amount=31000)
        harness.run_rounds()
        harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="A word.")
        harness.run_rounds()
        assert harness.count_in_audit(deal, CUT.format(20)) == 1
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
        assert_quiet(harness)
