"""A flagged opportunity becomes one referral (issue: What it must reach; protocol.md sections 1 and 6)."""

from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.partner_center.emulator import LOCATION
from shared.domain.deal import Side
from tests.unit.sync.harness import Harness


def test_a_flagged_opportunity_becomes_one_referral_and_its_mark_comes_back(harness: Harness) -> None:
    deal = harness.seller_creates()
    report = harness.push()
    referral, row = harness.referral_of(deal), harness.opportunity(deal)
    assert len(harness.referrals()) == 1
    assert row["Referral_Identifier__c"] == referral["id"]
    assert row["Referral_Link__c"] == f"https://partner.microsoft.com/referrals/v2/inbox?id={referral['id']}"
    assert (row["Sync_Status__c"], row["Sync_Mark__c"]) == ("Synced", "✔")
    assert harness.audit_texts(deal) == [
        "To Partner Center: A referral was created in Partner Center for this opportunity."
    ]
    assert (report.seen, harness.link(deal).referral_id) == (2, referral["id"])


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


def test_a_deal_without_help_is_private(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.push()
    referral = harness.referral_of(deal)
    assert referral["consent"]["consentToShareReferralWithMicrosoftSellers"] is False
    assert referral["target"] == []


KIM = {"LastName": "Berg", "FirstName": "Kim", "Email": "kim@northwind.example", "Phone": "+1 555 0101"}


def with_contacts(harness: Harness, *contacts: dict[str, str]) -> str:
    """A flagged opportunity with these contacts."""
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False)
    for values in contacts:
        contact = harness.salesforce.insert("Contact", {**values, "AccountId": harness.account_id()})
        role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": values == contacts[0]}
        harness.salesforce.insert("OpportunityContactRole", role)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    return deal


def test_the_customer_contact_travels(harness: Harness) -> None:
    deal = with_contacts(harness, KIM)
    harness.push()
    people = harness.referral_of(deal)["customerProfile"]["team"]
    assert [(person["lastName"], person["email"]) for person in people] == [("Berg", "kim@northwind.example")]
    assert not harness.count_in_audit(deal, "Contacts not sent")


@pytest.mark.parametrize("lacking", ["FirstName", "Email", "Phone"])
def test_a_contact_that_partner_center_would_refuse_stays_behind_and_is_told(harness: Harness, lacking: str) -> None:
    lame = {name: value for name, value in KIM.items() if name != lacking}
    deal = with_contacts(harness, KIM, lame | {"LastName": "Lame"})
    harness.push()
    people = harness.referral_of(deal)["customerProfile"]["team"]
    assert [person["lastName"] for person in people] == ["Berg"]
    assert harness.count_in_audit(deal, "Contacts not sent: 1.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_an_opportunity_that_is_not_flagged_stays_at_home(harness: Harness) -> None:
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False)
    harness.push()
    assert harness.referrals() == []
    assert harness.store.link(deal) is None
    assert harness.opportunity(deal)["Sync_Status__c"] is None


def test_a_flag_that_is_taken_away_before_the_push_reads_it_leaves_no_trace(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.one.life.at("store.insert_link", lambda: harness.seller_edits(deal, Sync_with_Partner_Center__c=False))
    harness.push()
    assert harness.referrals() == []
    assert harness.store.link(deal) is None


def test_a_won_opportunity_is_created_and_then_closed(harness: Harness) -> None:
    deal = harness.seller_creates(StageName="Closed Won")
    harness.run_rounds()
    assert (harness.referral_of(deal)["status"], harness.referral_of(deal)["substatus"]) == ("Closed", "Won")
    assert harness.opportunity(deal)["StageName"] == "Closed Won"
    assert not harness.count_in_audit(deal, "changed on both sides")


def test_a_create_is_not_sent_twice_however_often_it_is_polled(harness: Harness) -> None:
    deal = harness.seller_creates()
    for _ in range(5):
        harness.push()
    assert harness.calls()["partner_center.create"] == 1
    assert harness.referral_of(deal)


def test_outside_production_the_reference_carries_the_environments_tag() -> None:
    with Harness(tag="STAGING") as harness:
        deal = harness.seller_creates()
        harness.push()
        assert harness.referral_of(deal)["externalReferenceId"] == f"STAGING:{deal}"
        harness.run_rounds()
        assert len(harness.referrals()) == 1


def test_an_id_of_a_deal_from_another_environment_is_held_and_never_touched() -> None:
    with Harness(tag="STAGING") as harness:
        theirs = harness.partner_center.portal_creates({"externalReferenceId": "006000000000001AAA"})
        before = harness.partner_center.referral(theirs)["eTag"]
        deal = harness.seller_creates(Referral_Identifier__c=theirs)
        harness.run_rounds()
        assert harness.partner_center.referral(theirs)["eTag"] == before
        assert len(harness.referrals()) == 1
        assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
        assert harness.count_in_audit(deal, "Referral Identifier") == 1


def test_an_opportunity_that_names_a_referral_of_ours_is_linked_and_never_created(harness: Harness) -> None:
    referral = harness.partner_center.portal_creates({"details": {"notes": "From the portal"}})
    deal = harness.seller_creates(Referral_Identifier__c=referral, Description="From Salesforce")
    harness.run_rounds()
    assert [found["id"] for found in harness.referrals()] == [referral]
    assert harness.link(deal).referral_id == referral
    assert harness.differences(deal) == []
    notes = harness.opportunity(deal)["Description"]
    assert "From the portal" in notes
    assert "From Salesforce" in notes


def test_partner_centers_refusal_of_a_create_parks_it_with_the_reason(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=-5)
    harness.push()
    assert harness.referrals() == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert len(harness.audit_texts(deal)) == 1
    harness.calls()
    for _ in range(15):
        harness.push()
    assert harness.calls()["partner_center.create"] == 0  # not sent again, and told once
    assert len(harness.audit_texts(deal)) == 1
    harness.seller_edits(deal, Amount=5)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 5
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


LOST = [
    Fault(FaultKind.DROP_AFTER, method="POST"),
    Fault(FaultKind.TRUNCATE, method="POST"),
    Fault(FaultKind.ANSWER_AFTER, method="POST", status=502, body="<html>Bad gateway</html>"),
    Fault(FaultKind.ANSWER_AFTER, method="POST", status=200, body=""),
]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault.kind}-{fault.status}")
def test_a_lost_reply_of_a_create_makes_no_second_referral(harness: Harness, fault: Fault) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(fault.kind, method="POST", status=fault.status, body=fault.body))
    harness.push()
    assert len(harness.referrals()) == 1
    assert harness.opportunity(deal)["Referral_Identifier__c"] is None
    for _ in range(14):  # lease and settle time: nobody looks, nobody creates
        harness.push()
        assert harness.opportunity(deal)["Referral_Identifier__c"] is None
    for _ in range(5):
        harness.push()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.differences(deal) == []


def test_a_lagging_list_does_not_hide_a_referral_that_was_created(harness: Harness) -> None:
    harness.partner_center.switches.list_lag = 540.0
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    for _ in range(20):
        harness.push()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]


def test_a_request_that_was_lost_on_its_way_is_created_after_the_settle_time(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="POST"))
    for _ in range(15):
        harness.push()
        assert harness.referrals() == []
    for _ in range(5):
        harness.push()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]


def test_edits_made_while_the_outcome_of_a_create_is_unknown_survive_on_both_sides(harness: Harness) -> None:
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


def test_a_lost_create_that_is_unflagged_meanwhile_is_still_linked(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    for _ in range(25):
        harness.push()
    assert harness.link(deal).referral_id == harness.referral_of(deal)["id"]
    assert harness.link(deal).intent is None


def test_a_lost_request_whose_opportunity_is_unflagged_lets_go_of_the_lock(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="POST"))
    harness.push()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    for _ in range(25):
        harness.push()
    assert harness.referrals() == []
    assert harness.store.link(deal) is None
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_deleted_opportunity_is_not_created(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.one.life.at("salesforce.opportunities", lambda: harness.salesforce.delete("Opportunity", deal))
    harness.push()
    assert harness.referrals() == []
    assert harness.store.link(deal) is None


def test_rows_that_become_visible_late_are_found_within_the_overlap(harness: Harness) -> None:
    harness.account_id()
    harness.salesforce.lag = timedelta(minutes=8)
    deal = harness.seller_creates()
    harness.salesforce.lag = timedelta()
    for _ in range(10):
        harness.push()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
