from datetime import UTC, datetime

import pytest

from shared.domain.deal import Status
from shared.domain.link_states import State
from tests.unit.sync.arrivals import assert_quiet, flow, opportunities_of, opportunity_of, sent
from tests.unit.sync.bench import HOUR, Bench


def test_a_new_deal_becomes_one_opportunity_with_all_that_a_seller_needs(bench: Bench) -> None:
    referral = sent(bench)
    bench.event(referral)
    row = opportunity_of(bench, referral)
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
    assert bench.audit(row["Id"]) == [
        "From Partner Center: This opportunity was created from a referral in Partner Center."
    ]
    assert bench.link(row["Id"]).state is State.ON_HOLD
    assert bench.differences(row["Id"]) == []


def test_its_account_contact_and_contact_role_are_made_with_it(bench: Bench) -> None:
    referral = sent(bench)
    bench.event(referral)
    row = opportunity_of(bench, referral)
    account = bench.salesforce.record("Account", row["AccountId"])
    assert (account["Name"], account["BillingCountry"], account["BillingCity"]) == ("Fabrikam Robotics", "DK", "Aarhus")
    (role,) = bench.salesforce.records("OpportunityContactRole")
    contact = bench.salesforce.record("Contact", role["ContactId"])
    assert (role["OpportunityId"], role["IsPrimary"]) == (row["Id"], True)
    assert (contact["LastName"], contact["FirstName"]) == ("Lind", "Ada")
    assert (contact["Email"], contact["Phone"]) == ("ada.lind@fabrikam.example", "+4512345678")
    assert contact["AccountId"] == row["AccountId"]


def test_the_one_account_and_the_one_contact_that_match_are_taken(bench: Bench) -> None:
    account = bench.salesforce.insert("Account", {"Name": "FABRIKAM robotics", "BillingCountry": "DK"})
    contact = bench.salesforce.insert("Contact", {"LastName": "Lind-Holm", "Email": "Ada.Lind@fabrikam.example"})
    referral = sent(bench)
    bench.event(referral)
    assert opportunity_of(bench, referral)["AccountId"] == account
    assert [role["ContactId"] for role in bench.salesforce.records("OpportunityContactRole")] == [contact]
    assert len(bench.salesforce.records("Account")) == 1
    assert bench.salesforce.record("Contact", contact)["LastName"] == "Lind-Holm"


def test_a_namesake_in_another_country_is_another_customer(bench: Bench) -> None:
    other = bench.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "SE"})
    referral = sent(bench)
    bench.event(referral)
    assert opportunity_of(bench, referral)["AccountId"] != other


def test_where_several_match_a_new_one_is_made(bench: Bench) -> None:
    for _ in range(2):
        bench.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "DK"})
        bench.salesforce.insert("Contact", {"LastName": "Lind", "Email": "ada.lind@fabrikam.example"})
    referral = sent(bench)
    bench.event(referral)
    assert opportunity_of(bench, referral)["AccountId"]
    assert len(bench.salesforce.records("Account")) == len(bench.salesforce.records("Contact")) == 3


def test_two_deals_of_one_new_customer_share_the_account_and_the_contact(bench: Bench) -> None:
    first, second = sent(bench), sent(bench, name="More robots")
    bench.event(first)
    bench.event(second)
    assert opportunity_of(bench, first)["AccountId"] == opportunity_of(bench, second)["AccountId"]
    assert len(bench.salesforce.records("Contact")) == 1


def test_solutions_are_cut_at_whole_ids_and_that_is_told_once(bench: Bench) -> None:
    tags = [{"id": f"SOL-{number:06d}", "type": "Name"} for number in range(50)]
    referral = sent(bench, details={"requirements": {"solutions": tags}})
    bench.event(referral)
    row = opportunity_of(bench, referral)
    kept = row["Products__c"].split(";")
    assert len(row["Products__c"]) <= 255
    assert kept == [tag["id"] for tag in tags][: len(kept)]
    bench.quiet()
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    bench.event(referral)
    told = [line for line in bench.audit(row["Id"]) if "Products holds" in line]
    assert told == [
        (
            f"From Partner Center: Products holds {len(kept)} of 50 solutions. "
            "Please see Partner Center for the full list."
        )
    ]
    assert opportunity_of(bench, referral)["Products__c"] == row["Products__c"]
    assert len(bench.partner_center.referral(referral)["details"]["requirements"]["solutions"]) == 50


def test_a_deal_that_is_open_already_arrives_on_an_active_stage(bench: Bench) -> None:
    referral = bench.partner_center.portal_creates({"name": "Made in the portal"})
    bench.event(referral)
    row = opportunity_of(bench, referral)
    assert (row["StageName"], row["Sync_Status__c"]) == ("Qualification", "Synced")
    assert bench.link(row["Id"]).base["status"] == Status("Active", "Accepted")


def test_a_deal_without_contacts_is_accepted(bench: Bench) -> None:
    referral = sent(bench)
    bench.partner_center.raw_patch(referral, {"/customerProfile/team": None})
    bench.event(referral)
    assert opportunity_of(bench, referral)["Name"] == "Robots for the harbour"
    assert bench.salesforce.records("Contact") == []


@pytest.mark.parametrize("where", ["by_id", "by_reference"])
def test_an_opportunity_that_exists_already_is_adopted(bench: Bench, where: str) -> None:
    deal = bench.seller_creates(Sync_with_Partner_Center__c=False)
    referral = bench.partner_center.portal_creates(
        {"externalReferenceId": deal if where == "by_reference" else None, "details": {"dealValue": 10000}}
    )
    if where == "by_id":
        bench.seller_edits(deal, Referral_Identifier__c=referral)
    bench.seller_edits(deal, Sync_with_Partner_Center__c=True)
    bench.event(referral)
    assert [row["Id"] for row in opportunities_of(bench, referral)] == [deal]
    assert len(bench.salesforce.records("Opportunity")) == 1
    assert bench.link(deal).referral_id == referral
    assert "From Partner Center: This opportunity was linked to a referral in Partner Center." in bench.audit(deal)
    bench.rounds()
    assert len(bench.referrals()) == 1
    assert bench.differences(deal) == []


def test_a_second_referral_with_the_reference_of_a_linked_opportunity_is_ignored(bench: Bench) -> None:
    deal = bench.shared()
    twin = bench.partner_center.portal_creates({"externalReferenceId": deal})
    bench.event(twin)
    assert bench.one.log.of("referral_ignored") == [{"referral_id": twin, "reason": "another_referral_is_linked"}]
    assert bench.link(deal).referral_id != twin
    assert len(bench.salesforce.records("Opportunity")) == 1


def test_what_is_not_ours_to_link_is_ignored_with_a_reason(bench: Bench) -> None:
    ours = sent(bench)
    engagement = bench.partner_center.referral(ours)["engagementId"]
    theirs = next(
        found["id"]
        for found in bench.partner_center.referrals()
        if found["engagementId"] == engagement and found["id"] != ours
    )
    old = sent(bench)
    bench.partner_center.raw_patch(old, {"/createdDateTime": "2026-11-22T08:59:59.9999999Z"})
    lead = bench.partner_center.portal_creates({"qualification": "Direct"})
    tagged = bench.partner_center.portal_creates({"externalReferenceId": "TEST:006000000000001AAA"})
    reasons = {theirs: "foreign_organization", old: "before_the_beginning", lead: "lead", tagged: "other_environment"}
    before = bench.stamps()
    bench.partner_center.raw_patch(lead, {"/inviteContext/invitedBy/organizationId": "msft"}, touch=False)
    for referral in reasons:
        bench.event(referral)
    assert {str(told["referral_id"]): told["reason"] for told in bench.one.log.of("referral_ignored")} == reasons
    assert bench.stamps() == before
    assert bench.salesforce.records("Account") == []
    assert all(bench.store.pointer(referral) is None for referral in reasons)


def test_outside_production_only_tagged_referrals_are_looked_at() -> None:
    with Bench(tag="TEST") as bench:
        plain = sent(bench)
        tagged = bench.partner_center.portal_creates({"externalReferenceId": "TEST:by-hand"})
        bench.event(plain)
        bench.event(tagged)
        assert opportunities_of(bench, plain) == []
        assert opportunity_of(bench, tagged)["Name"]


def test_a_referral_that_cannot_be_found_is_read_once_logged_and_done(bench: Bench) -> None:
    bench.event("00000000-0000-4000-8000-000000000000")
    assert bench.calls() == {"partner_center.get": 1}
    assert bench.one.log.of("referral_missing") == [{"referral_id": "00000000-0000-4000-8000-000000000000"}]
    bench.rounds(1)
    assert bench.calls()["partner_center.get"] == 0


def test_a_referral_with_things_nobody_foresaw_is_accepted(bench: Bench) -> None:
    referral = sent(bench)
    bench.partner_center.raw_patch(
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
    bench.event(referral)
    row = opportunity_of(bench, referral)
    assert (row["CloseDate"], row["Amount"]) == ("2027-03-15", 25000.01)
    assert [contact["LastName"] for contact in bench.salesforce.records("Contact")] == ["only@mail.example"]


def test_a_status_nobody_knows_arrives_on_hold_and_follows_once_it_is_known(bench: Bench) -> None:
    referral = sent(bench)
    bench.partner_center.raw_patch(referral, {"/status": "Simmering", "/substatus": "Slowly"})
    bench.event(referral)
    row = opportunity_of(bench, referral)
    assert row["StageName"] == "On Hold"
    bench.quiet()
    bench.partner_center.raw_patch(referral, {"/status": "Active", "/substatus": "Accepted"})
    bench.event(referral)
    assert bench.row(row["Id"])["StageName"] == "Qualification"


def test_a_customer_without_a_country_is_told_in_the_log_and_harms_no_other(bench: Bench) -> None:
    lame, sound = sent(bench), sent(bench)
    bench.partner_center.raw_patch(lame, {"/customerProfile/address/country": None})
    bench.sweep()
    assert opportunities_of(bench, lame) == []
    told = {"opportunity_id": None, "referral_id": lame, "code": "no_account", "field": "account"}
    assert bench.one.log.of("pair_parked") == [told]
    assert opportunity_of(bench, sound)
    bench.partner_center.raw_patch(lame, {"/customerProfile/address/country": "DE"}, touch=False)
    bench.later(HOUR)
    bench.push()
    assert opportunity_of(bench, lame)


def test_a_deal_whose_opportunity_salesforce_refuses_is_told_with_code_and_field_and_tried_hourly(bench: Bench) -> None:
    lame, sound = sent(bench), sent(bench)
    bench.validation_rule("Name", times=1)
    bench.event(lame)
    assert opportunities_of(bench, lame) == []
    (told,) = bench.one.log.of("pair_parked")
    assert told["referral_id"] == lame
    assert (told["code"], told["field"]) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Name")
    bench.event(sound)
    assert opportunity_of(bench, sound)
    bench.push()
    assert opportunities_of(bench, lame) == []
    bench.later(HOUR)
    bench.push()
    assert opportunity_of(bench, lame)
    assert_quiet(bench)


def test_a_value_that_cannot_be_read_is_told_on_arrival(bench: Bench) -> None:
    referral = sent(bench)
    bench.partner_center.raw_patch(referral, {"/details/currency": "XXQ"})
    bench.event(referral)
    row = opportunity_of(bench, referral)
    assert row["Amount"] is None
    assert bench.told(row["Id"], "Deal value has a value in Partner Center that cannot be read") == 1
    assert_quiet(bench)


def test_unreadable_representations_are_due_and_harm_no_other(bench: Bench) -> None:
    lame, sound = sent(bench), sent(bench)
    bench.partner_center.raw_patch(lame, {"/createdDateTime": "yesterday"}, touch=False)
    bench.event(lame)
    bench.sweep()
    bench.push()
    assert opportunity_of(bench, sound)
    assert not bench.one.log.of("run_failed")
    bench.partner_center.raw_patch(lame, {"/createdDateTime": datetime(2026, 11, 22, 10, tzinfo=UTC).isoformat()})
    bench.rounds(1)
    assert opportunity_of(bench, lame)["Name"] == "Robots for the harbour"


def test_a_deleted_opportunity_is_not_made_again(bench: Bench) -> None:
    referral = sent(bench)
    bench.event(referral)
    deal = opportunity_of(bench, referral)["Id"]
    bench.quiet()
    bench.salesforce.delete("Opportunity", deal)
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    bench.event(referral)
    bench.rounds(1)
    assert opportunities_of(bench, referral) == []
    assert bench.one.log.of("opportunity_missing")[0] == {"opportunity_id": deal}
    assert bench.partner_center.referral(referral)["status"] == "Active"


def test_an_opportunity_deleted_before_anybody_linked_it_is_not_made_again(bench: Bench) -> None:
    referral = sent(bench)
    deal = bench.seller_creates(Sync_with_Partner_Center__c=False, Referral_Identifier__c=referral)
    bench.salesforce.delete("Opportunity", deal)
    bench.event(referral)
    assert bench.salesforce.records("Opportunity") == []
    assert bench.one.log.of("referral_ignored") == [{"referral_id": referral, "reason": "opportunity_deleted"}]


def test_a_value_that_salesforce_ignores_on_creation_is_refused_and_never_pushed_back(bench: Bench) -> None:
    flow(bench, Description=None)
    referral = sent(bench)
    bench.event(referral)
    deal = opportunity_of(bench, referral)["Id"]
    bench.rounds()
    bench.colleague_edits(referral, status="Active", substatus="Accepted")
    bench.rounds()
    assert bench.partner_center.referral(referral)["details"]["notes"] == "Wants a pilot before summer."
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    told = [line for line in bench.audit(deal) if "Notes was written" in line]
    assert told == [
        (
            "Not synced: Notes was written, but the other system kept empty. "
            "Please ask your administrator what changes this field."
        )
    ]


def test_what_automation_makes_of_a_new_opportunity_is_an_edit_on_top_of_it(bench: Bench) -> None:
    flow(bench, Amount=26000.0)
    referral = bench.partner_center.portal_creates({"details": {"dealValue": 25000, "currency": "EUR"}})
    bench.event(referral)
    bench.rounds()
    assert bench.partner_center.referral(referral)["details"]["dealValue"] == 26000
    assert not any("changed on both sides" in line for line in bench.audit(opportunity_of(bench, referral)["Id"]))
