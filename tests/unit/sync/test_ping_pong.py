"""A value that another automation sets back is written three times in an hour at most.

Source: docs/protocol.md#the-ping-pong-guard.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, watch_saves

TOLD = "another automation sets it back"


@pytest.fixture
def owned(tmp_path: Path) -> Iterator[Callable[[str], Harness]]:
    """Makes a harness whose notes travel in one direction only."""
    harnesses = list[Harness]()

    def make(direction: str) -> Harness:
        mapping = tmp_path / "mapping.toml"
        mapping.write_text(f'extends = "default"\nversion = 1\n[fields.notes]\ndirection = "{direction}"\n', "utf-8")
        harnesses.append(Harness(mapping=mapping))
        return harnesses[-1]

    yield make
    for harness in harnesses:
        harness.__exit__()


def set_back_for(harness: Harness, hours: int, set_back: Callable[[], object]) -> None:
    """An automation sets a value back every six minutes, and both timers run."""
    for _ in range(10 * hours):
        set_back()
        harness.push(6 * MINUTE)
        harness.sweep(0.0)


def test_a_value_of_partner_center_that_salesforces_automation_sets_back_is_parked(
    owned: Callable[[str], Harness],
) -> None:
    harness = owned("to_salesforce")
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="By a colleague.")
    harness.run_rounds(1)

    def set_back() -> None:
        if harness.opportunity(deal)["Description"] != "By a flow.":
            harness.salesforce.edit("Opportunity", deal, {"Description": "By a flow."})

    set_back_for(harness, 1, set_back)
    assert harness.opportunity(deal)["Description"] == "By a flow."
    assert harness.count_in_audit(deal, "→ By a colleague") == 3
    assert (harness.opportunity(deal)["Sync_Status__c"], harness.count_in_audit(deal, TOLD)) == ("Failed", 1)
    set_back_for(harness, 1, set_back)
    assert harness.count_in_audit(deal, "→ By a colleague") == 4, "once an hour"
    assert harness.count_in_audit(deal, TOLD) == 1
    harness.run_rounds(after=HOUR)
    assert harness.opportunity(deal)["Description"] == "By a colleague."
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_value_of_salesforce_that_a_program_in_partner_center_sets_back_is_parked(
    owned: Callable[[str], Harness],
) -> None:
    harness = owned("to_partner_center")
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    set_back_for(harness, 1, lambda: harness.colleague_edits(referral, details_notes="By a program."))
    assert harness.count_in_audit(deal, "By a program. → First call") == 3
    assert (harness.opportunity(deal)["Sync_Status__c"], harness.count_in_audit(deal, TOLD)) == ("Failed", 1)
    harness.seller_edits(deal, Description="Another word.")
    harness.run_rounds(1)
    assert harness.referral_of(deal)["details"]["notes"] == "Another word."


def test_two_automations_that_set_back_each_others_value_make_three_writes_an_hour(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.forget_calls()

    def set_back() -> None:
        harness.salesforce.edit("Opportunity", deal, {"Amount": 100})
        harness.push(90.0)
        harness.colleague_edits(referral, details_dealValue=200)

    set_back_for(harness, 1, set_back)
    there = harness.count_in_audit(deal, "To Partner Center: Amount 200.00 USD → 100.00 USD")
    here = harness.count_in_audit(deal, "From Partner Center: Amount 100.00 USD → 200.00 USD")
    assert (there <= 4, here <= 3) == (True, True)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"


def test_people_who_change_a_value_to_and_fro_are_not_stopped(harness: Harness) -> None:
    deal = harness.shared_deal()
    for amount in (1, 2) * 4:
        harness.seller_edits(deal, Amount=amount)
        harness.push()
        assert harness.referral_of(deal)["details"]["dealValue"] == amount
    assert harness.count_in_audit(deal, TOLD) == 0


def test_a_mark_that_a_flow_takes_off_the_name_is_written_three_times_in_an_hour(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('extends = "default"\nversion = 1\n[fields.name]\nmark = true\n', "utf-8")
    with Harness(mapping=mapping) as harness:
        deal = harness.shared_deal()
        saves = watch_saves(harness)
        set_back_for(harness, 1, lambda: harness.salesforce.edit("Opportunity", deal, {"Name": "ERP renewal"}))
        assert len([fields for fields in saves if fields == {"Name"}]) - 10 <= 3
        assert [one["code"] for one in harness.first.log.fields_of("name_mark_refused")] == ["ping_pong"]


def test_a_list_that_a_program_shortens_each_time_is_parked(owned: Callable[[str], Harness]) -> None:
    harness = owned("both")
    deal = harness.shared_deal(Products__c="SOL-10001;SOL-10002")
    referral = harness.referral_of(deal)["id"]
    left = [{"id": "SOL-10001", "type": "Name", "name": "SOL-10001"}]

    def set_back() -> None:
        harness.colleague_edits(referral, details_requirements_solutions=left)
        harness.seller_edits(deal, Products__c="SOL-10001;SOL-10002")

    set_back_for(harness, 1, set_back)
    assert harness.count_in_audit(deal, "→ SOL-10001, SOL-10002.") == 3
    assert (harness.opportunity(deal)["Sync_Status__c"], harness.count_in_audit(deal, TOLD)) == ("Failed", 1)


def test_a_column_of_ours_that_an_automation_clears_is_filled_in_three_times_an_hour() -> None:
    with Harness() as harness:
        deal = harness.shared_deal()
        filled = 0
        for _ in range(8):
            harness.salesforce.edit("Opportunity", deal, {"Referral_Identifier__c": None})
            harness.push(6 * MINUTE)
            filled += bool(harness.opportunity(deal)["Referral_Identifier__c"])
        assert filled == 3
        told = harness.first.log.fields_of("own_column_set_back")
        assert [one["field"] for one in told] == ["Referral_Identifier__c"]
        harness.push(HOUR)
        harness.seller_edits(deal, Amount=77)
        harness.push()
        assert harness.opportunity(deal)["Referral_Identifier__c"]
