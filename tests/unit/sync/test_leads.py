"""Leads arrive as records of Lead, once, and take over what changes in Partner Center (docs/protocol.md#leads)."""

from copy import replace
from typing import Any

import pytest

from emulators.salesforce.data.hooks import ValidationRule
from shared.domain.leads import Leads
from shared.sync.ports import RECONCILED
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.lead_deals import (
    CUSTOMER,
    TICKED,
    accept_lead,
    arrived_lead,
    convert,
    customer_asks,
    edit_lead,
    forget_lead,
    harness_with,
    lead_of,
    lead_opportunities,
    leads,
    salesforce_leads,
)

__all__ = ["lead_opportunities", "leads"]
KINDS: dict[str, dict[str, Any]] = {
    "a marketplace lead": {},
    "a marketplace lead of Microsoft": {
        "qualification": "Direct",
        "inviteContext": {"invitedBy": {"organizationId": "msft"}},
    },
    "a lead of Microsoft's marketing": {"qualification": "MarketingQualified"},
    "a qualified lead": {"qualification": "SalesQualified"},
}


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
def test_each_kind_of_lead_arrives_as_a_lead(leads: Harness, kind: dict[str, Any]) -> None:
    referral = customer_asks(leads, **kind)
    assert leads.pull_event(referral) == RECONCILED
    lead = lead_of(leads, referral)
    assert (lead["LastName"], lead["FirstName"], lead["Company"]) == ("Lind", "Ada", "Fabrikam Robotics")
    assert leads.salesforce.records("Opportunity") == []


def test_a_lead_holds_who_asks_where_and_for_what(leads: Harness) -> None:
    referral, _ = arrived_lead(leads, details={"notes": "We need twelve."})
    lead = lead_of(leads, referral)
    person = {name: lead[name] for name in ("Email", "Phone", "Title", "City", "Country")}
    assert person == {
        "Email": "ada.lind@fabrikam.example",
        "Phone": "+4512345678",
        "Title": "Head of Robots",
        "City": "Aarhus",
        "Country": "DK",
    }
    assert lead["LeadSource"] == "AzureMarketplace"
    assert lead["Description"].splitlines() == [
        "Lead: Robots for the harbour",
        "Requested: Contact me",
        "Solutions: Contoso Ledger (SOL-12345-ABC)",
        "We need twelve.",
    ]
    assert referral in lead["Referral_Link__c"]
    assert "This is a lead of Partner Center" in lead["Audit__c"]


def test_leads_are_ignored_unless_they_are_turned_on(harness: Harness) -> None:
    referral = customer_asks(harness)
    assert harness.pull_event(referral) == RECONCILED
    assert salesforce_leads(harness) == []
    assert harness.first.log.fields_of("referral_ignored")[-1]["reason"] == "lead"
    assert harness.store.pointer(referral) is None


def test_outside_production_no_lead_arrives() -> None:
    with harness_with(Leads.LEAD, tag="STAGING") as staging:
        staging.pull_event(customer_asks(staging))
        assert salesforce_leads(staging) == []


def test_a_lead_that_is_closed_before_it_arrives_does_not_arrive(leads: Harness) -> None:
    referral = customer_asks(leads)
    leads.partner_center.let_expire(referral)
    leads.pull_event(referral)
    assert salesforce_leads(leads) == []
    assert leads.first.log.fields_of("referral_ignored")[-1]["reason"] == "lead_closed"


def test_what_a_lead_lacks_gets_a_stand_in_and_is_told(leads: Harness) -> None:
    referral, _ = arrived_lead(leads, customerProfile={"team": []})
    lead = lead_of(leads, referral)
    assert lead["LastName"] == "[not provided]"
    assert 'Last Name is empty in Partner Center, so "[not provided]" was entered.' in lead["Audit__c"]


# --- what it costs


def test_a_new_lead_costs_a_read_a_query_and_a_creation(leads: Harness) -> None:
    referral = customer_asks(leads)
    leads.forget_calls()
    leads.pull_event(referral)
    assert leads.new_calls() == {"partner_center.get": 1, "salesforce.query": 1, "salesforce.graph": 1}


def test_a_sweep_costs_nothing_for_a_lead_that_is_known(leads: Harness) -> None:
    arrived_lead(leads)
    leads.sweep()
    leads.forget_calls()
    leads.sweep()
    assert leads.new_calls() == {"partner_center.list": 1}


# --- later changes


def test_a_change_in_partner_center_reaches_the_lead(leads: Harness) -> None:
    referral, _ = arrived_lead(leads)
    leads.colleague_edits(referral, details_notes="We need thirteen.")
    leads.forget_calls()
    leads.pull_event(referral)
    assert lead_of(leads, referral)["Description"].endswith("We need thirteen.")
    assert "From Partner Center: Description" in lead_of(leads, referral)["Audit__c"].splitlines()[0]


def test_a_value_that_a_person_edited_stays_and_the_other_one_is_told_once(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    edit_lead(leads, record, Phone="+4599999999", Status="Working - Contacted")
    team = [{**CUSTOMER["team"][0], "phoneNumber": "+4511111111"}]
    leads.partner_center.raw_patch(referral, {"/customerProfile/team": team, "/details/notes": "Soon."})
    leads.pull_event(referral)
    lead = lead_of(leads, referral)
    assert (lead["Phone"], lead["Status"]) == ("+4599999999", "Working - Contacted")
    assert lead["Description"].endswith("Soon.")
    told = 'Phone is "+4511111111" in Partner Center. Here it is "+4599999999", which was edited and stays.'
    assert lead["Audit__c"].count(told) == 1
    leads.colleague_edits(referral, details_notes="Now.")
    leads.pull_event(referral)
    assert lead_of(leads, referral)["Audit__c"].count(told) == 1


def test_a_change_of_a_lead_costs_a_read_a_query_and_a_conditional_write(leads: Harness) -> None:
    referral, _ = arrived_lead(leads)
    leads.colleague_edits(referral, details_notes="We need thirteen.")
    leads.forget_calls()
    leads.pull_event(referral)
    assert leads.new_calls() == {"partner_center.get": 1, "salesforce.query": 1, "salesforce.conditional": 1}


def test_a_change_that_the_lead_does_not_show_costs_one_read(leads: Harness) -> None:
    referral, _ = arrived_lead(leads)
    leads.partner_center.raw_patch(referral, {"/favorite": True})
    leads.forget_calls()
    leads.pull_event(referral)
    assert leads.new_calls() == {"partner_center.get": 1}


def test_the_end_of_a_lead_is_told(leads: Harness) -> None:
    referral, _ = arrived_lead(leads)
    leads.colleague_edits(referral, status="Closed", substatus="Declined", statusReason="Not a customer")
    leads.pull_event(referral)
    assert "The lead is Closed (Declined) in Partner Center." in lead_of(leads, referral)["Audit__c"]


def test_a_lead_that_a_person_deleted_does_not_come_back(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    leads.salesforce.delete("Lead", record)
    leads.colleague_edits(referral, details_notes="Hello?")
    leads.pull_event(referral)
    forget_lead(leads, referral)
    leads.pull_event(referral)
    assert salesforce_leads(leads) == []


def test_a_lead_of_which_the_store_knows_nothing_is_only_filled(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    edit_lead(leads, record, Phone="+4599999999", Title=None)
    forget_lead(leads, referral)
    leads.pull_event(referral)
    lead = lead_of(leads, referral)
    assert (lead["Phone"], lead["Title"]) == ("+4599999999", "Head of Robots")


def test_nothing_is_ever_sent_of_a_lead(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    before = leads.partner_center.referral(referral)
    edit_lead(leads, record, Phone="+4599999999")
    leads.run_rounds()
    assert leads.partner_center.referral(referral) == before


# --- what Salesforce refuses


def test_an_org_without_the_column_has_the_lead_in_its_inbox() -> None:
    with harness_with(Leads.LEAD) as harness:
        del harness.salesforce.org.model.get("Lead").fields["referral_identifier__c"]
        referral = customer_asks(harness)
        harness.pull_event(referral)
        (item,) = harness.salesforce.records("Cosell_Inbox__c")
        assert "no field Referral_Identifier__c on Lead" in item["Cause__c"]
        assert "set LEADS to off" in item["Remedy__c"]


def test_a_value_that_salesforce_refuses_is_left_out_and_told(leads: Harness) -> None:
    rule = ValidationRule("Lead", "Title", "No titles here.")
    leads.salesforce.org.hooks.rules.append(rule)
    referral, _ = arrived_lead(leads)
    lead = lead_of(leads, referral)
    assert lead["Title"] is None
    assert "Title was left out: No titles here." in lead["Audit__c"]


def test_a_refused_value_is_tried_again_with_the_next_value_and_told_once_for_each(leads: Harness) -> None:
    leads.salesforce.org.hooks.rules.append(ValidationRule("Lead", "Title", "No titles here."))
    referral, _ = arrived_lead(leads)
    leads.colleague_edits(referral, details_notes="Soon.")
    leads.pull_event(referral)
    assert lead_of(leads, referral)["Audit__c"].count("Title was left out") == 1
    leads.salesforce.org.hooks.rules.clear()
    team = [{**CUSTOMER["team"][0], "title": "Director"}]
    leads.partner_center.raw_patch(referral, {"/customerProfile/team": team})
    leads.pull_event(referral)
    assert lead_of(leads, referral)["Title"] == "Director"


def test_a_column_that_is_hidden_is_told_once_and_left_out() -> None:
    with harness_with(Leads.LEAD) as harness:
        del harness.salesforce.org.model.get("Lead").fields["leadsource"]
        referral, _ = arrived_lead(harness)
        harness.colleague_edits(referral, details_notes="Soon.")
        harness.pull_event(referral)
        lead = lead_of(harness, referral)
        assert lead["Description"].endswith("Soon.")
        assert lead["Audit__c"].count("Lead Source was left out: Lead has no such field") == 1
        harness.partner_center.raw_patch(referral, {"/favorite": True})
        harness.forget_calls()
        harness.pull_event(referral)
        assert harness.new_calls() == {"partner_center.get": 1}


def test_a_lead_that_salesforce_refuses_waits_in_the_inbox_and_arrives_later(leads: Harness) -> None:
    rule = ValidationRule("Lead", "LastName", "No leads today.")
    leads.salesforce.org.hooks.rules.append(rule)
    referral = customer_asks(leads)
    leads.pull_event(referral)
    (item,) = leads.salesforce.records("Cosell_Inbox__c")
    assert item["Cause__c"] == "No leads today."
    leads.salesforce.org.hooks.rules.clear()
    leads.push(HOUR + 60)
    assert lead_of(leads, referral)
    assert [each for each in leads.salesforce.records("Cosell_Inbox__c") if not each["IsDeleted"]] == []


def test_a_lead_that_resembles_another_is_saved_and_told(leads: Harness) -> None:
    twin = leads.salesforce.insert(
        "Lead", {"LastName": "Lind", "Company": "Fabrikam", "Email": "ada.lind@fabrikam.example"}
    )
    leads.salesforce.org.hooks.duplicates["Lead"] = (twin,)
    referral, _ = arrived_lead(leads)
    assert f"This lead resembles {twin}." in lead_of(leads, referral)["Audit__c"]


# --- what becomes of it


def test_an_accepted_lead_becomes_a_deal_and_names_the_lead_that_is_left(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    accept_lead(leads, referral)
    leads.pull_event(referral)
    (deal,) = leads.salesforce.records("Opportunity")
    assert (deal["Referral_Identifier__c"], deal["Sync_with_Partner_Center__c"]) == (referral, True)
    assert f"This deal was a lead before: https://acme.my.salesforce.com/{record}." in deal["Audit__c"]
    told = f"its deal is https://acme.my.salesforce.com/{deal['Id']}. Please close or convert this lead."
    assert told in lead_of(leads, referral)["Audit__c"]
    leads.salesforce.edit("Opportunity", deal["Id"], {"Amount": 777})
    leads.run_rounds()
    assert leads.partner_center.referral(referral)["details"]["dealValue"] == 777


def test_an_accepted_lead_that_was_converted_is_linked_with_that_opportunity_and_ticks_it(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    deal = convert(leads, record)
    leads.push()
    assert leads.salesforce.record("Opportunity", deal)["Referral_Identifier__c"] is None
    accept_lead(leads, referral)
    leads.pull_event(referral)
    leads.run_rounds()
    (one,) = leads.salesforce.records("Opportunity")
    assert (one["Id"], one["Referral_Identifier__c"], one["Sync_with_Partner_Center__c"]) == (deal, referral, True)
    assert leads.stored_link(deal).lead is None
    leads.salesforce.edit("Opportunity", deal, {"Amount": 777})
    leads.run_rounds()
    assert leads.partner_center.referral(referral)["details"]["dealValue"] == 777


def test_a_lead_that_was_converted_without_an_opportunity_gets_one(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    convert(leads, record, deal=None)
    accept_lead(leads, referral)
    leads.pull_event(referral)
    assert [deal["Referral_Identifier__c"] for deal in leads.salesforce.records("Opportunity")] == [referral]


def test_a_lead_stays_a_lead_where_the_setting_changes(leads: Harness) -> None:
    referral, _ = arrived_lead(leads)
    leads.colleague_edits(referral, details_notes="We need thirteen.")
    for mode in (Leads.OPPORTUNITY, Leads.OFF):
        leads.scope = replace(leads.scope, leads=mode)
        leads.new_instance().pull_event(referral)
        assert leads.salesforce.records("Opportunity") == []
    assert lead_of(leads, referral)["Description"].endswith("We need thirteen.")
    pointer = leads.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.lead is not None


def test_a_converted_opportunity_that_a_seller_ticks_waits_until_the_lead_is_accepted(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    deal = convert(leads, record)
    count = len(leads.partner_center.referrals())
    leads.seller_edits(deal, **TICKED)
    leads.run_rounds(after=HOUR)
    told = "This opportunity was converted from a lead of Partner Center that nobody has accepted there."
    assert leads.salesforce.record("Opportunity", deal)["Audit__c"].count(told) == 1
    assert len(leads.partner_center.referrals()) == count
    accept_lead(leads, referral)
    leads.pull_event(referral)
    leads.run_rounds()
    assert len(leads.partner_center.referrals()) == count
    assert leads.stored_link(deal).referral_id == referral


def test_a_change_of_a_converted_lead_is_left_for_its_deal(leads: Harness) -> None:
    referral, record = arrived_lead(leads)
    convert(leads, record)
    leads.colleague_edits(referral, details_notes="We need thirteen.")
    assert leads.pull_event(referral) == RECONCILED
    assert leads.first.log.fields_of("lead_followed")[-1]["outcome"] == "left_alone"
