"""The org is asked about the rows of an opportunity with everything else (docs/protocol.md#what-the-org-has)."""

from dataclasses import replace

import pytest

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.org_switches import switch_team_selling
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_shape import ask_shape
from shared.domain.org_shape import OrgQuestion, OrgShape
from shared.mapping.validation import load_mapping
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce
from tests.unit.emulated_rights import rights_without

OURS = load_mapping()[0].question.ours
SOLUTION, MEMBER = "Cosell_Deal_Solution__c.Solution__c", "OpportunityTeamMember.UserId"
OF_CATALOGUE = "Cosell_Deal_Solution__c.Solution__r.Solution_Id__c"
ROWS = (SOLUTION, OF_CATALOGUE, "Cosell_Solution__c.Active__c", MEMBER, "OpportunityContactRole.Role", "Lead.Company")


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(), fake, salesforce)


def ask(org: EmulatedOrg, *paths: str) -> OrgShape:
    return ask_shape(org.salesforce, OrgQuestion(OURS, frozenset(paths)))


def test_an_org_with_the_package_and_team_selling_has_all_rows(org: EmulatedOrg) -> None:
    switch_team_selling(org.emulator.org, on=True)
    shape = ask(org, *ROWS)
    assert shape.has(*ROWS)
    assert len(org.emulator.journal) == 1, "all objects are described in one call"


def test_an_object_that_the_org_lacks_is_no_error(org: EmulatedOrg) -> None:
    shape = ask(org, "Amount", *ROWS)
    assert not shape.has(MEMBER)
    assert shape.column(MEMBER) is None
    assert shape.has(SOLUTION, OF_CATALOGUE, "Amount")
    assert shape.missing == ()
    assert len(org.emulator.journal) == 1


def test_an_org_with_an_earlier_package_has_no_solutions(fake: FakeSalesforce, salesforce: SalesforceClient) -> None:
    bare = EmulatedOrg(SalesforceEmulator(bare=True), fake, salesforce)
    shape = ask(bare, *ROWS)
    assert [path for path in ROWS if shape.has(path)] == ["OpportunityContactRole.Role", "Lead.Company"]


def test_an_object_or_a_column_that_the_user_may_not_see_is_absent(org: EmulatedOrg) -> None:
    rights = rights_without(org.emulator.org.model, objects=["Cosell_Solution__c"])
    org.emulator.org.rights_of = lambda _: rights
    shape = ask(org, *ROWS)
    assert (shape.has(SOLUTION), shape.has(OF_CATALOGUE), shape.has("Cosell_Solution__c.Active__c")) == (
        True, False, False,
    )  # fmt: skip


def test_a_path_is_known_by_the_spelling_of_the_org(org: EmulatedOrg) -> None:
    shape = ask(org, "cosell_deal_SOLUTION__c.solution__R.solution_id__C")
    assert [column.path for column in shape.columns.values()] == [OF_CATALOGUE]
    assert shape.has(OF_CATALOGUE.upper())


def test_a_column_of_rows_that_nobody_asked_about_is_not_there(org: EmulatedOrg) -> None:
    shape = ask(org, SOLUTION)
    assert not shape.has(SOLUTION, "Cosell_Deal_Solution__c.Key__c")


def test_what_the_user_may_do_with_a_column_of_rows_is_known(org: EmulatedOrg) -> None:
    fields = org.emulator.org.model.get("Cosell_Deal_Solution__c").fields
    fields["key__c"] = replace(fields["key__c"], writable=False)
    column = ask(org, "Cosell_Deal_Solution__c.Key__c", "Cosell_Deal_Solution__c.Opportunity__c").columns
    key, deal = column["cosell_deal_solution__c.key__c"], column["cosell_deal_solution__c.opportunity__c"]
    assert (key.createable, key.updateable) == (False, False)
    assert (deal.createable, deal.updateable) == (True, False)
