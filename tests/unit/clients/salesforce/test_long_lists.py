"""A related list that Salesforce returns in pages is read whole (docs/reference/salesforce.md#query-pages)."""

import pytest

from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.records import Json, Node, Write
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce
from tests.unit.emulators.salesforce.control_calls import control

FIELDS = ("Id", "NextStep", "(SELECT Id, Solution__r.Solution_Id__c FROM Cosell_Solutions__r)")
NUMBERS = range(7)


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    """An org whose lists come in pages of three records."""
    org = EmulatedOrg(SalesforceEmulator(), fake, salesforce)
    control(org.emulator, "short_pages", rows=0, lists=3)
    return org


@pytest.fixture
def deal(org: EmulatedOrg) -> str:
    """A deal with seven solutions."""
    values = {"Name": "ERP", "StageName": "Qualification", "CloseDate": "2026-12-31"}
    deal = org.emulator.insert("Opportunity", values)
    for number in NUMBERS:
        solution = org.emulator.insert("Cosell_Solution__c", {"Solution_Id__c": f"SOL-{number}"})
        org.emulator.insert("Cosell_Deal_Solution__c", {"Opportunity__c": deal, "Solution__c": solution})
    return deal


def solutions_in(record: Json) -> list[str]:
    return [each["Solution__r"]["Solution_Id__c"] for each in record["Cosell_Solutions__r"]["records"]]


def test_a_deal_is_read_with_all_its_solutions(org: EmulatedOrg, deal: str) -> None:
    [page] = org.salesforce.opportunities([deal], FIELDS).pages
    assert solutions_in(page.records[0]) == [f"SOL-{number}" for number in NUMBERS]


def test_a_write_reads_all_solutions_back(org: EmulatedOrg, deal: str) -> None:
    values = {"Opportunity__c": deal, "Solution__r": {"Solution_Id__c": "SOL-0"}, "Key__c": "k"}
    steps = [Node("row", "Cosell_Deal_Solution__c", values)]
    [written] = org.salesforce.update_with_rows([Write(deal, {"NextStep": "x"})], FIELDS, steps=steps)
    assert written.record is not None
    assert solutions_in(written.record) == [*(f"SOL-{number}" for number in NUMBERS), "SOL-0"]
