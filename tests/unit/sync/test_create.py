"""A ticked opportunity becomes one referral.

Sources: docs/protocol.md#who-may-be-linked, docs/protocol.md#creating-a-referral.
"""

from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.partner_center.emulator import LOCATION
from shared.domain.deal import Side
from tests.unit.sync.harness import Harness


def test_a_ticked_opportunity_becomes_one_referral_and_gets_its_id_link_and_mark(harness: Harness) -> None:
    deal = harness.seller_creates()
    report = harness.push()
    referral, opportunity = harness.referral_of(deal), harness.opportunity(deal)
    assert len(harness.our_referrals()) == 1
    assert opportunity["Referral_Identifier__c"] == referral["id"]
    assert opportunity["Referral_Link__c"] == f"https://partner.microsoft.com/referrals/v2/inbox?id={referral['id']}"
    assert (opportunity["Sync_Status__c"], opportunity["Sync_Mark__c"]) == ("Synced", "✔")
    assert harness.audit_texts(deal) == [
        "To Partner Center: A referral was created in Partner Center for this opportunity."
    ]
    assert (report.seen, harness.stored_link(deal).referral_id) == (2, referral["id"])


def test_the_referral_carries_the_whole_deal(harness: Harness) -> None:
    deal = harness.seller_creates(
        Name="Data platform", Amount=1234.56, CurrencyIsoCode="EUR", CloseDate="2027-01-31", Description="Long\nstory",
        Products__c="SOL-1; SOL-2",
    )  # fmt: skip
    harness.push()
    referral = harness.referral_of(deal)
    details = referral["details"]
    assert (referral["name"], referral["mpnId"], referral["type"]) == ("Data platform", LOCATION, "Independent")
    assert (details["dealValue"], details["currency"]) == (1234.56, "EUR")
    assert (details["closingDateTime"], details["notes"]) == ("2027-01-31T00:00:00Z", "Long\nstory")
    assert [tag["id"] for tag in details["requirements"]["solutions"]] == ["SOL-1", "SOL-2"]
    assert referral["customerProfile"]["name"] == "Northwind Traders"
    assert referral["customerProfile"]["address"]["country"] == "US"
    assert [member["email"] for member in referral["team"]] == ["sam.seller@partner.example"]
    assert harness.differences(deal) == []


def test_a_deal_that_asks_for_no_help_is_not_shared_with_microsoft(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.push()
    referral = harness.referral_of(deal)
    assert referral["consent"]["consentToShareReferralWithMicrosoftSellers"] is False
    assert referral["target"] == []


KIM = {"LastName": "Berg", "FirstName": "Kim", "Email": "kim@northwind.example", "Phone": "+1 555 0101"}


def opportunity_with_contacts(harness: Harness, *contacts: dict[str, str]) -> str:
    """A ticked opportunity with contact roles for these contacts; the first one is primary."""
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False)
    for values in contacts:
        contact = harness.salesforce.insert("Contact", {**values, "AccountId": harness.account_id()})
        role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": values == contacts[0]}
        harness.salesforce.insert("OpportunityContactRole", role)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    return deal


def test_the_customers_contact_is_sent_with_the_referral(harness: Harness) -> None:
    deal = opportunity_with_contacts(harness, KIM)
    harness.push()
    people = harness.referral_of(deal)["customerProfile"]["team"]
    assert [(person["lastName"], person["email"]) for person in people] == [("Berg", "kim@northwind.example")]
    assert not harness.count_in_audit(deal, "Contacts not sent")


@pytest.mark.parametrize("missing", ["FirstName", "Email", "Phone"])
def test_an_incomplete_contact_is_not_sent_and_this_is_reported(harness: Harness, missing: str) -> None:
    incomplete = {name: value for name, value in KIM.items() if name != missing}
    deal = opportunity_with_contacts(harness, KIM, incomplete | {"LastName": "Incomplete"})
    harness.push()
    people = harness.referral_of(deal)["customerProfile"]["team"]
    assert [person["lastName"] for person in people] == ["Berg"]
    assert harness.count_in_audit(deal, "Contact Roles: Partner Center does not get") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"


def test_an_opportunity_without_the_tick_is_not_sent(harness: Harness) -> None:
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False)
    harness.push()
    assert harness.our_referrals() == []
    assert harness.store.link(deal) is None
    assert harness.opportunity(deal)["Sync_Status__c"] is None


def test_an_opportunity_that_is_unticked_before_the_push_reads_it_leaves_no_link(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.first.process.interrupt_at(
        "salesforce.opportunities", lambda: harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    )
    harness.push()
    assert harness.our_referrals() == []
    assert harness.store.link(deal) is None


def test_a_won_opportunity_is_created_and_then_closed(harness: Harness) -> None:
    deal = harness.seller_creates(StageName="Closed Won")
    harness.run_rounds()
    assert (harness.referral_of(deal)["status"], harness.referral_of(deal)["substatus"]) == ("Closed", "Won")
    assert harness.opportunity(deal)["StageName"] == "Closed Won"
    assert not harness.count_in_audit(deal, "changed on both sides")


def test_repeated_polls_create_the_referral_only_once(harness: Harness) -> None:
    deal = harness.seller_creates()
    for _ in range(5):
        harness.push()
    assert harness.new_calls()["partner_center.create"] == 1
    assert harness.referral_of(deal)


def test_outside_production_the_external_reference_carries_the_environments_tag() -> None:
    with Harness(tag="STAGING") as harness:
        deal = harness.seller_creates()
        harness.push()
        assert harness.referral_of(deal)["externalReferenceId"] == f"STAGING:{deal}"
        harness.run_rounds()
        assert len(harness.our_referrals()) == 1


def test_an_opportunity_that_names_a_referral_of_another_environment_is_held() -> None:
    with Harness(tag="STAGING") as harness:
        foreign_referral = harness.partner_center.portal_creates({"externalReferenceId": "006000000000001AAA"})
        before = harness.partner_center.referral(foreign_referral)["eTag"]
        deal = harness.seller_creates(Referral_Identifier__c=foreign_referral)
        harness.run_rounds()
        assert harness.partner_center.referral(foreign_referral)["eTag"] == before
        assert len(harness.our_referrals()) == 1
        assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
        assert harness.count_in_audit(deal, "Referral Identifier") == 1


def test_an_opportunity_that_names_our_own_referral_is_linked_to_it_and_creates_none(harness: Harness) -> None:
    harness.partner_center.switches.extra_paths = ("/name",)
    referral = harness.partner_center.portal_creates({"details": {"notes": "From the portal"}})
    deal = harness.seller_creates(Referral_Identifier__c=referral, Description="From Salesforce")
    harness.run_rounds()
    assert [listed["id"] for listed in harness.our_referrals()] == [referral]
    assert harness.stored_link(deal).referral_id == referral
    assert harness.differences(deal) == []
    notes = harness.opportunity(deal)["Description"]
    assert "From the portal" in notes
    assert "From Salesforce" in notes


def test_a_create_that_partner_center_refuses_is_parked_and_sent_again_after_an_edit(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=-5)
    harness.push()
    assert harness.our_referrals() == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert len(harness.audit_texts(deal)) == 1
    harness.forget_calls()
    for _ in range(15):
        harness.push()
    assert harness.new_calls()["partner_center.create"] == 0  # not sent again, and reported once
    assert len(harness.audit_texts(deal)) == 1
    harness.seller_edits(deal, Amount=5)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 5
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


LOST_REPLIES = [
    Fault(FaultKind.DROP_AFTER, method="POST"),
    Fault(FaultKind.TRUNCATE, method="POST"),
    Fault(FaultKind.ANSWER_AFTER, method="POST", status=502, body="<html>Bad gateway</html>"),
    Fault(FaultKind.ANSWER_AFTER, method="POST", status=200, body=""),
    Fault(FaultKind.ANSWER_AFTER, method="POST", status=202, body=""),
]


@pytest.mark.parametrize("fault", LOST_REPLIES, ids=lambda fault: f"{fault.kind}-{fault.status}")
def test_a_lost_reply_of_a_create_causes_no_second_referral(harness: Harness, fault: Fault) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(fault.kind, method="POST", status=fault.status, body=fault.body))
    harness.push()
    assert len(harness.our_referrals()) == 1
    assert harness.opportunity(deal)["Referral_Identifier__c"] is None
    for _ in range(14):  # during lease and settle time, no instance looks for the referral or creates one
        harness.push()
        assert harness.opportunity(deal)["Referral_Identifier__c"] is None
    for _ in range(5):
        harness.push()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.differences(deal) == []


def test_a_created_referral_that_is_listed_late_is_found(harness: Harness) -> None:
    harness.partner_center.switches.list_lag = 540.0
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    for _ in range(20):
        harness.push()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]


def test_a_create_request_that_never_arrived_is_sent_again_after_the_settle_time(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="POST"))
    for _ in range(15):
        harness.push()
        assert harness.our_referrals() == []
    for _ in range(5):
        harness.push()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]


def test_edits_made_while_the_outcome_of_a_create_is_unknown_reach_both_sides(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    harness.seller_edits(deal, Amount=777)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-03-01T00:00:00Z")
    for _ in range(25):
        harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert harness.opportunity(deal)["CloseDate"] == "2027-03-01"
    assert harness.differences(deal) == []


def test_a_create_with_a_lost_reply_is_linked_although_the_opportunity_is_unticked(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    for _ in range(25):
        harness.push()
    assert harness.stored_link(deal).referral_id == harness.referral_of(deal)["id"]
    assert harness.stored_link(deal).intent is None


def test_a_lost_create_request_of_an_unticked_opportunity_releases_the_lock(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="POST"))
    harness.push()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    for _ in range(25):
        harness.push()
    assert harness.our_referrals() == []
    link = harness.stored_link(deal)  # it stays, because the pair has audit lines
    assert (link.intent, link.referral_id) == (None, None)
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_deleted_opportunity_gets_no_referral(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.first.process.interrupt_at(
        "salesforce.opportunities", lambda: harness.salesforce.delete("Opportunity", deal)
    )
    harness.push()
    assert harness.our_referrals() == []
    assert harness.store.link(deal) is None


def test_opportunities_that_become_visible_late_are_found_within_the_overlap(harness: Harness) -> None:
    harness.account_id()
    harness.salesforce.lag = timedelta(minutes=8)
    deal = harness.seller_creates()
    harness.salesforce.lag = timedelta()
    for _ in range(10):
        harness.push()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
