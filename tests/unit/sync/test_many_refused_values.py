"""Values that Salesforce refuses together are written one by one in the same run, however many they are."""

from tests.unit.sync.harness import Harness


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
