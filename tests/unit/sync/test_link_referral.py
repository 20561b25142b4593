from datetime import UTC, datetime

import pytest

from shared.domain.deal import Status
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import assert_quiet, flow, microsoft_sends_deal, opportunities_of, opportunity_of


def test_a_new_deal_becomes_one_opportunity_with_all_that_a_seller_needs(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.event(referral)
    row = opportunity_of(harness, referral)
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
    assert {name: row[name] for name in expected} == expected
    assert harness.audit_texts(row["Id"]) == [
        "From Partner Center: This opportunity was created from a referral in Partner Center."
    ]
    assert harness.link(row["Id"]).state is State.ON_HOLD
    assert harness.differences(row["Id"]) == []


def test_its_account_contact_and_contact_role_are_made_with_it(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.event(referral)
    row = opportunity_of(harness, referral)
    account = harness.salesforce.record("Account", row["AccountId"])
    assert (account["Name"], account["BillingCountry"], account["BillingCity"]) == ("Fabrikam Robotics", "DK", "Aarhus")
    (role,) = harness.salesforce.records("OpportunityContactRole")
    contact = harness.salesforce.record("Contact", role["ContactId"])
    assert (role["OpportunityId"], role["IsPrimary"]) == (row["Id"], True)
    assert (contact["LastName"], contact["FirstName"]) == ("Lind", "Ada")
    assert (contact["Email"], contact["Phone"]) == ("ada.lind@fabrikam.example", "+4512345678")
    assert contact["AccountId"] == row["AccountId"]


def test_the_one_account_and_the_one_contact_that_match_are_taken(harness: Harness) -> None:
    account = harness.salesforce.insert("Account", {"Name": "FABRIKAM robotics", "BillingCountry": "DK"})
    contact = harness.salesforce.insert("Contact", {"LastName": "Lind-Holm", "Email": "Ada.Lind@fabrikam.example"})
    referral = microsoft_sends_deal(harness)
    harness.event(referral)
    assert opportunity_of(harness, referral)["AccountId"] == account
    assert [role["ContactId"] for role in harness.salesforce.records("OpportunityContactRole")] == [contact]
    assert len(harness.salesforce.records("Account")) == 1
    assert harness.salesforce.record("Contact", contact)["LastName"] == "Lind-Holm"


def test_a_namesake_in_another_country_is_another_customer(harness: Harness) -> None:
    other = harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "SE"})
    referral = microsoft_sends_deal(harness)
    harness.event(referral)
    assert opportunity_of(harness, referral)["AccountId"] != other


def test_where_several_match_a_new_one_is_made(harness: Harness) -> None:
    for _ in range(2):
        harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "DK"})
        harness.salesforce.insert("Contact", {"LastName": "Lind", "Email": "ada.lind@fabrikam.example"})
    referral = microsoft_sends_deal(harness)
    harness.event(referral)
    assert opportunity_of(harness, referral)["AccountId"]
    assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 3


def test_two_deals_of_one_new_customer_share_the_account_and_the_contact(harness: Harness) -> None:
    first, second = microsoft_sends_deal(harness), microsoft_sends_deal(harness, name="More robots")
    harness.event(first)
    harness.event(second)
    assert opportunity_of(harness, first)["AccountId"] == opportunity_of(harness, second)["AccountId"]
    assert len(harness.salesforce.records("Contact")) == 1


def test_solutions_are_cut_at_whole_ids_and_that_is_told_once(harness: Harness) -> None:
    tags = [{"id": f"SOL-{number:06d}", "type": "Name"} for number in range(50)]
    referral = microsoft_sends_deal(harness, details={"requirements": {"solutions": tags}})
    harness.event(referral)
    row = opportunity_of(harness, referral)
    kept = row["Products__c"].split(";")
    assert len(row["Products__c"]) <= 255
    assert kept == [tag["id"] for tag in tags][: len(kept)]
    harness.quiet()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.event(referral)
    told = [line for line in harness.audit_texts(row["Id"]) if "Products holds" in line]
    assert told == [
        (
            f"From Partner Center: Products holds {len(kept)} of 50 solutions. "
            "Please see Partner Center for the full list."
        )
    ]
    assert opportunity_of(harness, referral)["Products__c"] == row["Products__c"]
    assert len(harness.partner_center.referral(referral)["details"]["requirements"]["solutions"]) == 50


def test_a_deal_that_is_open_already_arrives_on_an_active_stage(harness: Harness) -> None:
    referral = harness.partner_center.portal_creates({"name": "Made in the portal"})
    harness.event(referral)
    row = opportunity_of(harness, referral)
    assert (row["StageName"], row["Sync_Status__c"]) == ("Qualification", "Synced")
    assert harness.link(row["Id"]).base["status"] == Status("Active", "Accepted")


def test_a_deal_without_contacts_is_accepted(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/customerProfile/team": None})
    harness.event(referral)
    assert opportunity_of(harness, referral)["Name"] == "Robots for the harbour"
    assert harness.salesforce.records("Contact") == []


@pytest.mark.parametrize("where", ["by_id", "by_reference"])
def test_an_opportunity_that_exists_already_is_adopted(harness: Harness, where: str) -> None:
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False)
    referral = harness.partner_center.portal_creates(
        {"externalReferenceId": deal if where == "by_reference" else None, "details": {"dealValue": 10000}}
    )
    if where == "by_id":
        harness.seller_edits(deal, Referral_Identifier__c=referral)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.event(referral)
    assert [row["Id"] for row in opportunities_of(harness, referral)] == [deal]
    assert len(harness.salesforce.records("Opportunity")) == 1
    assert harness.link(deal).referral_id == referral
    assert "From Partner Center: This opportunity was linked to a referral in Partner Center." in harness.audit_texts(
        deal
    )
    harness.run_rounds()
    assert len(harness.referrals()) == 1
    assert harness.differences(deal) == []


def test_a_second_referral_with_the_reference_of_a_linked_opportunity_is_ignored(harness: Harness) -> None:
    deal = harness.shared()
    twin = harness.partner_center.portal_creates({"externalReferenceId": deal})
    harness.event(twin)
    assert harness.one.log.of("referral_ignored") == [{"referral_id": twin, "reason": "another_referral_is_linked"}]
    assert harness.link(deal).referral_id != twin
    assert len(harness.salesforce.records("Opportunity")) == 1


def test_what_is_not_ours_to_link_is_ignored_with_a_reason(harness: Harness) -> None:
    ours = microsoft_sends_deal(harness)
    engagement = harness.partner_center.referral(ours)["engagementId"]
    theirs = next(
        found["id"]
        for found in harness.partner_center.referrals()
        if found["engagementId"] == engagement and found["id"] != ours
    )
    old = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(old, {"/createdDateTime": "2026-11-22T08:59:59.9999999Z"})
    lead = harness.partner_center.portal_creates({"qualification": "Direct"})
    tagged = harness.partner_center.portal_creates({"externalReferenceId": "TEST:006000000000001AAA"})
    reasons = {theirs: "foreign_organization", old: "before_the_beginning", lead: "lead", tagged: "other_environment"}
    before = harness.all_versions()
    harness.partner_center.raw_patch(lead, {"/inviteContext/invitedBy/organizationId": "msft"}, touch=False)
    for referral in reasons:
        harness.event(referral)
    assert {str(told["referral_id"]): told["reason"] for told in harness.one.log.of("referral_ignored")} == reasons
    assert harness.all_versions() == before
    assert harness.salesforce.records("Account") == []
    assert all(harness.store.pointer(referral) is None for referral in reasons)


def test_outside_production_only_tagged_referrals_are_looked_at() -> None:
    with Harness(tag="TEST") as harness:
        plain = microsoft_sends_deal(harness)
        tagged = harness.partner_center.portal_creates({"externalReferenceId": "TEST:by-hand"})
        harness.event(plain)
        harness.event(tagged)
        assert opportunities_of(harness, plain) == []
        assert opportunity_of(harness, tagged)["Name"]


def test_a_referral_that_cannot_be_found_is_read_once_logged_and_done(harness: Harness) -> None:
    harness.event("00000000-0000-4000-8000-000000000000")
    assert harness.calls() == {"partner_center.get": 1}
    assert harness.one.log.of("referral_missing") == [{"referral_id": "00000000-0000-4000-8000-000000000000"}]
    harness.run_rounds(1)
    assert harness.calls()["partner_center.get"] == 0


def test_a_referral_with_things_nobody_foresaw_is_accepted(harness: Harness) -> None:
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
            "/details/closingDateTime": "2027-03-15T23:59:59.1234567Z",
            "/details/dealValue": 25000.005,
        },
    )
    harness.event(referral)
    row = opportunity_of(harness, referral)
    assert (row["CloseDate"], row["Amount"]) == ("2027-03-15", 25000.01)
    assert [contact["LastName"] for contact in harness.salesforce.records("Contact")] == ["only@mail.example"]


def test_a_status_nobody_knows_arrives_on_hold_and_follows_once_it_is_known(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/status": "Simmering", "/substatus": "Slowly"})
    harness.event(referral)
    row = opportunity_of(harness, referral)
    assert row["StageName"] == "On Hold"
    harness.quiet()
    harness.partner_center.raw_patch(referral, {"/status": "Active", "/substatus": "Accepted"})
    harness.event(referral)
    assert harness.opportunity(row["Id"])["StageName"] == "Qualification"


def test_a_customer_without_a_country_is_told_in_the_log_and_harms_no_other(harness: Harness) -> None:
    lame, sound = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(lame, {"/customerProfile/address/country": None})
    harness.sweep()
    assert opportunities_of(harness, lame) == []
    told = {"opportunity_id": None, "referral_id": lame, "code": "no_account", "field": "account"}
    assert harness.one.log.of("pair_parked") == [told]
    assert opportunity_of(harness, sound)
    harness.partner_center.raw_patch(lame, {"/customerProfile/address/country": "DE"}, touch=False)
    harness.later(HOUR)
    harness.push()
    assert opportunity_of(harness, lame)


def test_a_deal_whose_opportunity_salesforce_refuses_is_told_with_code_and_field_and_tried_hourly(
    harness: Harness,
) -> None:
    lame, sound = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.refuse_writes_of("Name", times=1)
    harness.event(lame)
    assert opportunities_of(harness, lame) == []
    (told,) = harness.one.log.of("pair_parked")
    assert told["referral_id"] == lame
    assert (told["code"], told["field"]) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Name")
    harness.event(sound)
    assert opportunity_of(harness, sound)
    harness.push()
    assert opportunities_of(harness, lame) == []
    harness.later(HOUR)
    harness.push()
    assert opportunity_of(harness, lame)
    assert_quiet(harness)


def test_a_value_that_cannot_be_read_is_told_on_arrival(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/currency": "XXQ"})
    harness.event(referral)
    row = opportunity_of(harness, referral)
    assert row["Amount"] is None
    assert harness.count_in_audit(row["Id"], "Deal value has a value in Partner Center that cannot be read") == 1
    assert_quiet(harness)


def test_unreadable_representations_are_due_and_harm_no_other(harness: Harness) -> None:
    lame, sound = microsoft_sends_deal(harness), microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(lame, {"/createdDateTime": "yesterday"}, touch=False)
    harness.event(lame)
    harness.sweep()
    harness.push()
    assert opportunity_of(harness, sound)
    assert not harness.one.log.of("run_failed")
    harness.partner_center.raw_patch(lame, {"/createdDateTime": datetime(2026, 11, 22, 10, tzinfo=UTC).isoformat()})
    harness.run_rounds(1)
    assert opportunity_of(harness, lame)["Name"] == "Robots for the harbour"


def test_a_deleted_opportunity_is_not_made_again(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.quiet()
    harness.salesforce.delete("Opportunity", deal)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.event(referral)
    harness.run_rounds(1)
    assert opportunities_of(harness, referral) == []
    assert harness.one.log.of("opportunity_missing")[0] == {"opportunity_id": deal}
    assert harness.partner_center.referral(referral)["status"] == "Active"


def test_an_opportunity_deleted_before_anybody_linked_it_is_not_made_again(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False, Referral_Identifier__c=referral)
    harness.salesforce.delete("Opportunity", deal)
    harness.event(referral)
    assert harness.salesforce.records("Opportunity") == []
    assert harness.one.log.of("referral_ignored") == [{"referral_id": referral, "reason": "opportunity_deleted"}]


def test_a_value_that_salesforce_ignores_on_creation_is_refused_and_never_pushed_back(harness: Harness) -> None:
    flow(harness, Description=None)
    referral = microsoft_sends_deal(harness)
    harness.event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.run_rounds()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["notes"] == "Wants a pilot before summer."
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    told = [line for line in harness.audit_texts(deal) if "Notes was written" in line]
    assert told == [
        (
            "Not synced: Notes was written, but the other system kept empty. "
            "Please ask your administrator what changes this field."
        )
    ]


def test_what_automation_makes_of_a_new_opportunity_is_an_edit_on_top_of_it(harness: Harness) -> None:
    flow(harness, Amount=26000.0)
    referral = harness.partner_center.portal_creates({"details": {"dealValue": 25000, "currency": "EUR"}})
    harness.event(referral)
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 26000
    assert not any(
        "changed on both sides" in line for line in harness.audit_texts(opportunity_of(harness, referral)["Id"])
    )
