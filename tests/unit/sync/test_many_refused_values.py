"""Values that Salesforce refuses together are written one by one in the same run, however many they are."""

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import add_flow


def test_each_value_beside_a_refused_column_of_ours_arrives_in_one_run(harness: Harness) -> None:
    harness.partner_center.switches.extra_paths = ("/name",)
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.refuse_writes_of("Audit__c")
    values = {"details_notes": "Only phase 2.", "details_dealValue": 777, "details_closingDateTime": "2027-05-01"}
    harness.colleague_edits(referral, name="Atlas 2", **values)
    harness.pull_event(referral)
    found = harness.opportunity(deal)
    assert (found["Name"], found["Description"], found["Amount"]) == ("Atlas 2", "Only phase 2.", 777)
    assert found["CloseDate"] == "2027-05-01"
    assert harness.new_calls()["partner_center.get"] <= 2


def test_a_value_that_is_set_back_beside_a_refused_one_is_written_once_and_both_are_told(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    add_flow(harness, Amount=harness.opportunity(deal)["Amount"])
    harness.refuse_writes_of("Description")
    harness.colleague_edits(referral, details_notes="Only phase 2.", details_dealValue=777)
    harness.new_calls()
    harness.pull_event(referral)
    assert harness.new_calls()["salesforce.conditional"] == 3, "both, then each alone"
    audit = harness.opportunity(deal)["Audit__c"]
    assert 'Amount "777.00 USD" was written, but Salesforce kept "10000.00 USD"' in audit
    assert 'Description "Only phase 2." was not carried over' in audit
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
