"""A flagged opportunity becomes one referral (issue: What it must reach; protocol.md sections 1 and 6)."""

from datetime import timedelta

import pytest

from emulators.base.emulator import Fault, FaultKind
from emulators.partner_center.emulator import LOCATION
from shared.domain.deal import Side
from tests.unit.sync.bench import Bench


def test_a_flagged_opportunity_becomes_one_referral_and_its_mark_comes_back(bench: Bench) -> None:
    deal = bench.seller_creates()
    report = bench.push()
    referral, row = bench.referral_of(deal), bench.row(deal)
    assert len(bench.referrals()) == 1
    assert row["Referral_Identifier__c"] == referral["id"]
    assert row["Referral_Link__c"] == f"https://partner.microsoft.com/referrals/v2/inbox?id={referral['id']}"
    assert (row["Sync_Status__c"], row["Sync_Mark__c"]) == ("Synced", "✔")
    assert bench.audit(deal) == ["To Partner Center: A referral was created in Partner Center for this opportunity."]
    assert (report.seen, bench.link(deal).referral_id) == (2, referral["id"])


def test_the_referral_carries_the_whole_deal(bench: Bench) -> None:
    deal = bench.seller_creates(
        Name="Data platform", Amount=1234.56, CurrencyIsoCode="EUR", CloseDate="2027-01-31", Description="Long\nstory",
        Products__c="SOL-1; SOL-2",
    )  # fmt: skip
    bench.push()
    referral = bench.referral_of(deal)
    details = referral["details"]
    assert (referral["name"], referral["mpnId"], referral["type"]) == ("Data platform", LOCATION, "Independent")
    assert (details["dealValue"], details["currency"]) == (1234.56, "EUR")
    assert (details["closingDateTime"], details["notes"]) == ("2027-01-31T00:00:00Z", "Long\nstory")
    assert [tag["id"] for tag in details["requirements"]["solutions"]] == ["SOL-1", "SOL-2"]
    assert referral["customerProfile"]["name"] == "Northwind Traders"
    assert referral["customerProfile"]["address"]["country"] == "US"
    assert [member["email"] for member in referral["team"]] == ["sam.seller@partner.example"]
    assert bench.differences(deal) == []


def test_a_deal_without_help_is_private(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.push()
    referral = bench.referral_of(deal)
    assert referral["consent"]["consentToShareReferralWithMicrosoftSellers"] is False
    assert referral["target"] == []


KIM = {"LastName": "Berg", "FirstName": "Kim", "Email": "kim@northwind.example", "Phone": "+1 555 0101"}


def with_contacts(bench: Bench, *contacts: dict[str, str]) -> str:
    """A flagged opportunity with these contacts."""
    deal = bench.seller_creates(Sync_with_Partner_Center__c=False)
    for values in contacts:
        contact = bench.salesforce.insert("Contact", {**values, "AccountId": bench.account()})
        role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": values == contacts[0]}
        bench.salesforce.insert("OpportunityContactRole", role)
    bench.seller_edits(deal, Sync_with_Partner_Center__c=True)
    return deal


def test_the_customer_contact_travels(bench: Bench) -> None:
    deal = with_contacts(bench, KIM)
    bench.push()
    people = bench.referral_of(deal)["customerProfile"]["team"]
    assert [(person["lastName"], person["email"]) for person in people] == [("Berg", "kim@northwind.example")]
    assert not bench.told(deal, "Contacts not sent")


@pytest.mark.parametrize("lacking", ["FirstName", "Email", "Phone"])
def test_a_contact_that_partner_center_would_refuse_stays_behind_and_is_told(bench: Bench, lacking: str) -> None:
    lame = {name: value for name, value in KIM.items() if name != lacking}
    deal = with_contacts(bench, KIM, lame | {"LastName": "Lame"})
    bench.push()
    people = bench.referral_of(deal)["customerProfile"]["team"]
    assert [person["lastName"] for person in people] == ["Berg"]
    assert bench.told(deal, "Contacts not sent: 1.") == 1
    assert bench.row(deal)["Sync_Status__c"] == "Synced"


def test_an_opportunity_that_is_not_flagged_stays_at_home(bench: Bench) -> None:
    deal = bench.seller_creates(Sync_with_Partner_Center__c=False)
    bench.push()
    assert bench.referrals() == []
    assert bench.store.link(deal) is None
    assert bench.row(deal)["Sync_Status__c"] is None


def test_a_flag_that_is_taken_away_before_the_push_reads_it_leaves_no_trace(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.one.life.at("store.insert_link", lambda: bench.seller_edits(deal, Sync_with_Partner_Center__c=False))
    bench.push()
    assert bench.referrals() == []
    assert bench.store.link(deal) is None


def test_a_won_opportunity_is_created_and_then_closed(bench: Bench) -> None:
    deal = bench.seller_creates(StageName="Closed Won")
    bench.rounds()
    assert (bench.referral_of(deal)["status"], bench.referral_of(deal)["substatus"]) == ("Closed", "Won")
    assert bench.row(deal)["StageName"] == "Closed Won"
    assert not bench.told(deal, "changed on both sides")


def test_a_create_is_not_sent_twice_however_often_it_is_polled(bench: Bench) -> None:
    deal = bench.seller_creates()
    for _ in range(5):
        bench.push()
    assert bench.calls()["partner_center.create"] == 1
    assert bench.referral_of(deal)


def test_outside_production_the_reference_carries_the_environments_tag() -> None:
    with Bench(tag="STAGING") as bench:
        deal = bench.seller_creates()
        bench.push()
        assert bench.referral_of(deal)["externalReferenceId"] == f"STAGING:{deal}"
        bench.rounds()
        assert len(bench.referrals()) == 1


def test_an_id_of_a_deal_from_another_environment_is_held_and_never_touched() -> None:
    with Bench(tag="STAGING") as bench:
        theirs = bench.partner_center.portal_creates({"externalReferenceId": "006000000000001AAA"})
        before = bench.partner_center.referral(theirs)["eTag"]
        deal = bench.seller_creates(Referral_Identifier__c=theirs)
        bench.rounds()
        assert bench.partner_center.referral(theirs)["eTag"] == before
        assert len(bench.referrals()) == 1
        assert bench.row(deal)["Sync_Status__c"] == "Failed"
        assert bench.told(deal, "Referral Identifier") == 1


def test_an_opportunity_that_names_a_referral_of_ours_is_linked_and_never_created(bench: Bench) -> None:
    referral = bench.partner_center.portal_creates({"details": {"notes": "From the portal"}})
    deal = bench.seller_creates(Referral_Identifier__c=referral, Description="From Salesforce")
    bench.rounds()
    assert [found["id"] for found in bench.referrals()] == [referral]
    assert bench.link(deal).referral_id == referral
    assert bench.differences(deal) == []
    notes = bench.row(deal)["Description"]
    assert "From the portal" in notes
    assert "From Salesforce" in notes


def test_partner_centers_refusal_of_a_create_parks_it_with_the_reason(bench: Bench) -> None:
    deal = bench.seller_creates(Amount=-5)
    bench.push()
    assert bench.referrals() == []
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    assert len(bench.audit(deal)) == 1
    bench.calls()
    for _ in range(15):
        bench.push()
    assert bench.calls()["partner_center.create"] == 0  # not sent again, and told once
    assert len(bench.audit(deal)) == 1
    bench.seller_edits(deal, Amount=5)
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 5
    assert bench.row(deal)["Sync_Status__c"] == "Synced"


LOST = [
    Fault(FaultKind.DROP_AFTER, method="POST"),
    Fault(FaultKind.TRUNCATE, method="POST"),
    Fault(FaultKind.ANSWER_AFTER, method="POST", status=502, body="<html>Bad gateway</html>"),
    Fault(FaultKind.ANSWER_AFTER, method="POST", status=200, body=""),
]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault.kind}-{fault.status}")
def test_a_lost_reply_of_a_create_makes_no_second_referral(bench: Bench, fault: Fault) -> None:
    deal = bench.seller_creates()
    bench.fault(Side.PARTNER_CENTER, Fault(fault.kind, method="POST", status=fault.status, body=fault.body))
    bench.push()
    assert len(bench.referrals()) == 1
    assert bench.row(deal)["Referral_Identifier__c"] is None
    for _ in range(14):  # lease and settle time: nobody looks, nobody creates
        bench.push()
        assert bench.row(deal)["Referral_Identifier__c"] is None
    for _ in range(5):
        bench.push()
    assert bench.row(deal)["Referral_Identifier__c"] == bench.referral_of(deal)["id"]
    assert bench.row(deal)["Sync_Status__c"] == "Synced"
    assert bench.differences(deal) == []


def test_a_lagging_list_does_not_hide_a_referral_that_was_created(bench: Bench) -> None:
    bench.partner_center.switches.list_lag = 540.0
    deal = bench.seller_creates()
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    for _ in range(20):
        bench.push()
    assert bench.row(deal)["Referral_Identifier__c"] == bench.referral_of(deal)["id"]


def test_a_request_that_was_lost_on_its_way_is_created_after_the_settle_time(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="POST"))
    for _ in range(15):
        bench.push()
        assert bench.referrals() == []
    for _ in range(5):
        bench.push()
    assert bench.row(deal)["Referral_Identifier__c"] == bench.referral_of(deal)["id"]


def test_edits_made_while_the_outcome_of_a_create_is_unknown_survive_on_both_sides(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    bench.push()
    bench.seller_edits(deal, Amount=777)
    bench.colleague_edits(bench.referral_of(deal)["id"], details_closingDateTime="2027-03-01T00:00:00Z")
    for _ in range(25):
        bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 777
    assert bench.row(deal)["CloseDate"] == "2027-03-01"
    assert bench.differences(deal) == []


def test_a_lost_create_that_is_unflagged_meanwhile_is_still_linked(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    bench.push()
    bench.seller_edits(deal, Sync_with_Partner_Center__c=False)
    for _ in range(25):
        bench.push()
    assert bench.link(deal).referral_id == bench.referral_of(deal)["id"]
    assert bench.link(deal).intent is None


def test_a_lost_request_whose_opportunity_is_unflagged_lets_go_of_the_lock(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="POST"))
    bench.push()
    bench.seller_edits(deal, Sync_with_Partner_Center__c=False)
    for _ in range(25):
        bench.push()
    assert bench.referrals() == []
    assert bench.store.link(deal) is None
    assert bench.due(Side.SALESFORCE) == []


def test_a_deleted_opportunity_is_not_created(bench: Bench) -> None:
    deal = bench.seller_creates()
    bench.one.life.at("salesforce.opportunities", lambda: bench.salesforce.delete("Opportunity", deal))
    bench.push()
    assert bench.referrals() == []
    assert bench.store.link(deal) is None


def test_rows_that_become_visible_late_are_found_within_the_overlap(bench: Bench) -> None:
    bench.account()
    bench.salesforce.lag = timedelta(minutes=8)
    deal = bench.seller_creates()
    bench.salesforce.lag = timedelta()
    for _ in range(10):
        bench.push()
    assert bench.row(deal)["Referral_Identifier__c"] == bench.referral_of(deal)["id"]
