"""Leads arrive in every kind of real org, as each setting says, or wait in the inbox (docs/protocol.md#leads)."""

from copy import replace
from pathlib import Path

import pytest

from shared.domain.leads import Leads
from shared.mapping.schema import DEFAULT
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, opportunities_of
from tests.unit.sync.lead_deals import CUSTOMER, accept_lead, arrived_lead, customer_asks, lead_of, salesforce_leads
from tests.unit.sync.real_orgs import PERMISSIONS, REGION, SWITCHES, USERNAME, org_harness

SETS = [PERMISSIONS, "Cosell_Leads_Integration"]


def let_leads_arrive(harness: Harness, leads: Leads) -> None:
    """Turn leads on, and give an integration user with permission sets that of leads too."""
    if harness.salesforce.permission_sets:
        control(harness.salesforce, "permission_sets", username=USERNAME, names=SETS)
    harness.scope = replace(harness.scope, leads=leads)
    harness.first = harness.new_instance()


@pytest.mark.parametrize("kind", SWITCHES)
def test_a_lead_arrives_as_a_lead_and_changes_follow(kind: str) -> None:
    with org_harness([kind]) as harness:
        let_leads_arrive(harness, Leads.LEAD)
        referral, _ = arrived_lead(harness)
        assert lead_of(harness, referral)["City"] == (None if kind == "hidden column of a parent" else "Aarhus")
        harness.partner_center.raw_patch(referral, {"/customerProfile/team": [{**CUSTOMER["team"][0], "title": "CTO"}]})
        harness.pull_event(referral)
        assert lead_of(harness, referral)["Title"] == "CTO"
        accept_lead(harness, referral)
        harness.run_rounds()
        deals, inbox = opportunities_of(harness, referral), harness.salesforce.records("Cosell_Inbox__c")
        assert len(deals) + len(inbox) == 1
        assert_quiet(harness)


@pytest.mark.parametrize("kind", SWITCHES)
def test_a_lead_arrives_as_an_opportunity_that_is_not_sent(kind: str) -> None:
    with org_harness([kind]) as harness:
        let_leads_arrive(harness, Leads.OPPORTUNITY)
        referral = customer_asks(harness)
        before = harness.partner_center.referral(referral)
        harness.run_rounds()
        deals, inbox = opportunities_of(harness, referral), harness.salesforce.records("Cosell_Inbox__c")
        assert len(deals) + len(inbox) == 1
        assert [deal["Sync_with_Partner_Center__c"] for deal in deals] == [False] * len(deals)
        assert salesforce_leads(harness) == [] or kind == "duplicate rules"
        assert harness.partner_center.referral(referral) == before
        assert_quiet(harness)


def test_a_column_that_the_org_demands_gets_the_default_of_the_mapping_file(tmp_path: Path) -> None:
    path = tmp_path / "acme.toml"
    path.write_text('extends = "default"\n\n[lead]\ndefaults = { Region__c = "EMEA" }\n', "utf-8")
    for mapping in (DEFAULT, path):
        with Harness(mapping=mapping) as harness:
            let_leads_arrive(harness, Leads.LEAD)
            control(harness.salesforce, "field", sobject="Lead", xml=REGION)
            control(harness.salesforce, "required", sobject="Lead", field="Region__c")
            harness.pull_event(customer_asks(harness))
            inbox = harness.salesforce.records("Cosell_Inbox__c")
            regions = [lead["Region__c"] for lead in salesforce_leads(harness)]
            if mapping == path:
                assert (regions, inbox) == (["EMEA"], [])
            else:
                assert regions == []
                assert "under defaults in the table [lead] of the mapping file" in inbox[0]["Remedy__c"]
