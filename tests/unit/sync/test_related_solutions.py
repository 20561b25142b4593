"""Solutions that Partner Center adds or removes are written as rows (docs/protocol.md#writing-rows)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from emulators.salesforce.data.hooks import Flow, ValidationRule
from emulators.salesforce.data.permissions import ObjectRights
from shared.domain.deal import Side
from tests.unit.emulated_rights import rights_without
from tests.unit.sync.deal_columns import column
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import accepted_deal, assert_quiet, microsoft_sends_deal, opportunity_of
from tests.unit.sync.solution_rows import (
    CATALOGUE,
    ROWS,
    colleague_lists,
    deal_with,
    ids_in_partner_center,
    ids_in_salesforce,
    list_solution,
    reading_rows,
    rows_of,
    seller_adds,
    touch,
)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Harness]:
    with reading_rows(tmp_path) as harness:
        yield harness


def test_a_solution_that_a_colleague_adds_becomes_a_row_of_the_deal(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    listed = list_solution(rows, "SOL-2", Name="Ours")
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", "SOL-2"))
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert rows.salesforce.record(CATALOGUE, listed)["Name"] == "Ours", "the catalogue stays as it is"
    added = next(row for row in rows_of(rows, deal) if row["Solution__c"] == listed)
    assert added["Key__c"] == f"{deal}|SOL-2"
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert rows.opportunity(deal)["Products__c"] == "SOL-1;SOL-2"
    assert rows.count_in_audit(deal, "SOL-1, SOL-2") == 1
    assert_quiet(rows)
    assert ids_in_partner_center(rows, deal) == ["SOL-1", "SOL-2"]


def test_a_solution_that_the_catalogue_lacks_is_added_to_it_as_the_referral_names_it(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", "SOL-9", publisherName="Contoso", solutionType="1P"))
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-9"]
    record = next(each for each in rows.salesforce.records(CATALOGUE) if each["Solution_Id__c"] == "SOL-9")
    assert (record["Name"], record["Publisher__c"], record["Solution_Type__c"]) == ("SOL-9 of Contoso", "Contoso", "1P")
    assert (record["Active__c"], record["Co_sell_Ready__c"]) == (True, True)
    assert_quiet(rows)


def test_a_solution_that_a_colleague_removes_loses_its_row_and_stays_in_the_catalogue(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1", "SOL-2")
    rows.pull_event(colleague_lists(rows, deal, "SOL-2"))
    assert ids_in_salesforce(rows, deal) == ["SOL-2"]
    assert len(rows.salesforce.records(CATALOGUE)) == 2
    assert_quiet(rows)


def test_a_solution_that_was_removed_can_be_added_again(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1", "SOL-2")
    rows.pull_event(colleague_lists(rows, deal, "SOL-1"))
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", "SOL-2"))
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert_quiet(rows)


def test_all_rows_of_a_removed_solution_go(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1", "SOL-2", "SOL-1")
    rows.pull_event(colleague_lists(rows, deal, "SOL-2"))
    assert ids_in_salesforce(rows, deal) == ["SOL-2"]
    assert_quiet(rows)


def test_both_sides_add_and_remove_at_the_same_time(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1", "SOL-2")
    referral = colleague_lists(rows, deal, "SOL-2", "SOL-3")
    seller_adds(rows, deal, "SOL-4")
    rows.pull_event(referral)
    rows.push()
    assert ids_in_salesforce(rows, deal) == ["SOL-2", "SOL-3", "SOL-4"]
    assert ids_in_partner_center(rows, deal) == ["SOL-2", "SOL-3", "SOL-4"]
    assert_quiet(rows)


def test_a_pull_that_adds_a_row_is_one_get_one_query_one_look_up_and_one_write(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    referral = colleague_lists(rows, deal, "SOL-1", "SOL-2")
    rows.forget_calls()
    rows.pull_event(referral)
    calls = rows.new_calls()
    assert calls == {"partner_center.get": 1, "salesforce.query": 2, "salesforce.conditional": 1}


def test_a_pull_without_a_change_of_the_list_costs_what_it_cost(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    referral = rows.referral_of(deal)["id"]
    rows.colleague_edits(referral, details_notes="Called.")
    rows.forget_calls()
    rows.pull_event(referral)
    assert rows.new_calls() == {"partner_center.get": 1, "salesforce.query": 1, "salesforce.conditional": 1}


def test_fifty_solutions_that_the_catalogue_lacks_are_one_write(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    referral = colleague_lists(rows, deal, *(f"SOL-{number}" for number in range(1, 51)))
    rows.forget_calls()
    rows.pull_event(referral)
    assert rows.new_calls()["salesforce.conditional"] == 1
    assert len(rows_of(rows, deal)) == 50
    assert_quiet(rows)


def test_a_row_that_salesforce_refuses_stops_no_other_value_and_is_tried_again(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    rows.salesforce.org.hooks.rules.append(
        ValidationRule(CATALOGUE, "Solution_Id__c", "No such solution", value="SOL-2")
    )
    referral = colleague_lists(rows, deal, "SOL-1", "SOL-2", "SOL-3")
    rows.colleague_edits(referral, details_notes="Called again.")
    rows.pull_event(referral)
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-3"]
    assert rows.opportunity(deal)["Description"] == "Called again."
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert rows.count_in_audit(deal, "Salesforce does not take SOL-2: No such solution.") == 1
    rows.push_until_quiet()
    rows.push(HOUR)
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-3"]
    assert rows.count_in_audit(deal, "Salesforce does not take SOL-2: No such solution.") == 1
    assert ids_in_partner_center(rows, deal) == ["SOL-1", "SOL-2", "SOL-3"]
    rows.clear_faults()
    rows.push(HOUR)
    rows.push(HOUR)
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2", "SOL-3"]
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(rows)


def test_rows_that_salesforce_refuses_are_told_once_each_however_often_they_are_tried(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    rows.salesforce.org.hooks.rules.append(ValidationRule(ROWS, "Solution__c", "No rows."))
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", *(f"SOL-{number}" for number in range(2, 9))))
    told = "\n".join(rows.audit_texts(deal))
    assert [told.count(f"SOL-{number}") for number in range(2, 9)] == [1] * 7
    rows.push_until_quiet()
    for _ in range(2):
        rows.forget_calls()
        rows.push(HOUR)
        assert "salesforce.write_back" not in rows.new_calls()
    assert "\n".join(rows.audit_texts(deal)) == told
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(rows)


def test_several_refused_rows_stop_none_that_salesforce_takes(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    refused = [f"SOL-{number}" for number in range(20, 25)]
    rows.salesforce.org.hooks.rules += [
        ValidationRule(CATALOGUE, "Solution_Id__c", "No.", value=one) for one in refused
    ]
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", *refused, "SOL-3"))
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-3"]
    assert rows.count_in_audit(deal, "does not take SOL-3") == 0
    assert_quiet(rows)


def test_a_refused_value_of_the_deal_stops_no_row(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    rows.refuse_writes_of("Description")
    referral = colleague_lists(rows, deal, "SOL-1", "SOL-2")
    rows.colleague_edits(referral, details_notes="Called again.")
    rows.pull_event(referral)
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert rows.opportunity(deal)["Sync_Status__c"] == "Failed"
    rows.clear_faults()
    rows.push(HOUR)
    rows.push(HOUR)
    assert rows.opportunity(deal)["Description"] == "Called again."
    assert_quiet(rows)


def test_a_locked_row_is_deleted_later(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1", "SOL-2")
    row = next(row["Id"] for row in rows_of(rows, deal))
    rows.lock_record(row, times=1)
    rows.pull_event(colleague_lists(rows, deal, "SOL-2"))
    assert len(ids_in_salesforce(rows, deal)) == 2
    rows.run_rounds()
    assert ids_in_salesforce(rows, deal) == ["SOL-2"]
    assert_quiet(rows)


def test_a_row_that_the_user_may_not_delete_is_told_and_stops_no_other_value(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1", "SOL-2")
    org, user = rows.salesforce.org, rows.sign_in.user
    rights, all_rights = rights_without(org.model), org.rights_of
    kept = {**rights.objects, ROWS.lower(): ObjectRights(read=True, create=True, edit=True)}
    org.rights_of = lambda name: replace(rights, objects=kept) if name == user else None
    referral = colleague_lists(rows, deal, "SOL-2")
    rows.colleague_edits(referral, details_notes="Called again.")
    rows.pull_event(referral)
    rows.push_until_quiet()
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert rows.opportunity(deal)["Description"] == "Called again."
    assert rows.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert rows.count_in_audit(deal, "entity type cannot be deleted") == 1
    assert ids_in_partner_center(rows, deal) == ["SOL-2"], "nothing is put back"
    org.rights_of = all_rights
    rows.push(HOUR)
    rows.push(HOUR)
    assert ids_in_salesforce(rows, deal) == ["SOL-2"]
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(rows)


def test_a_locked_deal_gets_its_row_later(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    rows.lock_record(deal)
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", "SOL-2"))
    assert ids_in_salesforce(rows, deal) == ["SOL-1"]
    assert rows.retry_entries(Side.PARTNER_CENTER)
    rows.run_rounds()
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert_quiet(rows)


def test_a_row_that_a_seller_adds_meanwhile_is_not_doubled(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    list_solution(rows, "SOL-2")
    referral = colleague_lists(rows, deal, "SOL-1", "SOL-2")
    worker = rows.new_instance()
    keyed = {"Opportunity__c": deal, "Solution__c": list_solution(rows, "SOL-2"), "Key__c": f"{deal}|SOL-2"}
    worker.process.interrupt_at("salesforce.update_with_rows", lambda: rows.salesforce.insert(ROWS, keyed))
    worker.pull_event(referral)
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert_quiet(rows)


def test_a_solution_whose_row_a_seller_gave_another_solution_can_be_added_again(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", "SOL-2"))
    [row] = [row["Id"] for row in rows_of(rows, deal) if row["Key__c"] == f"{deal}|SOL-2"]
    rows.salesforce.edit(ROWS, row, {"Solution__c": list_solution(rows, "SOL-3")})
    touch(rows, deal)
    rows.push()
    assert ids_in_partner_center(rows, deal) == ["SOL-1", "SOL-3"]
    rows.pull_event(colleague_lists(rows, deal, "SOL-1", "SOL-2", "SOL-3"))
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2", "SOL-3"]
    assert_quiet(rows)


def test_a_row_that_doubles_a_unique_value_of_the_org_is_told_and_stops_no_other_value(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    rows.salesforce.make_field(ROWS, column("Contract__c", extra="<length>80</length><unique>true</unique>"))
    rows.salesforce.org.hooks.flows.append(Flow(ROWS, {"Contract__c": "4711"}))
    referral = colleague_lists(rows, deal, "SOL-1", "SOL-2", "SOL-3")
    rows.colleague_edits(referral, details_notes="Called again.")
    rows.pull_event(referral)
    assert rows.opportunity(deal)["Description"] == "Called again."
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert rows.count_in_audit(deal, "Salesforce does not take SOL-3: duplicate value found") == 1
    assert_quiet(rows)


def test_a_solution_whose_record_is_deleted_meanwhile_gets_another_one(rows: Harness) -> None:
    deal = deal_with(rows, "SOL-1")
    listed = list_solution(rows, "SOL-2")
    referral = colleague_lists(rows, deal, "SOL-1", "SOL-2")
    worker = rows.new_instance()
    worker.process.interrupt_at("salesforce.update_with_rows", lambda: rows.salesforce.delete(CATALOGUE, listed))
    worker.pull_event(referral)
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert rows.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert rows.count_in_audit(deal, "deleted") == 0
    assert_quiet(rows)


def test_a_deal_that_arrives_has_its_solutions_in_rows_at_once(rows: Harness) -> None:
    list_solution(rows, "SOL-1")
    referral = microsoft_sends_deal(rows)
    rows.forget_calls()
    rows.pull_event(referral)
    calls = rows.new_calls()
    deal = opportunity_of(rows, referral)["Id"]
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert (calls["salesforce.graph"], calls["salesforce.query"], calls["partner_center.get"]) == (1, 1, 1)
    assert {row["Key__c"] for row in rows_of(rows, deal)} == {f"{deal}|SOL-1", f"{deal}|SOL-2"}
    assert_quiet(rows)


def test_a_refused_row_does_not_stop_a_deal_that_arrives(rows: Harness) -> None:
    rows.salesforce.org.hooks.rules.append(
        ValidationRule(CATALOGUE, "Solution_Id__c", "No such solution", value="SOL-2")
    )
    referral, deal = accepted_deal(rows)
    assert ids_in_salesforce(rows, deal) == ["SOL-1"]
    assert rows.count_in_audit(deal, "Salesforce does not take SOL-2: No such solution.") == 1
    rows.clear_faults()
    rows.push(HOUR)
    rows.push(HOUR)
    assert ids_in_salesforce(rows, deal) == ["SOL-1", "SOL-2"]
    assert_quiet(rows)
    assert rows.partner_center.referral(referral)["status"] == "Active"
