"""A value that the mapping cannot read is left alone and reported once. It is synced again once it is corrected."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pytest

from tests.unit.sync.harness import AFTER_LEASE, HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import (
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)


@dataclass(frozen=True, slots=True)
class UnreadableEdit:
    """An edit that cannot be read, another one of the same kind, the audit sentence of both, and a correction."""

    values: Mapping[str, object]
    other_values: Mapping[str, object]
    sentence: str
    correction: Mapping[str, object]


UNREADABLE_EDITS = {
    "stage": UnreadableEdit(
        {"StageName": "Verbal"}, {"StageName": "Whispered"}, "Stage {} has no matching status in Partner Center.",
        {"StageName": "Proposal/Price Quote"},
    ),
    "currency": UnreadableEdit(
        {"CurrencyIsoCode": "XXX"}, {"CurrencyIsoCode": "XTS"}, "The currency {} is not an ISO 4217 code.",
        {"CurrencyIsoCode": "EUR"},
    ),
}  # fmt: skip


def unreadable_value(values: Mapping[str, object]) -> str:
    """The value of an edit, as the audit shows it."""
    (value,) = values.values()
    return str(value)


@pytest.fixture
def harness(harness: Harness) -> Harness:
    """The harness, with stages and currencies in Salesforce that the mapping does not know."""
    administrator = harness.salesforce.founding.administrator
    for code in ("XXX", "XTS"):
        currency = {"IsoCode": code, "ConversionRate": 1, "IsActive": True}
        harness.salesforce.org.insert("CurrencyType", currency, administrator)
    for name in ("Verbal", "Whispered"):
        stage = {"MasterLabel": name, "ApiName": name, "IsActive": True, "ForecastCategory": "Pipeline"}
        harness.salesforce.org.insert("OpportunityStage", {**stage, "SortOrder": 20}, administrator)
    return harness


@pytest.fixture(params=UNREADABLE_EDITS)
def edit(request: pytest.FixtureRequest) -> UnreadableEdit:
    return UNREADABLE_EDITS[request.param]


def test_an_unreadable_value_is_left_alone_and_reported_once_and_other_values_are_synced(
    harness: Harness, edit: UnreadableEdit
) -> None:
    deal = harness.shared_deal()
    before = harness.referral_of(deal)
    harness.seller_edits(deal, **edit.values)
    harness.run_rounds()
    harness.seller_edits(deal, Description="Still synced")
    harness.run_rounds()
    after = harness.referral_of(deal)
    assert after["details"]["notes"] == "Still synced"
    assert (after["status"], after["details"]["currency"]) == (before["status"], before["details"]["currency"])
    assert harness.opportunity(deal).items() >= edit.values.items()
    assert harness.count_in_audit(deal, edit.sentence.format(unreadable_value(edit.values))) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert_quiet(harness)


def test_another_unreadable_value_is_reported_too(harness: Harness, edit: UnreadableEdit) -> None:
    deal = harness.shared_deal()
    for values in (edit.values, edit.other_values):
        harness.seller_edits(deal, **values)
        harness.run_rounds()
    assert [
        harness.count_in_audit(deal, edit.sentence.format(unreadable_value(values)))
        for values in (edit.values, edit.other_values)
    ] == [1, 1]
    assert_quiet(harness)


def test_a_corrected_value_is_synced_and_the_mark_becomes_synced(harness: Harness, edit: UnreadableEdit) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, **edit.values)
    harness.run_rounds()
    harness.seller_edits(deal, **edit.correction)
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert harness.opportunity(deal).items() >= edit.correction.items()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_colleagues_edit_made_meanwhile_arrives_after_the_correction(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, CurrencyIsoCode="XXX")
    harness.push()
    harness.colleague_edits(referral, details_dealValue=12000, details_notes="From the portal")
    harness.pull_event(referral)
    harness.run_rounds()
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["Description"]) == (
        10000,
        "From the portal",
    )
    harness.seller_edits(deal, CurrencyIsoCode="USD")
    harness.run_rounds()
    assert harness.opportunity(deal)["Amount"] == 12000
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_the_report_costs_one_write_back_and_no_further_call(harness: Harness, edit: UnreadableEdit) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, **edit.values)
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2, "salesforce.write_back": 1}
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2}
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 1}


def test_an_unreadable_stage_of_a_deal_from_microsoft_is_reported(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Verbal")
    harness.run_rounds()
    assert harness.count_in_audit(deal, "Stage Verbal has no matching status in Partner Center.") == 1
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert_quiet(harness)


# --- a status without a stage, on arrival


NOT_SENT = "was not sent, because its value in Partner Center cannot be read"


def deal_of_unmapped_status(harness: Harness) -> str:
    """A deal that arrives with a status that no stage shows. Returns the referral's id."""
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/status": "Active", "/substatus": "Engaged"})
    return referral


def test_a_stage_that_stands_in_for_an_unmapped_status_is_nobodys_edit(harness: Harness) -> None:
    referral = deal_of_unmapped_status(harness)
    harness.pull_event(referral)
    harness.run_rounds()
    deal = opportunity_of(harness, referral)["Id"]
    assert harness.count_in_audit(deal, "The status Active/Engaged of Partner Center has no matching stage.") == 1
    assert harness.count_in_audit(deal, NOT_SENT) == 0
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)
    harness.seller_edits(deal, StageName="Prospecting")
    harness.run_rounds()
    assert harness.count_in_audit(deal, f'Stage "Active/Accepted" {NOT_SENT}') == 1
    assert harness.count_in_audit(deal, NOT_SENT) == 1


def test_the_stage_follows_once_the_status_is_mapped_again(harness: Harness) -> None:
    referral = deal_of_unmapped_status(harness)
    harness.pull_event(referral)
    harness.run_rounds()
    harness.partner_center.raw_patch(referral, {"/status": "Active", "/substatus": "Accepted"})
    harness.run_rounds()
    record = opportunity_of(harness, referral)
    assert (record["StageName"], record["Sync_Status__c"]) == ("Qualification", "Synced")
    assert_quiet(harness)


@pytest.mark.slow
def test_a_run_that_stops_after_the_create_does_not_make_the_stage_an_edit() -> None:
    for number in range(20):
        with Harness() as other:
            referral = deal_of_unmapped_status(other)
            other.first.process.crash_at(number, after=True)
            if not other.first.crashes_during(partial(Instance.pull_event, referral_id=referral)):
                break
            survivor = recover_after_lease(other)
            survivor.pull_event(referral, after=AFTER_LEASE)
            survivor.push(HOUR)
            assert other.count_in_audit(opportunity_of(other, referral)["Id"], NOT_SENT) == 0, number
    assert number > 4
