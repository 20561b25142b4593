"""What was never read is unknown, not empty (docs/protocol.md#a-changed-mapping).

The mapping changes under a deal that is shared already: a field enters it, or is read in another way.
"""

from collections.abc import Iterator
from copy import replace

import pytest

from shared.store.row_codec import pack, unpack
from shared.store.rows import Put
from tests.unit.sync.changed_mappings import WITHOUT_NOTES, Write, change_mapping
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

SOLUTIONS_ONCE = '[fields.solutions]\nwhen = ["create"]\n'
CREATED_ONLY = '[fields.money]\nwhen = ["create"]\n'


@pytest.fixture
def without_notes(write: Write) -> Iterator[Harness]:
    """The harness, with a mapping whose notes are off."""
    with Harness(mapping=write(WITHOUT_NOTES)) as harness:
        yield harness


def test_a_field_that_was_off_is_read_before_it_is_merged(without_notes: Harness) -> None:
    harness = without_notes
    deal = harness.shared_deal(Description="Seller's words")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Colleague's words")
    harness.run_rounds()
    change_mapping(harness)
    harness.seller_edits(deal, Amount=12000)
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["dealValue"] == 12000
    for text in (harness.referral_of(deal)["details"]["notes"], harness.opportunity(deal)["Description"]):
        assert "Seller's words" in text
        assert "Colleague's words" in text
    assert harness.count_in_audit(deal, "empty") == 0
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_the_lines_of_a_field_that_enters_the_mapping_name_the_value_that_was_there(write: Write) -> None:
    with Harness(mapping=write(CREATED_ONLY)) as harness:
        deal = harness.shared_deal()
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=77000)
        harness.seller_edits(deal, Amount=12000)
        harness.run_rounds()
        change_mapping(harness)
        harness.seller_edits(deal, CloseDate="2027-05-05")
        harness.run_rounds()
        assert harness.referral_of(deal)["details"]["dealValue"] == harness.opportunity(deal)["Amount"] == 12000
        assert harness.count_in_audit(deal, "Amount 77000.00 USD → 12000.00 USD.") == 1
        assert harness.count_in_audit(deal, "Discarded: 77000.00 USD.") == 1
        assert_quiet(harness)


def test_a_field_that_was_off_for_a_while_is_no_edit_of_the_side_that_changed_it(write: Write) -> None:
    with Harness() as harness:
        deal = harness.shared_deal(Description="As agreed")
        change_mapping(harness, write(WITHOUT_NOTES))
        harness.seller_edits(deal, Description=None, Amount=12000)
        harness.run_rounds()
        change_mapping(harness)
        harness.seller_edits(deal, Amount=13000)
        harness.run_rounds()
        assert harness.referral_of(deal)["details"]["notes"] == "As agreed"
        assert harness.opportunity(deal)["Description"] == "As agreed"
        assert_quiet(harness)


def test_a_field_that_is_read_from_another_column_is_unknown_there(write: Write) -> None:
    with Harness() as harness:
        deal = harness.shared_deal(Description="As agreed")
        change_mapping(harness, write('[fields.notes]\nsalesforce = "NextStep"\n'))
        harness.seller_edits(deal, Amount=13000)
        harness.run_rounds()
        assert harness.referral_of(deal)["details"]["notes"] == "As agreed"
        assert harness.opportunity(deal)["NextStep"] == "As agreed"
        assert_quiet(harness)


def test_an_edit_under_way_is_no_conflict_when_only_other_keys_of_the_mapping_change(write: Write) -> None:
    with Harness() as harness:
        deal = harness.shared_deal()
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=77000)
        change_mapping(harness, write('[fields.money]\nlabel = "Amount"\nwinner = "salesforce"\n' + WITHOUT_NOTES))
        harness.run_rounds()
        assert harness.opportunity(deal)["Amount"] == 77000
        assert harness.count_in_audit(deal, "both sides") == 0


def test_the_first_push_under_another_mapping_reads_the_referral_and_the_next_does_not(write: Write) -> None:
    with Harness() as harness:
        deal = harness.shared_deal()
        change_mapping(harness, write(WITHOUT_NOTES))
        for amount, reads in ((12000, 1), (13000, 0)):
            harness.seller_edits(deal, Amount=amount)
            harness.push()
            calls = harness.new_calls()
            assert (calls["partner_center.get"], calls["partner_center.patch"]) == (reads, 1)
        assert harness.stored_link(deal).mapping == harness.translation.rules.mapping


def test_a_link_of_an_earlier_build_is_read_first_and_keeps_its_base(harness: Harness) -> None:
    deal = harness.shared_deal()
    entry = harness.store.link(deal)
    assert entry is not None
    harness.store.replace_link(entry, replace(entry.value, mapping=None, sources={}))
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Colleague's words")
    harness.seller_edits(deal, Amount=12000)
    harness.push()
    assert harness.opportunity(deal)["Description"] == "Colleague's words"
    assert harness.count_in_audit(deal, "both sides") == 0


def test_a_mapping_that_a_build_without_it_left_behind_is_not_believed(harness: Harness) -> None:
    deal = harness.shared_deal()
    entry = harness.store.link(deal)
    assert entry is not None
    assert entry.value.mapping == harness.translation.rules.mapping
    row = harness.rows.get(f"O|{deal}", "link")
    assert row is not None
    stored = unpack(row.data)
    harness.rows.write(f"O|{deal}", [Put("link", pack({**stored, "etag": "moved"}))])
    assert harness.stored_link(deal).mapping is None


@pytest.mark.parametrize(
    "edited", [{"CurrencyIsoCode": "USD", "Amount": 12000}, {"Description": "New"}], ids=["amount", "notes"]
)
def test_a_value_that_cannot_be_read_in_partner_center_is_never_taken_for_empty(
    harness: Harness, edited: dict[str, object]
) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/currency": "ZZZ"})
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    harness.seller_edits(deal, **edited)
    harness.run_rounds()
    details = harness.partner_center.referral(referral)["details"]
    assert (details["dealValue"], details["currency"]) == (25000, "ZZZ")
    assert harness.count_in_audit(deal, "empty →") == 0


@pytest.mark.parametrize("side", ["seller", "colleague"])
def test_a_solution_that_was_removed_while_solutions_travelled_once_does_not_come_back(write: Write, side: str) -> None:
    with Harness(mapping=write(SOLUTIONS_ONCE)) as harness:
        deal = harness.shared_deal(Products__c="SOL-1;SOL-2")
        if side == "seller":
            harness.seller_edits(deal, Products__c="SOL-1")
        else:
            referral = harness.referral_of(deal)["id"]
            harness.colleague_edits(referral, details_requirements_solutions=[{"id": "SOL-1", "type": "Name"}])
        harness.run_rounds()
        change_mapping(harness)
        harness.seller_edits(deal, Amount=12000)
        harness.run_rounds()
        tags = harness.referral_of(deal)["details"]["requirements"]["solutions"]
        assert (harness.opportunity(deal)["Products__c"], [tag["id"] for tag in tags]) == ("SOL-1", ["SOL-1"])
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert_quiet(harness)
