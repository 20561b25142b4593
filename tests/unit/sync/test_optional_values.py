"""One bad optional part loses no deal: it arrives without it, and the Audit says which and why.

What a deal cannot do without goes to the inbox, with the lines of the mapping file that would fill it.
Source: docs/protocol.md#creating-an-opportunity.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulators.salesforce.data.hooks import ValidationRule
from emulators.salesforce.org_switches import RecordTypeWish, make_record_type, require_column, restrict_picklist
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

PICKLIST = """<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>Region__c</fullName><label>Region</label><type>Picklist</type>
    <valueSet><restricted>true</restricted><valueSetDefinition><sorted>false</sorted>
        <value><fullName>EMEA</fullName><default>false</default><label>EMEA</label></value>
        <value><fullName>AMER</fullName><default>false</default><label>AMER</label></value>
    </valueSetDefinition></valueSet>
</CustomField>"""


def harness_with(tmp_path: Path, lines: str) -> Harness:
    path = tmp_path / "own.toml"
    path.write_text(f'extends = "default"\n{lines}\n', "utf-8")
    return Harness(mapping=path)


def refuse(harness: Harness, sobject: str, column: str) -> None:
    harness.salesforce.org.hooks.rules.append(ValidationRule(sobject, column, "Not so.", None))


def arrive(harness: Harness, **fields: object) -> str:
    """The opportunity of a deal that Microsoft sends."""
    referral = microsoft_sends_deal(harness, **fields)
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


def account_of(harness: Harness, deal: str) -> Mapping[str, Any]:
    return harness.salesforce.record("Account", harness.opportunity(deal)["AccountId"])


def inbox(harness: Harness) -> list[dict[str, Any]]:
    return [dict(record) for record in harness.salesforce.records("Cosell_Inbox__c")]


@pytest.mark.parametrize("column", ["Description", "Amount", "CurrencyIsoCode"])
def test_a_deal_arrives_without_a_value_of_the_opportunity_that_is_refused(harness: Harness, column: str) -> None:
    refuse(harness, "Opportunity", column)
    deal = arrive(harness)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(deal, "was left out, because Salesforce refused it: Not so.") == 1
    assert_quiet(harness)
    harness.run_rounds(4, after=HOUR)
    assert harness.count_in_audit(deal, "refused") == 1, "tried again hourly, and told once"
    assert inbox(harness) == []


def test_a_refused_value_is_filled_in_once_salesforce_takes_it(harness: Harness) -> None:
    refuse(harness, "Opportunity", "Description")
    deal = arrive(harness)
    harness.clear_faults()
    harness.run_rounds(3, after=HOUR)
    assert harness.opportunity(deal)["Description"] == "Wants a pilot before summer."
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"


def test_a_value_that_travels_once_is_left_out_and_told_once(harness: Harness) -> None:
    refuse(harness, "Opportunity", "Products__c")
    deal = arrive(harness)
    assert harness.opportunity(deal)["Products__c"] is None
    harness.run_rounds(3, after=HOUR)
    assert harness.count_in_audit(deal, "Products") == 1
    assert_quiet(harness)


@pytest.mark.parametrize("column", ["BillingCity", "BillingPostalCode", "BillingStreet"])
def test_a_deal_arrives_without_a_part_of_the_account_that_is_refused(harness: Harness, column: str) -> None:
    refuse(harness, "Account", column)
    deal = arrive(harness)
    assert account_of(harness, deal)[column] is None
    assert account_of(harness, deal)["Name"] == "Fabrikam Robotics"
    assert harness.count_in_audit(deal, column) == 1
    assert_quiet(harness)


def test_a_contact_keeps_its_address_when_another_part_is_refused(harness: Harness) -> None:
    refuse(harness, "Contact", "Phone")
    deal = arrive(harness)
    [contact] = harness.salesforce.records("Contact")
    assert (contact["Email"], contact["Phone"]) == ("ada.lind@fabrikam.example", None)
    assert harness.count_in_audit(deal, "Phone of Ada Lind was left out") == 1


def test_a_contact_that_is_refused_whole_is_left_out(harness: Harness) -> None:
    refuse(harness, "Contact", "LastName")
    deal = arrive(harness)
    assert harness.salesforce.records("Contact") == []
    assert harness.count_in_audit(deal, "Salesforce refused the contact Ada Lind") == 1


@pytest.mark.parametrize(
    "lines",
    [
        '[new.Opportunity]\ndefaults = { NextStep = "Call", Probability = "high" }',
        "[new.Account]\ndefaults = { Phone = 5 }",
        "[new.Contact]\ndefaults = { Department = 5 }",
    ],
)
def test_a_default_of_another_type_than_its_column_is_left_out_and_told(tmp_path: Path, lines: str) -> None:
    with harness_with(tmp_path, lines) as own:
        deal = arrive(own)
        assert own.count_in_audit(deal, "Give each default in the mapping file its column's type.") >= 1
        assert len(own.salesforce.records("OpportunityContactRole")) == 1
        assert inbox(own) == []
        assert_quiet(own)


# --- what a record must have


def test_a_required_column_is_named_with_the_lines_that_fill_it(harness: Harness) -> None:
    harness.salesforce.make_field("Opportunity", PICKLIST)
    require_column(harness.salesforce.org, "Opportunity", "Region__c", required=True)
    harness.ask_org_again()
    harness.pull_event(microsoft_sends_deal(harness))
    [record] = inbox(harness)
    assert record["Code__c"] == "REQUIRED_FIELD_MISSING"
    assert record["Remedy__c"].endswith('\n[new.Opportunity]\ndefaults = { Region__c = "EMEA" }')


def test_the_lines_that_fill_a_required_column_work_when_pasted(harness: Harness, tmp_path: Path) -> None:
    harness.salesforce.make_field("Opportunity", PICKLIST)
    require_column(harness.salesforce.org, "Opportunity", "Region__c", required=True)
    harness.ask_org_again()
    harness.pull_event(microsoft_sends_deal(harness))
    lines = inbox(harness)[0]["Remedy__c"].partition("\n")[2]
    with harness_with(tmp_path, lines) as own:
        own.salesforce.make_field("Opportunity", PICKLIST)
        require_column(own.salesforce.org, "Opportunity", "Region__c", required=True)
        own.ask_org_again()
        assert own.opportunity(arrive(own))["Region__c"] == "EMEA"
        assert inbox(own) == []
        assert_quiet(own)


def test_a_refused_value_of_a_required_column_goes_to_the_inbox_with_its_own_cause(
    harness: Harness, tmp_path: Path
) -> None:
    del harness
    with harness_with(tmp_path, '[new.Opportunity]\ndefaults = { Region__c = "APAC" }') as own:
        own.salesforce.make_field("Opportunity", PICKLIST)
        require_column(own.salesforce.org, "Opportunity", "Region__c", required=True)
        own.ask_org_again()
        own.pull_event(microsoft_sends_deal(own))
        [record] = inbox(own)
        assert (record["Code__c"], record["Refused_Field__c"]) == (
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Region__c",
        )  # fmt: skip


def test_a_default_that_the_picklist_does_not_have_is_left_out_and_told(tmp_path: Path) -> None:
    with harness_with(tmp_path, '[new.Opportunity]\ndefaults = { Region__c = "APAC" }') as own:
        own.salesforce.make_field("Opportunity", PICKLIST)
        own.ask_org_again()
        deal = arrive(own)
        assert own.opportunity(deal)["Region__c"] is None
        assert own.count_in_audit(deal, "The default of Region__c was left out, because Salesforce refused it") == 1
        assert_quiet(own)


def test_a_default_of_a_column_that_is_not_there_is_left_out_and_told(tmp_path: Path) -> None:
    with harness_with(tmp_path, '[new.Opportunity]\ndefaults = { Nope__c = "x" }') as own:
        deal = arrive(own)
        assert own.count_in_audit(deal, "The default of Nope__c was left out") == 1


def test_defaults_fill_new_records_of_each_object_and_never_replace_a_value(tmp_path: Path) -> None:
    lines = """
[new.Opportunity]
defaults = { description = "Without notes.", LeadSource = "Partner" }
[new.Account]
defaults = { Website = "https://example.com", BillingCity = "Nowhere" }
[new.Contact]
defaults = { Title = "Contact of Microsoft" }
"""
    with harness_with(tmp_path, lines) as own:
        deal = arrive(own)
        record, account = own.opportunity(deal), account_of(own, deal)
        assert (record["LeadSource"], record["Description"]) == ("Partner", "Wants a pilot before summer.")
        assert (account["Website"], account["BillingCity"]) == ("https://example.com", "Aarhus")
        [contact] = own.salesforce.records("Contact")
        assert contact["Title"] == "Contact of Microsoft"
        assert_quiet(own)


def test_a_stage_that_the_org_does_not_take_goes_to_the_inbox(harness: Harness) -> None:
    restrict_picklist(harness.salesforce.org, "Opportunity", "StageName", restricted=True, values=None)
    stage = next(each for each in harness.salesforce.records("OpportunityStage") if each["ApiName"] == "On Hold")
    harness.salesforce.org.update("OpportunityStage", stage["Id"], {"IsActive": False}, harness.salesforce.seller)
    harness.pull_event(microsoft_sends_deal(harness))
    [record] = inbox(harness)
    assert record["Refused_Field__c"] == "StageName"
    assert "[[stages]]" in record["Remedy__c"]


# --- record types


def test_a_new_record_has_the_record_type_that_the_mapping_names(tmp_path: Path) -> None:
    with harness_with(tmp_path, '[new.Opportunity]\nrecord_type = "partner_deal"') as own:
        user = own.salesforce.founding.administrator
        wanted = make_record_type(own.salesforce.org, RecordTypeWish("Opportunity", "Partner_Deal"), user)
        own.ask_org_again()
        assert own.opportunity(arrive(own))["RecordTypeId"] == wanted
        assert_quiet(own)


@pytest.mark.parametrize("active", [None, False])
def test_a_missing_or_inactive_record_type_makes_no_deal_and_is_named(tmp_path: Path, active: bool | None) -> None:
    with harness_with(tmp_path, '[new.Opportunity]\nrecord_type = "Partner_Deal"') as own:
        if active is not None:
            user, wish = (
                own.salesforce.founding.administrator,
                RecordTypeWish("Opportunity", "Partner_Deal", active=active),
            )
            make_record_type(own.salesforce.org, wish, user)
        own.ask_org_again()
        own.pull_event(microsoft_sends_deal(own))
        assert own.salesforce.records("Opportunity") == []
        [record] = inbox(own)
        assert record["Code__c"] == "no_record_type"
        assert "Partner_Deal" in record["Cause__c"]


def test_a_stage_that_the_record_type_does_not_offer_makes_no_deal_and_is_named(tmp_path: Path) -> None:
    with harness_with(tmp_path, '[new.Opportunity]\nrecord_type = "Partner_Deal"') as own:
        wish = RecordTypeWish("Opportunity", "Partner_Deal", {"StageName": ["Prospecting"]})
        make_record_type(own.salesforce.org, wish, own.salesforce.founding.administrator)
        own.ask_org_again()
        assert own.translation.org is not None
        assert own.translation.org.stages == frozenset({"Prospecting"})
        own.pull_event(microsoft_sends_deal(own))
        assert own.salesforce.records("Opportunity") == []
        [record] = inbox(own)
        assert record["Cause__c"] == "The record type Partner_Deal does not offer the stage On Hold."


# --- columns of ours


@pytest.mark.parametrize("column", ["Sync_Status__c", "Referral_Link__c", "Audit__c"])
def test_a_deal_arrives_without_a_column_of_ours_that_is_refused_and_shows_it_later(
    harness: Harness, column: str
) -> None:
    refuse(harness, "Opportunity", column)
    deal = arrive(harness)
    assert not harness.opportunity(deal)[column]
    unshown = harness.stored_link(deal).unshown
    assert unshown is not None
    assert unshown.columns == (column,)
    assert unshown.cause is not None
    assert (unshown.cause.code, unshown.cause.field) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", column)
    harness.clear_faults()
    harness.run_rounds(2, after=HOUR)
    assert harness.opportunity(deal)[column]
    assert harness.stored_link(deal).unshown is None
    assert harness.count_in_audit(deal, "This opportunity was created from a referral") == 1
    assert inbox(harness) == []
    assert_quiet(harness)


def test_a_rule_of_a_whole_new_account_goes_to_the_inbox_with_the_table_that_would_meet_it(harness: Harness) -> None:
    rule = {"formula": "ISBLANK(Phone)", "message": "Give a phone number."}
    control(harness.salesforce, "save_rule", sobject="Account", **rule)
    harness.pull_event(microsoft_sends_deal(harness))
    [record] = inbox(harness)
    assert record["Cause__c"] == "Give a phone number."
    assert "[new.Account]" in record["Remedy__c"]
    assert "Change the record" not in record["Remedy__c"]


@pytest.mark.parametrize(("sobject", "column"), [("Account", "BillingCity"), ("Contact", "Phone")])
def test_no_tick_says_that_a_part_that_was_left_out_agrees_until_it_is_there(
    harness: Harness, sobject: str, column: str
) -> None:
    refuse(harness, sobject, column)
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds(3)
    deal = str(opportunity_of(harness, referral)["Id"])
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)
    harness.clear_faults()
    [record] = harness.salesforce.records(sobject)
    customer = harness.partner_center.referral(referral)["customerProfile"]
    parts = {"City": customer["address"]["city"], "Phone": customer["team"][0]["phoneNumber"]}
    harness.salesforce.edit(sobject, record["Id"], {column: parts[column.removeprefix("Billing")]})
    harness.seller_edits(deal, CloseDate="2027-02-28")
    harness.run_rounds(3)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)
