"""A path of which Partner Center takes no change is tried once for the tenant; each edit of its field is told.

Source: docs/protocol.md#fixed-paths.
"""

from collections.abc import Iterator
from copy import replace
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.store.rows import Row
from shared.store.stored_values import KnownPath
from tests.unit.sync.crash_points import BEFORE_FIRST_CALL, crash_instance_at, crash_points
from tests.unit.sync.harness import HOUR, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease

ONLY_AT_CREATION = 'extends = "default"\n[fields.name]\nwhen = ["create"]\n'
TOLD = 'Opportunity Name "{}" was not sent: Partner Center takes no change of it from here, and keeps "{}".'


def known_paths(harness: Harness) -> dict[str, bool]:
    """Which paths are remembered, and whether Partner Center takes changes of them."""
    state = harness.store.side_state(Side.PARTNER_CENTER, fresh=True)
    return {path: known.is_taken for path, known in state.paths.items()}


def allow_names(harness: Harness) -> None:
    """From now on, Partner Center takes a new name."""
    harness.partner_center.switches.extra_paths = ("/name",)


def test_the_first_edit_that_is_refused_is_told_and_remembered_and_not_failed(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push()
    assert harness.new_calls()["partner_center.patch"] == 2  # the edit, and as a proof the name as it was
    record = harness.opportunity(deal)
    assert record["Sync_Status__c"] == "Synced with differences"
    assert harness.count_in_audit(deal, TOLD.format("ERP renewal, phase 2", "ERP renewal")) == 1
    assert known_paths(harness) == {"/name": False}
    assert harness.first.log.fields_of("path_refused")[0]["paths"] == ["/name"]
    assert not harness.first.log.fields_of("pair_parked")
    assert_quiet(harness)


def test_an_edit_with_others_is_sent_singly_first_so_that_the_others_travel(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2", Amount=12000)
    harness.push()
    assert harness.new_calls()["partner_center.patch"] == 4  # both, each alone, and the proof
    referral = harness.referral_of(deal)
    assert (referral["name"], referral["details"]["dealValue"]) == ("ERP renewal", 12000)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_an_edit_with_a_win_lets_the_other_values_travel_before_the_deal_ends(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.advance_time(HOUR)
    harness.seller_edits(deal, Name="ERP renewal, phase 2", Amount=12000)
    harness.push()
    referral = harness.referral_of(deal)
    assert (referral["status"], referral["details"]["dealValue"]) == ("Closed", 12000)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert known_paths(harness) == {"/name": False}
    assert_quiet(harness)


def test_each_further_edit_is_told_once_and_never_sent(harness: Harness) -> None:
    first, second = harness.shared_deal(), harness.shared_deal(Name="A second deal")
    harness.seller_edits(first, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    harness.seller_edits(first, Name="ERP renewal, phase 3")
    harness.seller_edits(second, Name="Second deal, renamed", Amount=777)
    harness.run_rounds()
    assert harness.new_calls()["partner_center.patch"] == 1  # the amount
    assert harness.count_in_audit(first, TOLD.format("ERP renewal, phase 3", "ERP renewal")) == 1
    assert harness.count_in_audit(second, TOLD.format("Second deal, renamed", "A second deal")) == 1
    assert harness.referral_of(second)["details"]["dealValue"] == 777
    assert_quiet(harness)


def test_many_edits_in_one_run_meet_one_refusal(harness: Harness) -> None:
    deals = [harness.shared_deal(Name=f"Deal {number}") for number in range(5)]
    for deal in deals:
        harness.seller_edits(deal, Name=f"New name of {deal}")
    harness.push()
    assert harness.new_calls()["partner_center.patch"] == 2
    assert {harness.opportunity(deal)["Sync_Status__c"] for deal in deals} == {"Synced with differences"}


def test_a_name_that_is_changed_back_is_no_difference(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    harness.seller_edits(deal, Name="ERP renewal")
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.new_calls()["partner_center.patch"] == 0
    assert_quiet(harness)


def test_a_name_that_a_colleague_changes_by_hand_too_is_no_difference(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    harness.colleague_edits(harness.referral_of(deal)["id"], name="ERP renewal, phase 2")
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_colleagues_later_name_replaces_an_edit_that_cannot_be_sent(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    harness.colleague_edits(harness.referral_of(deal)["id"], name="ERP, the whole of it")
    harness.run_rounds()
    assert harness.opportunity(deal)["Name"] == "ERP, the whole of it"
    assert harness.count_in_audit(deal, "Kept: ERP, the whole of it. Discarded: ERP renewal, phase 2.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_name_that_is_changed_in_partner_center_arrives(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], name="ERP renewal (Q4)")
    harness.run_rounds()
    assert harness.opportunity(deal)["Name"] == "ERP renewal (Q4)"
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_a_name_travels_where_partner_center_takes_it_and_a_refused_value_parks_its_deal_only(harness: Harness) -> None:
    allow_names(harness)
    first, second = harness.shared_deal(), harness.shared_deal(Name="A second deal")
    harness.seller_edits(first, Name="ERP renewal, phase 2")
    harness.push()
    assert harness.referral_of(first)["name"] == "ERP renewal, phase 2"
    assert harness.opportunity(first)["Sync_Status__c"] == "Synced"
    assert known_paths(harness) == {"/name": True}
    body = '{"error": {"code": "invalidRequest", "message": "No such name.", "target": "/name"}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=400, body=body))
    harness.seller_edits(second, Name="A bad name")
    harness.push()
    assert harness.opportunity(second)["Sync_Status__c"] == "Failed"
    assert known_paths(harness) == {"/name": True}


def test_another_release_tries_again(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    allow_names(harness)
    harness.policy = replace(harness.policy, release="99.0.0")
    harness.seller_edits(deal, Amount=12000)
    harness.run_rounds()
    assert harness.referral_of(deal)["name"] == "ERP renewal, phase 2"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    state = harness.store.side_state(Side.PARTNER_CENTER, fresh=True)
    assert state.paths == {"/name": KnownPath("99.0.0", is_taken=True)}
    assert_quiet(harness)


def test_another_release_that_is_refused_again_tells_nothing_twice(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    harness.policy = replace(harness.policy, release="99.0.0")
    harness.seller_edits(deal, Amount=12000)
    harness.run_rounds()
    assert harness.count_in_audit(deal, TOLD.format("ERP renewal, phase 2", "ERP renewal")) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    state = harness.store.side_state(Side.PARTNER_CENTER, fresh=True)
    assert state.paths == {"/name": KnownPath("99.0.0", is_taken=False)}
    assert_quiet(harness)


def test_what_is_known_costs_no_table_read_of_its_own(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = harness.shared_deal(), harness.shared_deal(Name="A second deal")
    harness.seller_edits(first, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    scans: list[str] = []
    scan = harness.rows.scan

    def counted(*given: str) -> Iterator[Row]:
        scans.append(given[0])
        return scan(*given)

    monkeypatch.setattr(harness.rows, "scan", counted)
    harness.seller_edits(first, Amount=12000)
    harness.push()
    before = len(scans)
    harness.seller_edits(second, Name="Second deal, renamed")
    harness.push()
    assert len(scans) - before == before
    assert harness.count_in_audit(second, "was not sent: Partner Center takes no change") == 1


def test_a_pause_and_its_end_keep_what_was_learned(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=429))
    harness.seller_edits(deal, Amount=12000)
    for _ in range(12):
        harness.push(HOUR)
    assert known_paths(harness) == {"/name": False}
    writes = harness.first.process.calls.count("store.write_side_state")
    harness.push()
    assert harness.first.process.calls.count("store.write_side_state") == writes


REFUSED = '{{"error": {{"code": "invalidRequest", "message": "Not so.", "target": "{}"}}}}'


@pytest.mark.parametrize("target", ["/details/closingDateTime", "closingDateTime", "details.dealValue"])
def test_a_refusal_that_names_another_part_of_the_referral_teaches_nothing(harness: Harness, target: str) -> None:
    allow_names(harness)
    first, second = harness.shared_deal(), harness.shared_deal(Name="A second deal")
    refusal = Fault(FaultKind.ANSWER, method="PATCH", status=400, body=REFUSED.format(target))
    harness.inject_fault(Side.PARTNER_CENTER, refusal)
    harness.seller_edits(first, Name="ERP renewal, phase 2")
    harness.push()
    assert known_paths(harness) == {}
    assert harness.opportunity(first)["Sync_Status__c"] == "Failed"
    harness.seller_edits(second, Name="Second deal, renamed")
    harness.push()
    assert harness.referral_of(second)["name"] == "Second deal, renamed"


@pytest.mark.parametrize("target", ["/name", "Name", "", "operations[0]"])
def test_a_refused_value_of_a_path_that_can_be_changed_is_parked_and_fixes_nothing(
    harness: Harness, target: str
) -> None:
    allow_names(harness)
    first, second = harness.shared_deal(), harness.shared_deal(Name="A second deal")
    refusal = Fault(FaultKind.ANSWER, method="PATCH", status=400, body=REFUSED.format(target), sent="phase 2", times=9)
    harness.inject_fault(Side.PARTNER_CENTER, refusal)
    harness.seller_edits(first, Name="ERP renewal, phase 2", Amount=12000)
    harness.push()
    assert known_paths(harness) == {"/name": True}
    assert harness.opportunity(first)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(first, "Partner Center refused it and keeps") == 1
    harness.seller_edits(second, Name="Second deal, renamed")
    harness.run_rounds()
    assert harness.referral_of(second)["name"] == "Second deal, renamed"
    assert harness.referral_of(first)["details"]["dealValue"] == 12000
    harness.seller_edits(first, Name="ERP renewal, phase two")
    harness.run_rounds()
    assert harness.referral_of(first)["name"] == "ERP renewal, phase two"
    assert harness.opportunity(first)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_referral_that_is_gone_teaches_nothing(harness: Harness) -> None:
    deal = harness.shared_deal()
    body = '{"error": {"code": "gone", "message": "The referral was removed."}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=410, body=body))
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push()
    assert known_paths(harness) == {}
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"


def test_an_edit_on_record_costs_an_edit_of_another_field_no_read(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2")
    harness.push_until_quiet()
    harness.seller_edits(deal, Amount=12000)
    harness.push()
    calls = harness.new_calls()
    assert (calls["partner_center.get"], calls["partner_center.patch"]) == (0, 1)


def test_a_deal_whose_names_differ_when_the_field_begins_to_travel_is_left_alone_and_told(tmp_path: Path) -> None:
    path = tmp_path / "names.toml"
    path.write_text(ONLY_AT_CREATION, "utf-8")
    with Harness(mapping=path) as before, Harness() as now:
        deal = before.shared_deal()
        before.seller_edits(deal, Name="ERP renewal, phase 2")
        before.push_until_quiet()
        assert before.count_in_audit(deal, "it travels only at creation") == 1
        before.translation = now.translation
        before.seller_edits(deal, Amount=12000)
        before.run_rounds()
        assert before.opportunity(deal)["Name"] == "ERP renewal, phase 2"
        assert before.referral_of(deal)["name"] == "ERP renewal"
        assert before.count_in_audit(deal, TOLD.format("ERP renewal, phase 2", "ERP renewal")) == 1
        assert_quiet(before)
        before.colleague_edits(before.referral_of(deal)["id"], name="A colleague's")
        before.run_rounds()
        assert before.opportunity(deal)["Name"] == "A colleague's"
        assert_quiet(before)


def test_a_colleagues_name_that_an_earlier_mapping_only_told_arrives_once_the_field_travels(tmp_path: Path) -> None:
    path = tmp_path / "names.toml"
    path.write_text(ONLY_AT_CREATION, "utf-8")
    with Harness(mapping=path) as before, Harness() as now:
        deal = before.shared_deal()
        referral = before.referral_of(deal)["id"]
        before.colleague_edits(referral, name="ERP, the whole of it")
        before.run_rounds()
        assert before.count_in_audit(deal, 'Salesforce keeps "ERP renewal".') == 1
        before.translation = now.translation
        before.colleague_edits(referral, details_dealValue=5)
        before.run_rounds()
        assert before.opportunity(deal)["Name"] == "ERP, the whole of it"
        assert before.opportunity(deal)["Sync_Status__c"] == "Synced"
        assert before.count_in_audit(deal, "was changed on both sides") == 0
        assert_quiet(before)


def renamed_deal(harness: Harness) -> str:
    """A deal whose seller has changed name and amount, which no run has seen yet."""
    deal = harness.shared_deal()
    harness.seller_edits(deal, Name="ERP renewal, phase 2", Amount=12000)
    return deal


def test_a_crash_at_any_call_tells_the_refusal_once() -> None:
    points, _ = crash_points(renamed_deal, lambda instance: instance.push(MINUTE))
    assert points[0] == BEFORE_FIRST_CALL
    for number in points:
        with Harness() as harness:
            deal = renamed_deal(harness)
            crashing = harness.new_instance()
            crash_instance_at(crashing, number)
            assert crashing.crashes_during(Instance.push)
            recover_after_lease(harness)
            assert harness.count_in_audit(deal, TOLD.format("ERP renewal, phase 2", "ERP renewal")) == 1, number
            assert harness.referral_of(deal)["details"]["dealValue"] == 12000, number
            assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences", number
            assert_quiet(harness)
