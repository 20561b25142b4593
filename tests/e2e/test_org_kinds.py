"""One walk through each kind of org: a deal out, a deal in, an edit each way, and a refusal that somebody mends.

The walk in a production org stands in test_install_walk.py, since it deploys the package there.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clients.salesforce import org_shape
from tests.e2e.org_walk import OrgWalk
from tests.e2e.world import World
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.sync.real_orgs import share_by_criteria

pytestmark = pytest.mark.slow


@pytest.fixture
def walk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrgWalk]:
    """The people of the default org, which has several currencies."""
    monkeypatch.setattr(org_shape, "ASK_AGAIN", org_shape.ASK_AGAIN * 0)
    yield OrgWalk(world, tmp_path, monkeypatch)
    world.systems.salesforce.multi_currency = True


def test_an_org_with_several_currencies(walk: OrgWalk) -> None:
    walk.become("inactive currency")  # euros
    ours = walk.seller_creates(walk.customer(), CurrencyIsoCode="GBP")
    assert walk.sent(ours)["details"]["currency"] == "GBP"
    walk.check_edits_each_way(ours)
    arrived = walk.deal_of(walk.microsoft_sends(currency="CHF"))
    assert (arrived["Amount"], arrived["CurrencyIsoCode"]) == (25_000, "CHF")
    walk.check_edits_each_way(arrived["Id"])

    referral = walk.microsoft_sends(currency="EUR")
    refused = walk.deal_of(referral)
    assert (refused["Amount"], refused["Partner_Center_Currency__c"]) == (None, "EUR")
    walk.org.set_currency_active("EUR", active=True)
    walk.colleague_edits(referral, "/details/dealValue", 26_000)
    mended = walk.deal(refused["Id"])
    assert (mended["Amount"], mended["CurrencyIsoCode"]) == (26_000, "EUR")
    walk.check_edits_each_way(mended["Id"])


def test_an_org_with_one_currency(walk: OrgWalk) -> None:
    walk.org.multi_currency = False
    walk.world.systems.reset()
    ours = walk.seller_creates(walk.customer())
    assert walk.sent(ours)["details"]["currency"] == "USD"
    walk.check_edits_each_way(ours)
    referral = walk.microsoft_sends()
    refused = walk.deal_of(referral)
    assert (refused["Amount"], refused["Partner_Center_Currency__c"]) == (None, "EUR")
    walk.colleague_edits(referral, "/details/currency", "USD")
    assert walk.deal(refused["Id"])["Amount"] == 25_000
    walk.check_edits_each_way(refused["Id"])


def test_an_org_with_country_picklists(walk: OrgWalk) -> None:
    walk.become("country picklists")
    ours = walk.seller_creates(walk.customer(country="Germany", BillingCity="Berlin"))
    assert walk.sent(ours)["customerProfile"]["address"]["country"] == "DE"
    walk.check_edits_each_way(ours)
    address = {"addressLine1": "1 Pike Street", "city": "Seattle", "state": "Bayern", "country": "US"}
    arrived = walk.deal_of(walk.microsoft_sends({"address": {**address, "postalCode": "98101"}}))
    account = walk.org.record("Account", arrived["AccountId"])
    assert (account["BillingCountryCode"], account["BillingStateCode"]) == ("US", None)
    assert "Bayern" in arrived["Audit__c"]
    again = walk.deal_of(walk.microsoft_sends({"address": {**address, "state": "WA"}}))
    assert again["AccountId"] == account["Id"]
    walk.check_edits_each_way(arrived["Id"], shows="Synced with differences")

    held = walk.seller_creates(walk.customer(Name="Nowhere Ltd", BillingCountry=None))
    assert walk.deal(held)["Referral_Identifier__c"] is None
    assert "country" in walk.deal(held)["Audit__c"].lower()
    walk.org.edit("Account", walk.deal(held)["AccountId"], {"BillingCountry": "Denmark"})
    walk.let_an_hour_pass()
    assert walk.sent(held)["customerProfile"]["address"]["country"] == "DK"


def test_an_org_that_writes_names_of_countries(walk: OrgWalk) -> None:
    ours = walk.seller_creates(walk.customer(country="Deutschland", BillingCity="Berlin"))
    assert walk.sent(ours)["customerProfile"]["address"]["country"] == "DE"
    walk.check_edits_each_way(ours)
    walk.let_an_hour_pass()
    address = {"addressLine1": "1 Allee", "city": "Berlin", "state": "", "postalCode": "", "country": "DE"}
    deals = [walk.deal_of(walk.microsoft_sends({"address": address})) for _ in range(2)]
    account = walk.org.record("Account", deals[0]["AccountId"])
    assert (account["BillingCountry"], deals[1]["AccountId"]) == ("Deutschland", account["Id"])
    walk.check_edits_each_way(deals[0]["Id"])

    held = walk.seller_creates(walk.customer(Name="Nowhere Ltd", country="Korea"))
    assert "Billing Country Korea is not known" in walk.deal(held)["Audit__c"]
    walk.org.edit("Account", walk.deal(held)["AccountId"], {"BillingCountry": "Südkorea"})
    walk.let_an_hour_pass()
    assert walk.sent(held)["customerProfile"]["address"]["country"] == "KR"


def test_an_org_with_private_sharing(walk: OrgWalk) -> None:
    walk.become("private")
    ours = walk.seller_creates(walk.customer())
    assert "insufficient access" in walk.inbox()[ours]
    assert len(walk.partner.referrals()) == 1
    share_by_criteria(walk.org)
    walk.let_an_hour_pass()
    assert walk.inbox() == {}
    assert walk.deal(ours)["Sync_Status__c"] == "Synced"
    walk.check_edits_each_way(ours)
    arrived = walk.deal_of(walk.microsoft_sends())
    walk.org.edit("Opportunity", arrived["Id"], {"OwnerId": walk.org.seller})
    walk.check_edits_each_way(arrived["Id"])


def test_an_org_with_duplicate_rules(walk: OrgWalk) -> None:
    walk.become("duplicate rules")  # with the customer's account, and a lead with its contact
    walk.check_edits_each_way(walk.seller_creates(walk.customer()))
    arrived = walk.deal_of(walk.microsoft_sends())
    assert walk.accounts() == ["Fabrikam Robotics Ltd", "Northwind Traders"]
    assert walk.org.record("Account", arrived["AccountId"])["Name"] == "Fabrikam Robotics Ltd"
    assert "A duplicate rule refused a new account." in arrived["Audit__c"]
    walk.check_edits_each_way(arrived["Id"], shows="Synced with differences")  # the name of the account

    elsewhere = {"BillingStreet": "5 Quay", "BillingCity": "Malmö", "BillingCountry": "Sweden"}
    walk.org.insert("Account", {"Name": "Contoso AB", **elsewhere})
    address = {"addressLine1": "5 Quay", "city": "Malmö", "state": "", "postalCode": "", "country": "DK"}
    referral = walk.microsoft_sends({"name": "Contoso Ltd", "address": address})
    assert walk.arrived(referral) is None
    (record,) = walk.org.records("Cosell_Inbox__c")
    (other,) = (each["Id"] for each in walk.org.records("Account") if each["Name"] == "Contoso AB")
    assert (record["Key__c"], record["Matches__c"]) == (referral, other)
    walk.org.edit("Account", other, {"BillingCountry": "Denmark"})
    walk.let_an_hour_pass()
    assert walk.deal_of(referral)["AccountId"] == other
    assert walk.inbox() == {}


def test_an_org_that_checks_a_rule_at_every_save(walk: OrgWalk) -> None:
    ours = walk.seller_creates(walk.customer())
    walk.become("rule for deals")  # the deal from before has no next step
    walk.colleague_edits(walk.deal(ours)["Referral_Identifier__c"], "/details/dealValue", 11_000)
    assert walk.inbox()[ours] == "Say the next step."
    walk.org.edit("Opportunity", ours, {"NextStep": "Call"})
    walk.let_an_hour_pass()
    assert (walk.deal(ours)["Amount"], walk.inbox()) == (11_000, {})
    walk.check_edits_each_way(ours)

    referral = walk.microsoft_sends()
    assert walk.inbox() == {referral: "Say the next step."}
    walk.add_to_mapping('[new.Opportunity]\ndefaults = { NextStep = "Call the customer" }')
    walk.let_an_hour_pass()
    arrived = walk.deal_of(referral)
    assert (arrived["NextStep"], walk.inbox()) == ("Call the customer", {})
    walk.check_edits_each_way(arrived["Id"])


def test_an_org_with_a_required_field(walk: OrgWalk) -> None:
    walk.become("required field")
    walk.check_edits_each_way(walk.seller_creates(walk.customer(), Region__c="North"))
    referral = walk.microsoft_sends()
    (record,) = walk.org.records("Cosell_Inbox__c")
    assert (record["Key__c"], record["Refused_Field__c"]) == (referral, "Region__c")
    assert "[new.Opportunity]" in record["Remedy__c"]
    walk.add_to_mapping('[new.Opportunity]\ndefaults = { Region__c = "North" }')
    walk.let_an_hour_pass()
    arrived = walk.deal_of(referral)
    assert (arrived["Region__c"], walk.inbox()) == ("North", {})
    walk.check_edits_each_way(arrived["Id"])


def test_an_org_with_record_types(walk: OrgWalk) -> None:
    stages = {"StageName": ["Qualification", "Closed Won", "Closed Lost"]}
    wish = {"sobject": "Opportunity", "developer_name": "Partner", "values": stages}
    control(walk.org, "record_type", sobject="Opportunity", developer_name="Direct", default=True)
    partner = control(walk.org, "record_type", **wish).json()["id"]
    walk.add_to_mapping('[new.Opportunity]\nrecord_type = "Partner"')
    walk.check_edits_each_way(walk.seller_creates(walk.customer(), RecordTypeId=partner))
    referral = walk.microsoft_sends()
    assert "On Hold" in walk.inbox()[referral]
    walk.org.org.record_types.values[partner]["StageName"] += ("On Hold",)
    walk.let_an_hour_pass()
    arrived = walk.deal_of(referral)
    assert (arrived["RecordTypeId"], arrived["StageName"]) == (partner, "On Hold")
    walk.org.edit("Opportunity", arrived["Id"], {"StageName": "Qualification"})
    walk.push()
    assert walk.referral(referral)["status"] == "Active"
    walk.check_edits_each_way(arrived["Id"])


def test_an_org_with_person_accounts(walk: OrgWalk) -> None:
    types = control(walk.org, "person_accounts").json()
    walk.become()
    address = {"BillingStreet": "9 Harbour Road", "BillingCity": "Aarhus", "BillingCountry": "Denmark"}
    person = {"FirstName": "Anna", "LastName": "Vogel", "PersonEmail": "anna@vogel.example", "Phone": "+4512345678"}
    anna = walk.org.insert("Account", {**person, **address, "RecordTypeId": types["person"]})
    ours = walk.seller_creates(anna)
    assert walk.sent(ours)["customerProfile"]["name"] == "Anna Vogel"
    walk.check_edits_each_way(ours)

    team = [{"firstName": "Anna", "lastName": "Vogel", "email": "anna@vogel.example", "phoneNumber": "+4512345678"}]
    arrived = walk.deal_of(walk.microsoft_sends({"name": "Anna Vogel", "team": team}))
    assert arrived["AccountId"] == anna
    roles = [each["ContactId"] for each in walk.org.records("OpportunityContactRole")]
    assert roles == [walk.org.record("Account", anna)["PersonContactId"]]
    walk.check_edits_each_way(arrived["Id"])

    business = walk.deal_of(walk.microsoft_sends())
    assert walk.org.record("Account", business["AccountId"])["RecordTypeId"] == types["business"]
