"""A column that the integration user may not see or write stops no deal, and is named in the Audit.

Source: docs/protocol.md#hidden-and-read-only-columns.
"""

from copy import replace
from typing import Any

import pytest

from tests.unit.sync.column_rights import restrict_columns, restrict_known_columns
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

HIDDEN = "may not see"


def account_of(harness: Harness, deal: str) -> dict[str, Any]:
    return harness.salesforce.record("Account", harness.opportunity(deal)["AccountId"])


def arrived(harness: Harness, **fields: object) -> str:
    """The opportunity of a deal that Microsoft has just sent."""
    referral = microsoft_sends_deal(harness, **fields)
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


@pytest.mark.parametrize(
    "hidden",
    [
        "Opportunity.Description", "Opportunity.Amount", "Account.BillingState", "Account.BillingPostalCode",
        "Account.NumberOfEmployees", "Contact.Phone", "Contact.Title", "User.Phone",
    ],
)  # fmt: skip
def test_a_hidden_column_stops_no_deal_that_is_shared_and_is_told_once(harness: Harness, hidden: str) -> None:
    deal = harness.shared_deal()
    restrict_known_columns(harness, hidden=[hidden])
    harness.seller_edits(deal, CloseDate="2027-01-31")
    harness.push()
    harness.seller_edits(deal, CloseDate="2027-02-28")
    harness.push_until_quiet()
    assert harness.referral_of(deal)["details"]["closingDateTime"].startswith("2027-02-28")
    assert harness.count_in_audit(deal, HIDDEN) == 1
    assert hidden.rpartition(".")[2] in next(line for line in harness.audit_texts(deal) if HIDDEN in line)


@pytest.mark.parametrize(
    "hidden", ["Opportunity.Description", "Account.BillingState", "Contact.Phone", "Contact.Email"]
)
def test_a_new_deal_goes_out_without_what_is_hidden(harness: Harness, hidden: str) -> None:
    restrict_known_columns(harness, hidden=[hidden])
    deal = harness.shared_deal()
    is_unknown = hidden in ("Opportunity.Description", "Contact.Email")  # without an address, people are no list
    assert harness.opportunity(deal)["Sync_Status__c"] == ("Synced with differences" if is_unknown else "Synced")
    assert harness.count_in_audit(deal, HIDDEN) == 1


@pytest.mark.parametrize("hidden", ["Opportunity.Description", "Opportunity.Amount", "Opportunity.Products__c"])
def test_no_tick_says_that_a_hidden_column_agrees_until_it_is_visible_again(harness: Harness, hidden: str) -> None:
    deal, statuses = harness.shared_deal(), list[str]()
    for visible in (False, False, True):
        restrict_known_columns(harness, hidden=[] if visible else [hidden])
        harness.seller_edits(deal, CloseDate=f"2027-01-{11 + len(statuses)}")
        harness.push_until_quiet()
        assert_quiet(harness)
        statuses.append(harness.opportunity(deal)["Sync_Status__c"])
    assert statuses == ["Synced with differences", "Synced with differences", "Synced"]
    assert harness.count_in_audit(deal, HIDDEN) == 1


def test_no_tick_says_that_a_deal_that_arrived_without_a_hidden_value_agrees(harness: Harness) -> None:
    restrict_known_columns(harness, hidden=["Opportunity.Description"])
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    deal = str(opportunity_of(harness, referral)["Id"])
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    harness.run_rounds(3)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


@pytest.mark.parametrize(
    ("hidden", "column"),
    [
        ("Opportunity.Amount", "Amount"),
        ("Opportunity.Products__c", "Products__c"),
        ("Account.BillingCountry", "Account.BillingCountry"),
        ("Account.BillingStreet", "Account.BillingStreet"),
        ("User.Phone", "Owner.Phone"),
        ("User.Email", "Owner.Email"),
    ],
)
def test_a_deal_whose_required_column_is_hidden_is_held_and_the_column_named(
    harness: Harness, hidden: str, column: str
) -> None:
    restrict_known_columns(harness, hidden=[hidden])
    deal = harness.seller_creates()
    harness.push()
    assert harness.our_referrals() == []
    [line] = [line for line in harness.audit_texts(deal) if HIDDEN in line]
    assert line.startswith("Not synced: ")
    assert f"may not see {column}" in line
    restrict_known_columns(harness)
    harness.seller_edits(deal, CloseDate="2027-01-31")
    harness.push_until_quiet()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


@pytest.mark.parametrize(
    "hidden",
    [
        "Opportunity.Description", "Opportunity.Amount", "Opportunity.Products__c", "Account.BillingState",
        "Account.BillingCountry", "Contact.Phone", "Contact.Email",
    ],
)  # fmt: skip
def test_a_deal_arrives_without_what_is_hidden(harness: Harness, hidden: str) -> None:
    restrict_known_columns(harness, hidden=[hidden])
    deal = arrived(harness)
    column = hidden.rpartition(".")[2]
    if hidden.startswith("Opportunity"):
        assert harness.opportunity(deal)[column] is None
    assert harness.count_in_audit(deal, HIDDEN) == 1
    assert_quiet(harness)


def test_an_account_without_a_visible_country_is_found_by_its_name(harness: Harness) -> None:
    known = harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "DK"})
    restrict_known_columns(harness, hidden=["Account.BillingCountry"])
    assert account_of(harness, arrived(harness))["Id"] == known


def test_a_read_only_column_is_not_filled_in_and_a_later_value_is_refused_and_told(harness: Harness) -> None:
    restrict_known_columns(harness, read_only=["Opportunity.Description", "Account.BillingCity", "Contact.Title"])
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = str(opportunity_of(harness, referral)["Id"])
    assert harness.opportunity(deal)["Description"] is None
    assert account_of(harness, deal)["BillingCity"] is None
    assert account_of(harness, deal)["BillingStreet"] == "9 Harbour Road"
    assert harness.count_in_audit(deal, "may not write") == 3
    harness.push()
    assert harness.count_in_audit(deal, "Salesforce refused it and keeps") == 1
    assert_quiet(harness)


def test_a_new_account_without_a_read_only_column_shows_no_tick(harness: Harness) -> None:
    restrict_known_columns(harness, read_only=["Account.BillingCity"])
    deal = arrived(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.push_until_quiet()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_a_column_that_is_visible_again_is_synced_again_without_a_loss(harness: Harness) -> None:
    deal = harness.shared_deal()
    restrict_known_columns(harness, hidden=["Opportunity.Amount"])
    harness.seller_edits(deal, Amount=20_000)
    harness.push_until_quiet()
    assert harness.referral_of(deal)["details"]["dealValue"] == 10_000
    restrict_known_columns(harness)
    harness.seller_edits(deal, CloseDate="2027-02-28")
    harness.push_until_quiet()
    assert harness.referral_of(deal)["details"]["dealValue"] == 20_000


def test_an_account_that_is_hidden_from_deals_stops_no_edit_of_a_shared_deal(harness: Harness) -> None:
    deal = harness.shared_deal()
    restrict_known_columns(harness, hidden=["Opportunity.AccountId"])
    harness.seller_edits(deal, CloseDate="2027-01-31")
    harness.push_until_quiet()
    assert harness.referral_of(deal)["details"]["closingDateTime"].startswith("2027-01-31")
    assert harness.count_in_audit(deal, HIDDEN) >= 1
    restrict_known_columns(harness)
    harness.run_rounds()
    assert_quiet(harness)


def test_a_deal_that_went_out_without_a_hidden_value_gets_it_with_the_next_edit(harness: Harness) -> None:
    restrict_known_columns(harness, hidden=["Opportunity.Description"])
    deal = harness.shared_deal()
    restrict_known_columns(harness)
    harness.seller_edits(deal, CloseDate="2027-02-28")
    harness.push_until_quiet()
    assert harness.referral_of(deal)["details"]["notes"] == "First call went well."


def test_an_edit_that_came_while_the_column_was_hidden_is_not_overwritten_without_a_word(harness: Harness) -> None:
    deal = harness.shared_deal()
    restrict_known_columns(harness, hidden=["Opportunity.Description"])
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, details_notes="The customer has said yes.")
    harness.pull_event(referral)
    restrict_known_columns(harness)
    harness.seller_edits(deal, Description="Second call.")
    harness.push_until_quiet()
    assert "The customer has said yes." in harness.referral_of(deal)["details"]["notes"]
    assert harness.differences(deal) == []


def test_a_column_hidden_since_the_org_was_asked_loses_no_deal(harness: Harness) -> None:
    deal = harness.shared_deal()
    restrict_columns(harness, hidden=["Opportunity.Description"])
    harness.seller_edits(deal, CloseDate="2027-01-31")
    harness.push()
    harness.ask_org_again()
    harness.run_rounds(4)
    assert harness.referral_of(deal)["details"]["closingDateTime"].startswith("2027-01-31")


@pytest.mark.parametrize("hidden", ["Sync_with_Partner_Center__c", "Referral_Identifier__c"])
def test_without_flag_or_identifier_a_run_names_the_column_and_loses_nothing(harness: Harness, hidden: str) -> None:
    restrict_known_columns(harness, hidden=[f"Opportunity.{hidden}"])
    deal = harness.seller_creates()
    harness.push()
    [failed] = harness.first.log.fields_of("run_failed")
    assert (failed["code"], failed["field"]) == ("INVALID_FIELD", hidden)
    assert harness.translation.org is not None
    assert hidden in harness.translation.org.missing
    restrict_known_columns(harness)
    harness.push_until_quiet()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def make_flag_by_hand(harness: Harness, name: str) -> None:
    """Make the tick as somebody did by hand, in another letter case."""
    fields = harness.salesforce.org.model.get("Opportunity").fields
    fields[name.lower()] = replace(fields[name.lower()], name=name)
    harness.ask_org_again()


def test_a_column_in_another_letter_case_works_both_ways(harness: Harness) -> None:
    make_flag_by_hand(harness, "sync_with_partner_center__c")
    make_flag_by_hand(harness, "AUDIT__c")
    deal = harness.seller_creates(sync_with_partner_center__c=True)
    harness.push_until_quiet()
    record = harness.opportunity(deal)
    assert record["Sync_Status__c"] == "Synced"
    assert "A referral was created" in record["AUDIT__c"]
    arriving = harness.opportunity(arrived(harness))
    assert arriving["sync_with_partner_center__c"] is True
    assert_quiet(harness)


def test_a_letter_case_of_the_org_changes_no_base(harness: Harness) -> None:
    deal = harness.shared_deal()
    before = harness.stored_link(deal)
    make_flag_by_hand(harness, "PRODUCTS__C")
    harness.seller_edits(deal, CloseDate="2027-01-31")
    harness.push_until_quiet()
    assert harness.stored_link(deal).sources == before.sources


def test_solutions_that_a_deal_lacks_because_their_column_was_hidden_arrive_once_it_is_seen(harness: Harness) -> None:
    restrict_known_columns(harness, hidden=["Opportunity.Products__c"])
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    deal = str(opportunity_of(harness, referral)["Id"])
    restrict_known_columns(harness)
    harness.seller_edits(deal, CloseDate="2027-02-28")
    harness.run_rounds()
    ids = [tag["id"] for tag in harness.partner_center.referral(referral)["details"]["requirements"]["solutions"]]
    assert harness.opportunity(deal)["Products__c"].split(";") == ids
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)
