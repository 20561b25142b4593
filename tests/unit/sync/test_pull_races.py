"""People, other instances and our own replies, all at the same moment as a pull."""

from collections.abc import Callable
from functools import partial

import pytest

from shared.domain.deal import Side
from shared.sync.outcome import Result
from tests.unit.sync.harness import LEASE, MINUTE, SETTLED, Harness, Instance
from tests.unit.sync.inbound_deals import accepted_deal, assert_quiet, microsoft_sends_deal, opportunity_of


@pytest.fixture
def pair(harness: Harness) -> tuple[str, str]:
    """An opportunity and its referral, quiet."""
    deal = harness.shared()
    return deal, harness.referral_of(deal)["id"]


def test_a_seller_who_edits_between_our_read_and_our_write_loses_nothing(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.one.life.at("salesforce.update_unmodified", lambda: _edits_later(harness, deal, Description="Called again"))
    harness.event(referral)
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["Description"]) == (
        12000,
        "Called again",
    )
    assert harness.partner_center.referral(referral)["details"]["notes"] == "Called again"
    assert harness.calls()["salesforce.conditional"] == 2
    assert_quiet(harness)


def test_the_same_field_edited_then_is_a_conflict_with_both_values_told(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.one.life.at("salesforce.update_unmodified", lambda: _edits_later(harness, deal, Amount=13000))
    harness.event(referral)
    harness.run_rounds(1)
    assert (
        harness.opportunity(deal)["Amount"]
        == harness.partner_center.referral(referral)["details"]["dealValue"]
        == 13000
    )
    told = [line for line in harness.audit_texts(deal) if "both sides" in line]
    assert len(told) == 1
    assert "13000.00 USD" in told[0]
    assert "12000.00 USD" in told[0]
    assert_quiet(harness)


def test_an_equal_edit_made_then_is_adopted_and_nothing_is_written(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.one.life.at("salesforce.update_unmodified", lambda: _edits_later(harness, deal, Amount=12000))
    harness.event(referral)
    link = harness.link(deal)
    assert str(link.base["money"]) == "12000.00 USD"
    assert link.etag == harness.partner_center.referral(referral)["eTag"]
    assert_quiet(harness)


def test_a_row_that_keeps_changing_is_due_and_no_edit_is_lost(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    for number in range(3):
        edit = partial(_edits_later, harness, deal, Description=f"Call {number}")
        harness.one.life.at("salesforce.update_unmodified", edit, skip=number)
    outcome = harness.event(referral)
    assert outcome is not None
    assert outcome.result is Result.RETRY
    harness.run_rounds(2)
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["Description"]) == (
        12000,
        "Call 2",
    )
    assert harness.differences(deal) == []


def test_a_row_read_in_the_second_of_its_edit_is_read_again_a_second_later(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.later(10)
    harness.seller_edits(deal, Description="Written in this very second")
    harness.one.life.at(
        "salesforce.opportunities", lambda: harness.seller_edits(deal, CloseDate="2027-02-02"), after=True
    )
    began = harness.now()
    harness.event(referral, after=0)
    assert (harness.now() - began).total_seconds() >= 1
    row, details = harness.opportunity(deal), harness.partner_center.referral(referral)["details"]
    assert (row["Amount"], row["Description"], row["CloseDate"]) == (12000, "Written in this very second", "2027-02-02")
    assert (details["notes"], details["closingDateTime"][:10]) == ("Written in this very second", "2027-02-02")
    assert_quiet(harness)


def test_a_row_edited_in_every_second_is_never_written_on_a_condition_that_cannot_hold(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.later(10)
    harness.seller_edits(deal, NextStep="Call")
    # The second read falls into the second of the next edit, and one more edit comes right after that read.
    life = harness.one.life
    life.at("salesforce.opportunities", lambda: harness.seller_edits(deal, NextStep="Write"), skip=1)
    life.at("salesforce.opportunities", lambda: harness.seller_edits(deal, Amount=15000), skip=1, after=True)
    harness.event(referral, after=0)
    harness.run_rounds(2)
    assert (
        harness.opportunity(deal)["Amount"]
        == harness.partner_center.referral(referral)["details"]["dealValue"]
        == 15000
    )
    assert_quiet(harness)


def test_both_sides_edited_different_fields_and_both_edits_travel(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.seller_edits(deal, CloseDate="2027-02-02")
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.event(referral, after=5)
    details = harness.partner_center.referral(referral)["details"]
    assert (harness.opportunity(deal)["Amount"], details["closingDateTime"][:10]) == (12000, "2027-02-02")
    assert_quiet(harness)


def test_a_colleague_who_edits_between_our_read_and_our_patch_loses_nothing(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.seller_edits(deal, CloseDate="2027-02-02")
    harness.colleague_edits(referral, details_dealValue=12000)
    edit = partial(harness.colleague_edits, referral, details_dealValue=12500)
    harness.one.life.at("partner_center.patch", edit)
    harness.event(referral, after=5)
    details = harness.partner_center.referral(referral)["details"]
    assert (harness.opportunity(deal)["Amount"], details["closingDateTime"][:10]) == (12500, "2027-02-02")
    assert_quiet(harness)


def test_an_event_that_overtakes_the_reply_of_our_own_create_makes_no_second_opportunity(harness: Harness) -> None:
    deal = harness.seller_creates()
    other = harness.instance()
    outcomes = []

    def the_event_comes_first() -> None:
        outcomes.append(other.event(harness.referral_of(deal)["id"], after=0))

    harness.one.life.at("partner_center.create", the_event_comes_first, after=True)
    harness.push()
    referral = harness.referral_of(deal)["id"]
    assert [outcome.result for outcome in outcomes if outcome] == [Result.RETRY]
    pointer = harness.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    harness.run_rounds(1)
    assert [row["Id"] for row in harness.salesforce.records("Opportunity")] == [deal]
    assert len(harness.referrals()) == 1
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def test_a_claim_left_by_a_dead_event_does_not_hide_our_own_create(harness: Harness) -> None:
    deal = harness.seller_creates()
    doomed = harness.instance()
    doomed.life.at("partner_center.get", doomed.life.crash)
    harness.one.life.at(
        "partner_center.create",
        lambda: doomed.crashes_during(lambda instance: instance.event(harness.referral_of(deal)["id"], after=0)),
        after=True,
    )
    harness.push()
    pointer = harness.store.pointer(harness.referral_of(deal)["id"])
    assert pointer is not None
    assert pointer.value.opportunity_id == deal


def test_a_referral_whose_creation_is_being_settled_waits_and_is_linked_once(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.one.life.at("partner_center.create", harness.one.life.crash, after=True)
    assert harness.one.crashes_during(lambda instance: instance.push())
    referral = harness.referral_of(deal)["id"]
    survivor = harness.instance()
    for _ in range(5):
        survivor.event(referral, after=MINUTE)
        survivor.sweep(MINUTE)
        survivor.push(MINUTE)
    harness.later(SETTLED)
    harness.run_rounds(2, survivor)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == referral
    assert len(harness.salesforce.records("Opportunity")) == len(harness.referrals()) == 1
    assert_quiet(harness, survivor)


# --- two instances ----------------------------------------------------------------------------------------------------


def new(harness: Harness) -> str:
    return microsoft_sends_deal(harness)


def changed(harness: Harness) -> str:
    referral, deal = accepted_deal(harness)
    harness.seller_edits(deal, CloseDate="2027-04-01")
    harness.colleague_edits(referral, details_dealValue=30000)
    harness.later(5)
    return referral


@pytest.mark.parametrize("arrange", [new, pytest.param(changed, marks=pytest.mark.slow)])
def test_two_instances_with_one_event_at_every_moment_do_its_work_once(arrange: Callable[[Harness], str]) -> None:
    for number in range(_length(arrange)):
        with Harness() as harness:
            referral = arrange(harness)
            first, second = harness.instance(), harness.instance()
            first.life.at("", partial(second.event, referral, 0), skip=number, after=True)
            first.event(referral)
            _is_settled_once(harness, referral, second)


def test_two_new_deals_of_one_new_customer_at_once_share_the_account() -> None:
    for number in range(_length(new)):
        with Harness() as harness:
            one, two = microsoft_sends_deal(harness), microsoft_sends_deal(harness, name="More robots")
            first, second = harness.instance(), harness.instance()
            first.life.at("", partial(second.event, two, 0), skip=number, after=True)
            first.event(one)
            harness.run_rounds(2, second)
            assert opportunity_of(harness, one)["AccountId"] == opportunity_of(harness, two)["AccountId"]
            assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 1
            assert_quiet(harness, second)


@pytest.mark.parametrize("arrange", [new, pytest.param(changed, marks=pytest.mark.slow)])
def test_a_push_in_the_midst_of_a_pull_does_no_harm(arrange: Callable[[Harness], str]) -> None:
    for number in range(_length(arrange)):
        with Harness() as harness:
            referral = arrange(harness)
            first, second = harness.instance(), harness.instance()
            first.life.at("", partial(second.push, 0), skip=number, after=True)
            first.event(referral)
            _is_settled_once(harness, referral, second)


def _length(arrange: Callable[[Harness], str]) -> int:
    """How many calls of ports one event makes."""
    with Harness() as harness:
        referral = arrange(harness)
        worker = harness.instance()
        worker.event(referral)
        return len(worker.life.calls)


def _is_settled_once(harness: Harness, referral: str, worker: Instance) -> None:
    harness.later(LEASE)
    harness.run_rounds(2, worker)
    row = opportunity_of(harness, referral)
    assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 1
    assert harness.differences(row["Id"]) == []
    told = harness.audit_texts(row["Id"])
    assert len(told) == len(set(told)), told
    assert not any("both sides" in line for line in told)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness, worker)


def _edits_later(harness: Harness, deal: str, **values: object) -> None:
    """The seller edits in a later second than the row was read in."""
    harness.later(2)
    harness.seller_edits(deal, **values)
    harness.later(2)
