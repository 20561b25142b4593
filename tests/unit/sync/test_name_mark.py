"""A mark in front of the name shows how the sync stands, where the mapping file asks for it. It is no part of a name.

Source: docs/protocol.md#the-mark-in-the-name.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.salesforce.data.hooks import ValidationRule
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import accepted_deal, assert_quiet, recover_after_lease, watch_saves

MARKED = 'extends = "default"\n[fields.name]\nmark = true\n'


@pytest.fixture(scope="module")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mapping file that asks for the mark."""
    path = tmp_path_factory.mktemp("mapping") / "marked.toml"
    path.write_text(MARKED, "utf-8")
    return path


@pytest.fixture
def marked(mapping: Path) -> Iterator[Harness]:
    """A harness whose names are marked, and whose Partner Center takes new names."""
    with Harness(mapping=mapping) as harness:
        harness.partner_center.switches.extra_paths = ("/name",)
        yield harness


def name_of(harness: Harness, deal: str) -> str:
    return str(harness.opportunity(deal)["Name"])


# --- off


@pytest.mark.parametrize("sign", ["✓", "✔", "✘", "⚠\ufe0f"])
def test_a_mark_in_a_name_is_never_sent_or_taken_for_an_edit(harness: Harness, sign: str) -> None:
    deal = harness.shared_deal(Name=f"{sign} ERP renewal")
    assert harness.referral_of(deal)["name"] == "ERP renewal"
    harness.seller_edits(deal, Name="✓ ERP renewal")
    harness.seller_edits(deal, Amount=12000)
    harness.push()
    assert harness.new_calls()["partner_center.patch"] == 1
    record = harness.opportunity(deal)
    assert (record["Name"], record["Sync_Status__c"]) == ("✓ ERP renewal", "Synced")
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_without_the_setting_no_name_is_written(harness: Harness) -> None:
    deal = harness.shared_deal()
    saves = watch_saves(harness)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=5)
    harness.run_rounds()
    assert saves
    assert not any("Name" in written for written in saves)
    assert name_of(harness, deal) == "ERP renewal"


# --- on


def test_a_deal_has_a_tick_in_front_of_its_name_and_partner_center_has_none(marked: Harness) -> None:
    deal = marked.shared_deal()
    assert name_of(marked, deal) == "✔ ERP renewal"
    assert marked.referral_of(deal)["name"] == "ERP renewal"
    assert marked.differences(deal) == []
    assert_quiet(marked)


def test_the_mark_costs_one_more_composite_and_none_once_it_is_shown(marked: Harness) -> None:
    deals = [marked.seller_creates(Name=f"Deal {number}") for number in range(5)]
    marked.advance_time(HOUR)
    marked.forget_calls()
    marked.push()
    with_mark = marked.new_calls()
    assert {name_of(marked, deal)[0] for deal in deals} == {"✔"}
    with Harness() as unmarked:
        for number in range(5):
            unmarked.seller_creates(Name=f"Deal {number}")
        unmarked.advance_time(HOUR)
        unmarked.forget_calls()
        unmarked.push()
        assert (with_mark - unmarked.new_calls()).total() == 1
    marked.push_until_quiet()
    marked.advance_time(HOUR)
    marked.forget_calls()
    marked.seller_edits(deals[0], Amount=777)
    marked.push()
    assert marked.new_calls()["salesforce.conditional"] == 0


def test_a_mark_that_a_seller_removes_costs_one_call_and_is_no_edit(marked: Harness) -> None:
    deal = marked.shared_deal()
    marked.advance_time(HOUR)
    marked.push_until_quiet()
    marked.seller_edits(deal, Name="ERP renewal")
    marked.advance_time(HOUR)
    marked.push()
    assert marked.new_calls() == {"salesforce.query": 2, "salesforce.conditional": 1}
    assert name_of(marked, deal) == "✔ ERP renewal"
    assert marked.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_held_deal_has_a_cross_and_a_difference_a_warning_sign(marked: Harness) -> None:
    held = marked.seller_creates(Products__c=None)
    marked.run_rounds()
    assert name_of(marked, held) == "✘ ERP renewal"
    marked.partner_center.switches.extra_paths = ()
    deal = marked.shared_deal(Name="Second deal")
    marked.seller_edits(deal, Name="✔ Second deal, renamed")
    marked.run_rounds()
    assert name_of(marked, deal) == "⚠ Second deal, renamed"
    assert_quiet(marked)


def test_a_close_that_waits_has_no_mark_and_its_end_has_one(marked: Harness) -> None:
    deal = marked.shared_deal()
    marked.advance_time(HOUR)
    marked.seller_edits(deal, StageName="Closed Won")
    marked.advance_time(5)
    marked.push()
    assert name_of(marked, deal) == "ERP renewal"
    marked.run_rounds()
    assert name_of(marked, deal) == "✔ ERP renewal"
    assert_quiet(marked)


def test_a_sellers_new_name_travels_without_its_mark(marked: Harness) -> None:
    deal = marked.shared_deal()
    marked.seller_edits(deal, Name="✔ ERP renewal, phase 2")
    marked.run_rounds()
    assert marked.referral_of(deal)["name"] == "ERP renewal, phase 2"
    marked.seller_edits(deal, Name="ERP renewal, phase 3")  # and without the mark
    marked.run_rounds()
    assert marked.referral_of(deal)["name"] == "ERP renewal, phase 3"
    assert name_of(marked, deal) == "✔ ERP renewal, phase 3"
    assert_quiet(marked)


def test_the_mark_travels_with_the_values_of_a_pull(marked: Harness) -> None:
    deal = marked.shared_deal()
    marked.advance_time(HOUR)
    marked.seller_edits(deal, Name="ERP renewal")  # the seller removes the mark, which is no edit
    marked.colleague_edits(marked.referral_of(deal)["id"], name="ERP renewal (Q4)", details_dealValue=5)
    saves = watch_saves(marked)
    marked.pull_event(marked.referral_of(deal)["id"])
    assert name_of(marked, deal) == "✔ ERP renewal (Q4)"
    assert ["Name" in written for written in saves].count(True) == 1
    marked.run_rounds()
    assert_quiet(marked)


def test_a_deal_from_microsoft_gets_its_mark_once_it_is_accepted(marked: Harness) -> None:
    referral, deal = accepted_deal(marked)
    marked.run_rounds()
    assert name_of(marked, deal) == "✔ Robots for the harbour"
    assert marked.partner_center.referral(referral)["name"] == "Robots for the harbour"
    assert_quiet(marked)


def test_a_name_without_room_for_a_mark_has_none(marked: Harness) -> None:
    deal = marked.shared_deal(Name="N" * 119)
    assert name_of(marked, deal) == "N" * 119
    marked.seller_edits(deal, Name="N" * 118)
    marked.run_rounds()
    assert name_of(marked, deal) == f"✔ {'N' * 118}"
    assert marked.referral_of(deal)["name"] == "N" * 118
    assert_quiet(marked)


def test_a_name_that_a_seller_changes_while_the_mark_is_written_is_kept(marked: Harness) -> None:
    deal = marked.seller_creates()
    marked.advance_time(HOUR)
    edit = lambda: marked.seller_edits(deal, Name="Renamed meanwhile")  # noqa: E731 - one edit at one moment
    marked.first.process.interrupt_at("salesforce.update_unmodified", edit)
    marked.push()
    assert name_of(marked, deal) == "Renamed meanwhile"
    marked.run_rounds()
    assert name_of(marked, deal) == "✔ Renamed meanwhile"
    assert marked.referral_of(deal)["name"] == "Renamed meanwhile"
    assert_quiet(marked)


def test_a_mark_that_salesforce_refuses_stops_no_value_and_is_logged(marked: Harness) -> None:
    deal = marked.shared_deal()
    marked.seller_edits(deal, Name="ERP renewal")
    marked.salesforce.org.hooks.rules.append(ValidationRule("Opportunity", "Name", "No signs.", None))
    marked.colleague_edits(marked.referral_of(deal)["id"], details_dealValue=5)
    marked.run_rounds()
    record = marked.opportunity(deal)
    assert (record["Name"], record["Amount"], record["Sync_Status__c"]) == ("ERP renewal", 5, "Synced")
    marked.seller_edits(deal, Amount=6)
    marked.push(HOUR)
    assert marked.first.log.fields_of("name_mark_refused")[0]["opportunity_id"] == deal


def test_a_locked_record_gets_its_mark_later(marked: Harness) -> None:
    deal = marked.seller_creates()
    marked.advance_time(HOUR)
    marked.lock_record(deal, times=1)
    marked.push()
    assert name_of(marked, deal) == "ERP renewal"
    marked.run_rounds()
    assert name_of(marked, deal) == "✔ ERP renewal"
    assert_quiet(marked)


def test_marks_stay_and_are_ignored_once_the_setting_is_off(marked: Harness) -> None:
    deal = marked.shared_deal()
    with Harness() as unmarked:
        marked.translation = unmarked.translation
    assert_quiet(marked)
    marked.seller_edits(deal, Amount=777)
    marked.run_rounds()
    assert name_of(marked, deal) == "✔ ERP renewal"
    marked.colleague_edits(marked.referral_of(deal)["id"], name="ERP renewal (Q4)")
    marked.run_rounds()
    assert name_of(marked, deal) == "ERP renewal (Q4)"
    assert_quiet(marked)


def test_an_unticked_opportunity_keeps_its_name(marked: Harness) -> None:
    deal = marked.shared_deal()
    marked.seller_edits(deal, Name="✘ ERP renewal", Sync_with_Partner_Center__c=False)
    marked.run_rounds()
    assert name_of(marked, deal) == "✘ ERP renewal"


def old_deal(harness: Harness) -> str:
    """An opportunity that is older than an hour, which no run has seen."""
    deal = harness.seller_creates()
    harness.advance_time(HOUR)
    return deal


def test_a_crash_at_any_call_loses_no_name_and_ends_with_a_tick(mapping: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.sync.crash_points.Harness", lambda: Harness(mapping=mapping))
    points, _ = crash_points(old_deal, Instance.push)
    for number in points:
        with Harness(mapping=mapping) as harness:
            deal = old_deal(harness)
            crashing = harness.new_instance()
            crash_instance_at(crashing, number)
            assert crashing.crashes_during(Instance.push)
            recover_after_lease(harness)
            assert name_of(harness, deal) == "✔ ERP renewal", number
            assert harness.referral_of(deal)["name"] == "ERP renewal", number
            assert_quiet(harness)
