"""A field that the mapping file takes out is neither read nor written, and all else of a deal arrives."""

from tests.unit.sync.changed_mappings import Write, change_mapping
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet


def test_a_deal_arrives_without_the_contacts_that_the_file_takes_out(write: Write) -> None:
    with Harness(mapping=write('remove = ["contacts"]\n')) as harness:
        _, deal = arrived_deal(harness)
        assert harness.opportunity(deal)["Name"]
        assert not harness.salesforce.records("Contact")
        assert_quiet(harness)


def test_a_linked_deal_keeps_the_value_of_a_field_that_is_taken_out(write: Write) -> None:
    with Harness() as harness:
        deal = harness.shared_deal(Description="As agreed")
        change_mapping(harness, write('remove = ["notes"]\n'))
        harness.seller_edits(deal, Description="Ours alone", Amount=12000)
        harness.run_rounds()
        details = harness.referral_of(deal)["details"]
        assert (details["notes"], details["dealValue"]) == ("As agreed", 12000)
        assert_quiet(harness)
