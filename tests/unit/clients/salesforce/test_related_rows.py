"""An opportunity and the rows of its lists are written together, or not at all (docs/protocol.md#writing-rows)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.hooks import Lock, ValidationRule
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.records import Node, Removal, Write, Written
from shared.foundation.errors import Ambiguous, Rejected, Unavailable
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

ROLES = "(SELECT Id, ContactId, Contact.Email FROM OpportunityContactRoles)"
SOLUTIONS = "(SELECT Id, Solution__r.Solution_Id__c FROM Cosell_Solutions__r)"
FIELDS = ("Id", "NextStep", "Account.Name", ROLES, SOLUTIONS)


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(), fake, salesforce)


@pytest.fixture
def deal(org: EmulatedOrg) -> str:
    account = org.emulator.insert("Account", {"Name": "Northwind Traders"})
    values = {"Name": "ERP", "StageName": "Qualification", "CloseDate": "2026-12-31", "AccountId": account}
    return org.emulator.insert("Opportunity", values)


def call(
    org: EmulatedOrg, deal: str, *steps: Node | Removal, since: datetime | None = None, **values: object
) -> Written:
    [written] = org.salesforce.update_with_rows([Write(deal, values, since)], FIELDS, steps=steps)
    return written


def contact(name: str, number: int = 0) -> Node:
    return Node(f"contact{number}", "Contact", {"LastName": name, "Email": f"{name.lower()}@fabrikam.example"})


def role(deal: str, contact_id: str = "@{contact0.id}", number: int = 0) -> Node:
    return Node(f"role{number}", "OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact_id})


def solution_nodes(deal: str, number: int) -> list[Node]:
    key = f"SOL-{number}"
    row = {"Opportunity__c": deal, "Solution__c": f"@{{solution{number}.id}}", "Key__c": f"{deal}|{key}"}
    return [
        Node(f"solution{number}", "Cosell_Solution__c", {"Name": key, "Solution_Id__c": key}),
        Node(f"row{number}", "Cosell_Deal_Solution__c", row),
    ]


def children(written: Written, name: str) -> list[dict[str, Any]]:
    assert written.record is not None
    return list((written.record[name] or {"records": []})["records"])


def test_one_call_writes_the_deal_its_rows_and_reads_all_back(org: EmulatedOrg, deal: str) -> None:
    before = len(org.emulator.journal)
    written = call(org, deal, contact("Lind"), role(deal), NextStep="Call")
    assert len(org.emulator.journal) == before + 1
    assert written.record is not None
    assert (written.record["NextStep"], written.record["Account"]["Name"]) == ("Call", "Northwind Traders")
    assert [each["Contact"]["Email"] for each in children(written, "OpportunityContactRoles")] == [
        "lind@fabrikam.example"
    ]
    assert (written.changed, written.locked, written.refused) == (False, False, None)


def test_fifty_solutions_and_their_catalogue_are_one_call(org: EmulatedOrg, deal: str) -> None:
    before = len(org.emulator.journal)
    nodes = [node for number in range(50) for node in solution_nodes(deal, number)]
    written = call(org, deal, *nodes, NextStep="Call")
    assert len(org.emulator.journal) == before + 1
    found = {row["Solution__r"]["Solution_Id__c"] for row in children(written, "Cosell_Solutions__r")}
    assert found == {f"SOL-{number}" for number in range(50)}


def test_many_rows_are_deleted_in_one_call(org: EmulatedOrg, deal: str) -> None:
    written = call(org, deal, *(node for number in range(30) for node in solution_nodes(deal, number)))
    rows = [row["Id"] for row in children(written, "Cosell_Solutions__r")]
    removals = [Removal(f"gone{number}", "Cosell_Deal_Solution__c", row) for number, row in enumerate(rows)]
    written = call(org, deal, *removals, contact("Lind"), role(deal))
    assert children(written, "Cosell_Solutions__r") == []
    assert len(children(written, "OpportunityContactRoles")) == 1
    assert len(org.emulator.records("Cosell_Solution__c")) == 30, "the catalogue stays"


def test_a_deal_that_changed_meanwhile_takes_no_row(org: EmulatedOrg, deal: str) -> None:
    stamp = datetime.now(UTC) - timedelta(hours=1)
    written = call(org, deal, contact("Lind"), role(deal), since=stamp, NextStep="Call")
    assert (written.changed, written.record) == (True, None)
    assert org.emulator.records("Contact") == []
    assert org.emulator.record("Opportunity", deal)["NextStep"] is None


@pytest.mark.parametrize("many", [0, 30])
def test_a_row_that_salesforce_refuses_is_named_and_nothing_is_written(org: EmulatedOrg, deal: str, many: int) -> None:
    org.emulator.org.hooks.rules.append(ValidationRule("OpportunityContactRole", "ContactId", "Not so."))
    others = [contact(f"Other{number}", number) for number in range(1, many)]
    written = call(org, deal, *others, contact("Lind"), role(deal), NextStep="Call")
    assert written.refused is not None
    assert (written.step, written.refused.code) == ("role0", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert org.emulator.records("Contact") == []
    assert org.emulator.record("Opportunity", deal)["NextStep"] is None


def test_a_refused_value_of_the_deal_names_no_step(org: EmulatedOrg, deal: str) -> None:
    org.emulator.org.hooks.rules.append(ValidationRule("Opportunity", "NextStep", "Not so."))
    written = call(org, deal, contact("Lind"), role(deal), NextStep="Call")
    assert written.refused is not None
    assert written.step is None
    assert org.emulator.records("Contact") == []


@pytest.mark.parametrize("many", [0, 30])
def test_a_row_that_is_there_already_means_that_something_changed(org: EmulatedOrg, deal: str, many: int) -> None:
    call(org, deal, *solution_nodes(deal, 1))
    catalogue = org.emulator.records("Cosell_Solution__c")[0]["Id"]
    row = {"Opportunity__c": deal, "Solution__c": catalogue, "Key__c": f"{deal}|SOL-1"}
    others = [node for number in range(2, many) for node in solution_nodes(deal, number)]
    written = call(org, deal, *others, Node("row", "Cosell_Deal_Solution__c", row), NextStep="Call")
    assert (written.changed, written.step) == (True, "row")
    assert written.refused is not None
    assert org.emulator.record("Opportunity", deal)["NextStep"] is None
    assert len(org.emulator.records("Cosell_Deal_Solution__c")) == 1


@pytest.mark.parametrize("many", [0, 30])
def test_a_row_that_is_deleted_already_means_that_something_changed(org: EmulatedOrg, deal: str, many: int) -> None:
    [row] = children(call(org, deal, contact("Lind"), role(deal)), "OpportunityContactRoles")
    removal = Removal("gone", "OpportunityContactRole", row["Id"])
    assert children(call(org, deal, removal), "OpportunityContactRoles") == []
    others = [contact(f"Other{number}", number) for number in range(many)]
    assert call(org, deal, removal, *others, NextStep="Call").changed
    assert org.emulator.record("Opportunity", deal)["NextStep"] is None


def test_a_locked_deal_takes_no_row(org: EmulatedOrg, deal: str) -> None:
    org.emulator.org.hooks.locks[deal] = Lock("UNABLE_TO_LOCK_ROW", 1)
    written = call(org, deal, contact("Lind"), role(deal), NextStep="Call")
    assert (written.locked, written.record) == (True, None)
    assert org.emulator.records("Contact") == []


def test_rows_alone_do_not_write_the_deal(org: EmulatedOrg, deal: str) -> None:
    stamp = org.emulator.record("Opportunity", deal)["SystemModstamp"]
    org.emulator.clock.advance(60)
    assert len(children(call(org, deal, contact("Lind"), role(deal)), "OpportunityContactRoles")) == 1
    assert org.emulator.record("Opportunity", deal)["SystemModstamp"] == stamp


def test_an_optional_column_that_is_hidden_is_left_out_of_the_read_back(org: EmulatedOrg, deal: str) -> None:
    write, fields = Write(deal, {"NextStep": "Call"}), (*FIELDS, "Unknown__c")
    nodes = [contact("Lind"), role(deal)]
    [written] = org.salesforce.update_with_rows([write], fields, steps=nodes, optional=["Unknown__c"])
    assert written.record is not None
    assert "Unknown__c" not in written.record
    assert len(org.emulator.records("Contact")) == 1
    with pytest.raises(Rejected):
        org.salesforce.update_with_rows([write], (*FIELDS, "Other__c"), steps=[])


def test_a_lost_reply_leaves_the_outcome_unknown(org: EmulatedOrg, fake: FakeSalesforce, deal: str) -> None:
    fake.respond = _with_answer(org, lambda _: Response.of({"compositeResponse": []}))
    with pytest.raises(Ambiguous):
        call(org, deal, contact("Lind"), role(deal))


def test_a_query_that_fails_for_a_while_is_tried_again_later(org: EmulatedOrg, fake: FakeSalesforce, deal: str) -> None:
    halted = {"httpStatusCode": 400, "body": [{"errorCode": "PROCESSING_HALTED", "message": "m"}], "httpHeaders": {}}
    late = {"httpStatusCode": 500, "body": [{"errorCode": "QUERY_TIMEOUT", "message": "m"}], "httpHeaders": {}}
    answer = {"compositeResponse": [{"referenceId": "w0", **halted}, {"referenceId": "read_back", **late}]}
    fake.respond = lambda _: Response.of(answer)
    with pytest.raises(Unavailable):
        call(org, deal, NextStep="Call")


def _with_answer(org: EmulatedOrg, answer: Callable[[Response], Response]) -> Callable[[Request], Response]:
    return lambda request: answer(org.emulator.handle(request))
