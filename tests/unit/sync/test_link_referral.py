"""A referral without a link becomes one opportunity, or is linked to the opportunity that it belongs to.

Sources: docs/protocol.md#creating-an-opportunity, docs/protocol.md#who-may-be-linked.
"""

from datetime import UTC, datetime

import pytest

from shared.domain.deal import Status
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import add_flow, assert_quiet, microsoft_sends_deal, opportunities_of, opportunity_of


def test_a_new_deal_becomes_one_opportunity_with_all_its_values(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    opportunity = opportunity_of(harness, referral)
    expected = {
        "Name": "Robots for the harbour",
        "StageName": "On Hold",
        "Amount": 25000.0,
        "CurrencyIsoCode": "EUR",
        "CloseDate": "2027-03-15",
        "Description": "Wants a pilot before summer.",
        "Products__c": "SOL-1;SOL-2",
        "Referral_Identifier__c": referral,
        "Referral_Link__c": f"https://partner.microsoft.com/referrals/v2/inbox?id={referral}",
        "Sync_with_Partner_Center__c": True,
        "Sync_Status__c": "Waiting",
    }
    assert {name: opportunity[name] for name in expected} == expected
    assert harness.audit_texts(opportunity["Id"]) == [
        "From Partner Center: This opportunity was created from a referral in Partner Center."
    ]
    assert harness.stored_link(opportunity["Id"]).state is State.ON_HOLD
    assert harness.differences(opportunity["Id"]) == []


def test_account_contact_and_contact_role_are_created_with_the_opportunity(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    opportunity = opportunity_of(harness, referral)
    account = harness.salesforce.record("Account", opportunity["AccountId"])
    assert (account["Name"], account["BillingCountry"], account["BillingCity"]) == ("Fabrikam Robotics", "DK", "Aarhus")
    (role,) = harness.salesforce.records("OpportunityContactRole")
    contact = harness.salesforce.record("Contact", role["ContactId"])
    assert (role["OpportunityId"], role["IsPrimary"]) == (opportunity["Id"], True)
    assert (contact["LastName"], contact["FirstName"]) == ("Lind", "Ada")
    assert (contact["Email"], contact["Phone"]) == ("ada.lind@fabrikam.example", "+4512345678")
    assert contact["AccountId"] == opportunity["AccountId"]


def test_the_only_matching_account_and_contact_are_used(harness: Harness) -> None:
    account = harness.salesforce.insert("Account", {"Name": "FABRIKAM robotics", "BillingCountry": "DK"})
    contact = harness.salesforce.insert("Contact", {"LastName": "Lind-Holm", "Email": "Ada.Lind@fabrikam.example"})
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    assert opportunity_of(harness, referral)["AccountId"] == account
    assert [role["ContactId"] for role in harness.salesforce.records("OpportunityContactRole")] == [contact]
    assert len(harness.salesforce.records("Account")) == 1
    assert harness.salesforce.record("Contact", contact)["LastName"] == "Lind-Holm"


def test_an_account_with_the_same_name_in_another_country_is_not_used(harness: Harness) -> None:
    other = harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "SE"})
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    assert opportunity_of(harness, referral)["AccountId"] != other


def test_two_deals_of_one_new_customer_share_the_account_and_the_contact(harness: Harness) -> None:
    first, second = microsoft_sends_deal(harness), microsoft_sends_deal(harness, name="More robots")
    harness.pull_event(first)
    harness.pull_event(second)
    assert opportunity_of(harness, first)["AccountId"] == opportunity_of(harness, second)["AccountId"]
    assert len(harness.salesforce.records("Contact")) == 1


def test_solutions_are_cut_at_whole_ids_and_this_is_reported_once(harness: Harness) -> None:
    tags = [{"id": f"SOL-{number:06d}", "type": "Name"} for number in range(50)]
    referral = microsoft_sends_deal(harness, details={"requirements": {"solutions": tags}})
    harness.pull_event(referral)
    opportunity = opportunity_of(harness, referral)
    kept = opportunity["Products__c"].split(";")
    assert len(opportunity["Products__c"]) <= 255
    assert kept == [tag["id"] for tag in tags][: len(kept)]
    harness.push_until_quiet()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.pull_event(referral)
    reported = [line for line in harness.audit_texts(opportunity["Id"]) if "Products holds" in line]
    assert reported == [
        (
            f"From Partner Center: Products holds {len(kept)} of 50 solutions. "
            "Please see Partner Center for the full list."
        )
    ]
    assert opportunity_of(harness, referral)["Products__c"] == opportunity["Products__c"]
    assert len(harness.partner_center.referral(referral)["details"]["requirements"]["solutions"]) == 50


def test_a_deal_that_is_already_open_arrives_on_an_active_stage(harness: Harness) -> None:
    referral = harness.partner_center.portal_creates({"name": "Made in the portal"})
    harness.pull_event(referral)
    opportunity = opportunity_of(harness, referral)
    assert (opportunity["StageName"], opportunity["Sync_Status__c"]) == ("Qualification", "Synced")
    assert harness.stored_link(opportunity["Id"]).base["status"] == Status("Active", "Accepted")


def test_a_deal_without_contacts_becomes_an_opportunity(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/customerProfile/team": None})
    harness.pull_event(referral)
    assert opportunity_of(harness, referral)["Name"] == "Robots for the harbour"
    assert harness.salesforce.records("Contact") == []


@pytest.mark.parametrize("found_by", ["by_id", "by_reference"])
def test_an_existing_opportunity_is_linked_and_none_is_created(harness: Harness, found_by: str) -> None:
    harness.partner_center.switches.extra_paths = ("/name",)
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False)
    reference = deal if found_by == "by_reference" else None
    made = {"name": "ERP renewal", "externalReferenceId": reference, "details": {"dealValue": 10000}}
    referral = harness.partner_center.portal_creates(made)
    if found_by == "by_id":
        harness.seller_edits(deal, Referral_Identifier__c=referral)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.pull_event(referral)
    assert [opportunity["Id"] for opportunity in opportunities_of(harness, referral)] == [deal]
    assert len(harness.salesforce.records("Opportunity")) == 1
    assert harness.stored_link(deal).referral_id == referral
    assert "From Partner Center: This opportunity was linked to a referral in Partner Center." in harness.audit_texts(
        deal
    )
    harness.run_rounds()
    assert len(harness.our_referrals()) == 1
    assert harness.differences(deal) == []


def test_a_closed_second_referral_with_the_reference_of_a_linked_opportunity_is_ignored(harness: Harness) -> None:
    deal = harness.shared_deal()
    second_referral = harness.partner_center.portal_creates({"externalReferenceId": deal})
    harness.colleague_edits(second_referral, status="Closed", substatus="Error")
    harness.pull_event(second_referral)
    assert harness.first.log.fields_of("referral_ignored") == [
        {"referral_id": second_referral, "reason": "another_referral_is_linked"}
    ]
    assert harness.stored_link(deal).referral_id != second_referral
    assert len(harness.salesforce.records("Opportunity")) == 1


def test_a_referral_that_must_not_be_linked_is_ignored_with_a_reason(harness: Harness) -> None:
    own = microsoft_sends_deal(harness)
    engagement = harness.partner_center.referral(own)["engagementId"]
    foreign = next(
        referral["id"]
        for referral in harness.partner_center.referrals()
        if referral["engagementId"] == engagement and referral["id"] != own
    )
    old = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(old, {"/createdDateTime": "2026-11-22T08:59:59.9999999Z"})
    lead = harness.partner_center.portal_creates({"qualification": "Direct"})
    tagged = harness.partner_center.portal_creates({"externalReferenceId": "TEST:006000000000001AAA"})
    reasons = {foreign: "foreign_organization", old: "before_the_beginning", lead: "lead", tagged: "other_environment"}
    before = harness.all_versions()
    harness.partner_center.raw_patch(lead, {"/inviteContext/invitedBy/organizationId": "msft"}, touch=False)
    for referral in reasons:
        harness.pull_event(referral)
    ignored = harness.first.log.fields_of("referral_ignored")
    assert {str(event["referral_id"]): event["reason"] for event in ignored} == reasons
    assert harness.all_versions() == before
    assert harness.salesforce.records("Account") == []
    assert all(harness.store.pointer(referral) is None for referral in reasons)


def test_outside_production_only_tagged_referrals_are_pulled() -> None:
    with Harness(tag="TEST") as harness:
        plain = microsoft_sends_deal(harness)
        tagged = harness.partner_center.portal_creates({"externalReferenceId": "TEST:006000000000001AAA"})
        harness.pull_event(plain)
        harness.pull_event(tagged)
        assert opportunities_of(harness, plain) == []
        assert opportunity_of(harness, tagged)["Name"]


def test_a_referral_with_unknown_and_missing_fields_becomes_an_opportunity(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(
        referral,
        {
            "/hue": {"of": ["blue", None]},
            "/qualification": "SomethingNew",
            "/type": "Mystery",
            "/customerProfile/size": "gigantic",
            "/team": None,
            "/target": None,
            "/customerProfile/team": [None, "nobody", {"email": "only@mail.example"}],
            "/details/requirements": None,
            "/details/closingDateTime": "2027-03-14T12:00:00.1234567Z",
            "/details/dealValue": 25000.005,
        },
    )
    harness.pull_event(referral)
    opportunity = opportunity_of(harness, referral)
    assert (opportunity["CloseDate"], opportunity["Amount"]) == ("2027-03-15", 25000.01)
    assert [contact["LastName"] for contact in harness.salesforce.records("Contact")] == ["only@mail.example"]


def test_an_unknown_status_arrives_on_hold_and_a_later_known_status_is_synced(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/status": "Simmering", "/substatus": "Slowly"})
    harness.pull_event(referral)
    opportunity = opportunity_of(harness, referral)
    assert opportunity["StageName"] == "On Hold"
    harness.push_until_quiet()
    harness.partner_center.raw_patch(referral, {"/status": "Active", "/substatus": "Accepted"})
    harness.pull_event(referral)
    assert harness.opportunity(opportunity["Id"])["StageName"] == "Qualification"


def test_a_customer_without_a_name_is_logged_and_does_not_affect_other_deals(harness: Harness) -> None:
    bad, good = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(bad, {"/customerProfile/name": None})
    harness.sweep()
    assert opportunities_of(harness, bad) == []
    (parked,) = harness.first.log.fields_of("deal_not_made")
    assert parked.pop("correlation_id")
    assert parked == {"opportunity_id": None, "referral_id": bad, "code": "no_customer", "field": "account"}
    assert opportunity_of(harness, good)
    harness.partner_center.raw_patch(bad, {"/customerProfile/name": "Northwind"}, touch=False)
    harness.advance_time(HOUR)
    harness.push()
    assert opportunity_of(harness, bad)


def test_a_deal_that_salesforce_refuses_is_logged_with_code_and_field_and_retried_hourly(
    harness: Harness,
) -> None:
    bad, good = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.refuse_writes_of("Name", times=1)
    harness.pull_event(bad)
    assert opportunities_of(harness, bad) == []
    (parked,) = harness.first.log.fields_of("deal_not_made")
    assert parked["referral_id"] == bad
    assert (parked["code"], parked["field"]) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Name")
    harness.pull_event(good)
    assert opportunity_of(harness, good)
    harness.push()
    assert opportunities_of(harness, bad) == []
    harness.advance_time(HOUR)
    harness.push()
    assert opportunity_of(harness, bad)
    assert_quiet(harness)


def test_an_unreadable_value_of_a_new_deal_is_reported(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/currency": "XXQ"})
    harness.pull_event(referral)
    opportunity = opportunity_of(harness, referral)
    assert opportunity["Amount"] is None
    assert harness.count_in_audit(opportunity["Id"], "Amount has a value in Partner Center that cannot be read") == 1
    assert_quiet(harness)


def test_an_unreadable_referral_is_retried_and_does_not_affect_other_deals(harness: Harness) -> None:
    bad, good = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(bad, {"/createdDateTime": "yesterday"}, touch=False)
    harness.pull_event(bad)
    harness.sweep()
    harness.push()
    assert opportunity_of(harness, good)
    assert not harness.first.log.fields_of("run_failed")
    harness.partner_center.raw_patch(bad, {"/createdDateTime": datetime(2026, 11, 22, 10, tzinfo=UTC).isoformat()})
    harness.run_rounds(1)
    assert opportunity_of(harness, bad)["Name"] == "Robots for the harbour"


def test_a_deleted_opportunity_is_not_created_again_after_a_change_of_its_referral(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.push_until_quiet()
    harness.salesforce.delete("Opportunity", deal)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.pull_event(referral)
    harness.run_rounds(1)
    assert opportunities_of(harness, referral) == []
    assert harness.first.log.opportunities_of("opportunity_deleted") == [deal]
    assert harness.partner_center.referral(referral)["status"] == "Active"


def test_an_opportunity_that_was_deleted_before_it_was_linked_is_not_created_again(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False, Referral_Identifier__c=referral)
    harness.salesforce.delete("Opportunity", deal)
    harness.pull_event(referral)
    assert harness.salesforce.records("Opportunity") == []
    assert harness.first.log.fields_of("referral_ignored") == [
        {"referral_id": referral, "reason": "opportunity_deleted"}
    ]


def test_a_value_that_salesforce_ignores_on_creation_is_refused_and_not_pushed_back(harness: Harness) -> None:
    add_flow(harness, Description=None)
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.run_rounds()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["notes"] == "Wants a pilot before summer."
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    reported = [line for line in harness.audit_texts(deal) if "was written, but" in line]
    assert reported == [
        (
            'Not synced: Description "Wants a pilot before summer." was written, but Salesforce kept "empty". '
            "Please ask your administrator what changes this field."
        )
    ]


def test_a_value_that_automation_changes_on_creation_goes_back_to_partner_center(harness: Harness) -> None:
    add_flow(harness, Amount=26000.0)
    referral = harness.partner_center.portal_creates({"details": {"dealValue": 25000, "currency": "EUR"}})
    harness.pull_event(referral)
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 26000
    assert not any(
        "changed on both sides" in line for line in harness.audit_texts(opportunity_of(harness, referral)["Id"])
    )
