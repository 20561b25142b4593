"""What people enter in the portal reaches the seller as they meant it, and nothing is rewritten for its spelling."""

from collections.abc import Mapping

import pytest

from shared.domain.deal import Side
from tests.portal_bodies.bodies import NAMES, raw_values
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet, microsoft_sends_deal, opportunity_of


def portal_deal_arrives(harness: Harness, name: str) -> dict[str, object]:
    """The opportunity of a new deal whose referral has the values of a body from the portal."""
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, raw_values(name))
    harness.pull_event(referral)
    return opportunity_of(harness, referral)


@pytest.fixture
def harness(harness: Harness) -> Harness:
    """The harness, with the currencies of the bodies."""
    administrator = harness.salesforce.founding.administrator
    known = {record["IsoCode"] for record in harness.salesforce.records("CurrencyType")}
    for code in {"GBP", "INR", "NZD"} - known:
        harness.salesforce.org.insert(
            "CurrencyType", {"IsoCode": code, "ConversionRate": 1, "IsActive": True}, administrator
        )
    harness.ask_org_again()
    return harness


SEEN: Mapping[str, Mapping[str, object]] = {
    "argentina": {"Name": "Migración a la nube", "CloseDate": "2027-04-15"},
    "britain_in_summer": {
        "Name": "Thames & Severn renewal",
        "CloseDate": "2027-06-30",
        "Description": 'Wants "pay as you go".',
    },
    "closing_before_creation": {"CloseDate": "2026-08-31"},
    "encoded_twice": {"Name": "R&D workspace"},
    "extra_properties": {"CloseDate": "2027-10-02"},
    "india": {"CloseDate": "2027-03-31"},
    "new_zealand_in_summer": {"Name": "Wool & Wine analytics"},
    "region_and_duns": {"Products__c": "SOL-12345-ABC"},
    "several_contacts": {"Name": "Board room refresh"},
    "solution_type_none": {"Products__c": "7b1c4c0e-53d0-4c0b-9f53-6b0d5a1f2a10;MachineLearning;SOL-12345-ABC"},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_deal_from_the_portal_arrives_as_it_is_meant_and_nothing_is_written_back(harness: Harness, name: str) -> None:
    opportunity = portal_deal_arrives(harness, name)
    assert opportunity.items() >= SEEN[name].items()
    harness.push_until_quiet()
    harness.run_rounds(1)
    assert harness.new_calls()["partner_center.patch"] == 0
    assert harness.differences(str(opportunity["Id"])) == []  # an id that the text cannot hold is told
    assert_quiet(harness)


def test_the_customer_and_the_contact_have_readable_names_and_a_state(harness: Harness) -> None:
    portal_deal_arrives(harness, "encoded_twice")
    (account,) = (record for record in harness.salesforce.records("Account") if record["Name"] == "Trey & Baldwin")
    (contact,) = harness.salesforce.records("Contact")
    assert account["BillingState"] == "WA"
    assert (contact["FirstName"], contact["LastName"], contact["Title"]) == ("Ann&Bo", "O'Neil", "Head of R&D")


def test_an_encoded_customer_is_found_under_its_readable_name(harness: Harness) -> None:
    account = harness.account_id("Trey & Baldwin")
    assert portal_deal_arrives(harness, "encoded_twice")["AccountId"] == account


def test_solutions_that_the_column_cannot_hold_are_counted_in_the_audit(harness: Harness) -> None:
    deal = str(portal_deal_arrives(harness, "solution_type_none")["Id"])
    assert harness.count_in_audit(deal, "Products holds 3 of 4 solutions") == 1


# --- days -------------------------------------------------------------------------------------------------------------


def test_a_day_chosen_in_the_portal_reaches_the_seller_and_is_not_rewritten(harness: Harness) -> None:
    deal = harness.shared_deal(CloseDate="2027-01-15")
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_closingDateTime="2027-06-29T23:00:00Z")
    harness.pull_event(referral)
    harness.run_rounds()
    assert harness.opportunity(deal)["CloseDate"] == "2027-06-30"
    assert harness.count_in_audit(deal, "Close Date 2027-01-15 → 2027-06-30") == 1
    assert harness.referral_of(deal)["details"]["closingDateTime"] == "2027-06-29T23:00:00Z"
    harness.seller_edits(deal, CloseDate="2027-06-30", Description="Another edit")
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["closingDateTime"] == "2027-06-29T23:00:00Z"
    harness.seller_edits(deal, CloseDate="2027-07-01")
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["closingDateTime"] == "2027-07-01T00:00:00Z"


def test_a_close_date_has_passed_when_the_day_is_over_in_every_zone(harness: Harness) -> None:
    deal = harness.shared_deal(CloseDate="2026-11-22")
    harness.advance_time(15 * HOUR)  # 2026-11-23 01:00 UTC: in America it is still the 22nd
    harness.seller_edits(deal, Description="Nearly signed")
    harness.run_rounds(1)
    assert harness.count_in_audit(deal, "has passed") == 0
    harness.advance_time(11 * HOUR)
    harness.seller_edits(deal, Description="Not signed")
    harness.run_rounds(1)
    assert harness.count_in_audit(deal, "Close Date 2026-11-22 has passed") == 1


# --- entities ---------------------------------------------------------------------------------------------------------


def test_an_entity_that_a_seller_wrote_does_not_flip(harness: Harness) -> None:
    deal = harness.shared_deal(Description="Write &amp;amp; for an ampersand")
    assert harness.referral_of(deal)["details"]["notes"] == "Write & for an ampersand"
    assert harness.opportunity(deal)["Description"] == "Write &amp;amp; for an ampersand"
    harness.partner_center.raw_patch(
        harness.referral_of(deal)["id"], {"/details/notes": "Write &amp; for an ampersand"}
    )
    harness.run_rounds()
    assert harness.opportunity(deal)["Description"] == "Write &amp;amp; for an ampersand"
    assert harness.referral_of(deal)["details"]["notes"] == "Write &amp; for an ampersand"
    assert harness.differences(deal) == []
    assert_quiet(harness)


# --- solution ids -----------------------------------------------------------------------------------------------------


def test_ids_reach_partner_center_however_they_are_separated(harness: Harness) -> None:
    deal = harness.shared_deal(Products__c="SOL-12345-ABC, sol-20011-abc MachineLearning,")
    tags = harness.referral_of(deal)["details"]["requirements"]["solutions"]
    assert [(tag["id"], tag["type"]) for tag in tags] == [
        ("SOL-12345-ABC", "Name"),
        ("SOL-20011-ABC", "Name"),
        ("MachineLearning", "Category"),
    ]


def test_a_deal_that_has_its_referral_is_not_stopped_by_words_that_are_no_ids_and_they_are_told(
    harness: Harness,
) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, Products__c="my product", StageName="Qualification")
    harness.run_rounds()
    assert harness.opportunity(deal)["StageName"] == "Qualification"
    assert harness.partner_center.referral(referral)["status"] == "Active"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert harness.retry_entries(Side.SALESFORCE) == []
    harness.seller_edits(deal, Description="Next call on Monday")
    harness.run_rounds()
    told = "Note: Products holds words that are no solution ids: my, product. Please enter ids such as SOL-15974-MQF"
    assert harness.count_in_audit(deal, told) == 1
    harness.seller_edits(deal, Products__c="other product")
    harness.run_rounds()
    assert harness.count_in_audit(deal, "no solution ids: other, product.") == 1
    harness.seller_edits(deal, Products__c="SOL-2, SOL-1")
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


ODD_TAGS = [{"id": "Claims, fast", "type": "None"}, {"id": "SOL-1", "type": "Name"}, {"id": "SOL-2", "type": "Name"}]


@pytest.mark.parametrize("origin", ["arrived", "shared"])
def test_an_odd_id_that_a_linked_deal_gets_in_partner_center_is_told(harness: Harness, origin: str) -> None:
    deal = arrived_deal(harness)[1] if origin == "arrived" else harness.shared_deal(Products__c="SOL-1; SOL-2")
    referral = str(harness.opportunity(deal)["Referral_Identifier__c"])
    accepted = {"/status": "Active", "/substatus": "Accepted"}
    harness.partner_center.raw_patch(referral, {"/details/requirements/solutions": ODD_TAGS, **accepted})
    harness.run_rounds()
    assert harness.count_in_audit(deal, "Products does not show Claims, fast, which it cannot hold.") == 1
    assert {"SOL-1", "SOL-2"} <= {one.strip() for one in harness.opportunity(deal)["Products__c"].split(";")}
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_an_odd_id_of_a_referral_that_is_linked_with_an_opportunity_is_told(harness: Harness) -> None:
    referral = harness.partner_center.portal_creates({})
    harness.partner_center.raw_patch(referral, {"/details/requirements/solutions": ODD_TAGS})
    deal = harness.seller_creates(Referral_Identifier__c=referral, Products__c="SOL-1")
    harness.run_rounds()
    assert harness.count_in_audit(deal, "Products does not show Claims, fast, which it cannot hold.") == 1
