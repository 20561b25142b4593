"""People, other instances and our own replies act at the same time as a pull."""

from collections.abc import Callable
from functools import partial

import pytest

from shared.domain.deal import Side
from shared.sync.ports import Result
from tests.unit.sync.harness import AFTER_LEASE, AFTER_SETTLE_TIME, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import accepted_deal, assert_quiet, microsoft_sends_deal, opportunity_of


@pytest.fixture
def pair(harness: Harness) -> tuple[str, str]:
    """The ids of an opportunity and its referral, with nothing left to do."""
    deal = harness.shared_deal()
    return deal, harness.referral_of(deal)["id"]


def test_a_sellers_edit_between_the_read_and_the_write_is_kept(harness: Harness, pair: tuple[str, str]) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.first.process.interrupt_at(
        "salesforce.update_unmodified", lambda: _edit_in_a_later_second(harness, deal, Description="Called again")
    )
    harness.pull_event(referral)
    assert harness.partner_center.referral(referral)["details"]["notes"] == "Called again"
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "just_saved"
    harness.push()
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["Description"]) == (
        12000,
        "Called again",
    )
    assert harness.new_calls()["salesforce.conditional"] == 2
    assert_quiet(harness)


def test_an_edit_of_the_same_field_between_read_and_write_is_a_conflict_with_both_values_reported(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.first.process.interrupt_at(
        "salesforce.update_unmodified", lambda: _edit_in_a_later_second(harness, deal, Amount=13000)
    )
    harness.pull_event(referral)
    harness.run_rounds(1)
    assert (
        harness.opportunity(deal)["Amount"]
        == harness.partner_center.referral(referral)["details"]["dealValue"]
        == 13000
    )
    conflicts = [line for line in harness.audit_texts(deal) if "both sides" in line]
    assert len(conflicts) == 1
    assert "13000.00 USD" in conflicts[0]
    assert "12000.00 USD" in conflicts[0]
    assert_quiet(harness)


def test_an_equal_edit_between_read_and_write_is_adopted_without_a_write(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.first.process.interrupt_at(
        "salesforce.update_unmodified", lambda: _edit_in_a_later_second(harness, deal, Amount=12000)
    )
    harness.pull_event(referral)
    link = harness.stored_link(deal)
    assert str(link.base["money"]) == "12000.00 USD"
    assert link.etag == harness.partner_center.referral(referral)["eTag"]
    assert_quiet(harness)


def test_an_opportunity_that_keeps_changing_is_retried_and_no_edit_is_lost(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.colleague_edits(referral, details_dealValue=12000)
    for number in range(3):
        edit = partial(_edit_in_a_later_second, harness, deal, Description=f"Call {number}")
        harness.first.process.interrupt_at("salesforce.update_unmodified", edit, skip=number)
    for work in (partial(harness.pull_event, referral), harness.push, harness.push):
        work()
        assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "just_saved"
    harness.run_rounds(1)
    assert (harness.opportunity(deal)["Amount"], harness.opportunity(deal)["Description"]) == (
        12000,
        "Call 2",
    )
    assert harness.differences(deal) == []


def test_edits_of_different_fields_on_both_sides_during_a_pull_reach_the_other_side(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.seller_edits(deal, CloseDate="2027-02-02")
    harness.colleague_edits(referral, details_dealValue=12000)
    harness.pull_event(referral, after=5)
    harness.push()
    details = harness.partner_center.referral(referral)["details"]
    assert (harness.opportunity(deal)["Amount"], details["closingDateTime"][:10]) == (12000, "2027-02-02")
    assert_quiet(harness)


def test_a_colleagues_edit_between_the_read_and_the_patch_of_a_pull_is_kept(
    harness: Harness, pair: tuple[str, str]
) -> None:
    deal, referral = pair
    harness.seller_edits(deal, CloseDate="2027-02-02")
    harness.colleague_edits(referral, details_dealValue=12000)
    edit = partial(harness.colleague_edits, referral, details_dealValue=12500)
    harness.first.process.interrupt_at("partner_center.patch", edit)
    harness.pull_event(referral, after=5)
    harness.push()
    details = harness.partner_center.referral(referral)["details"]
    assert (harness.opportunity(deal)["Amount"], details["closingDateTime"][:10]) == (12500, "2027-02-02")
    assert_quiet(harness)


def test_an_event_that_arrives_before_the_reply_of_a_create_is_retried_and_creates_nothing(harness: Harness) -> None:
    deal = harness.seller_creates()
    other = harness.new_instance()
    outcomes = []

    def pull_event_before_the_reply() -> None:
        outcomes.append(other.pull_event(harness.referral_of(deal)["id"], after=0))

    harness.first.process.interrupt_at("partner_center.create", pull_event_before_the_reply, after=True)
    harness.push()
    referral = harness.referral_of(deal)["id"]
    assert [outcome.result for outcome in outcomes if outcome] == [Result.RETRY]
    pointer = harness.store.pointer(referral)
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    harness.run_rounds(1)
    assert [opportunity["Id"] for opportunity in harness.salesforce.records("Opportunity")] == [deal]
    assert len(harness.our_referrals()) == 1
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def test_a_claim_of_a_crashed_pull_does_not_prevent_the_pointer_of_our_own_create(harness: Harness) -> None:
    deal = harness.seller_creates()
    crashing = harness.new_instance()
    crashing.process.interrupt_at("partner_center.get", crashing.process.crash)
    harness.first.process.interrupt_at(
        "partner_center.create",
        lambda: crashing.crashes_during(lambda instance: instance.pull_event(harness.referral_of(deal)["id"], after=0)),
        after=True,
    )
    harness.push()
    pointer = harness.store.pointer(harness.referral_of(deal)["id"])
    assert pointer is not None
    assert pointer.value.opportunity_id == deal


def test_a_referral_of_an_interrupted_create_waits_for_the_recovery_and_is_linked_once(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.first.process.interrupt_at("partner_center.create", harness.first.process.crash, after=True)
    assert harness.first.crashes_during(lambda instance: instance.push())
    referral = harness.referral_of(deal)["id"]
    survivor = harness.new_instance()
    for _ in range(5):
        survivor.pull_event(referral, after=MINUTE)
        survivor.sweep(MINUTE)
        survivor.push(MINUTE)
    harness.advance_time(AFTER_SETTLE_TIME)
    harness.run_rounds(2, survivor)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == referral
    assert len(harness.salesforce.records("Opportunity")) == len(harness.our_referrals()) == 1
    assert_quiet(harness, survivor)


# --- two instances ----------------------------------------------------------------------------------------------------


def new_referral(harness: Harness) -> str:
    return microsoft_sends_deal(harness)


def referral_with_edits(harness: Harness) -> str:
    referral, deal = accepted_deal(harness)
    harness.seller_edits(deal, CloseDate="2027-04-01")
    harness.colleague_edits(referral, details_dealValue=30000)
    harness.advance_time(5)
    return referral


@pytest.mark.slow
@pytest.mark.parametrize("arrange", [new_referral, referral_with_edits])
def test_two_instances_with_the_same_event_do_its_work_once_whenever_the_second_starts(
    arrange: Callable[[Harness], str],
) -> None:
    for number in range(_count_calls_of_event(arrange)):
        with Harness() as harness:
            referral = arrange(harness)
            first, second = harness.new_instance(), harness.new_instance()
            first.process.interrupt_at("", partial(second.pull_event, referral, 0), skip=number, after=True)
            first.pull_event(referral)
            _assert_reconciled_once(harness, referral, second)


@pytest.mark.slow
def test_two_simultaneous_deals_of_one_new_customer_share_the_account() -> None:
    for number in range(_count_calls_of_event(new_referral)):
        with Harness() as harness:
            first_deal, second_deal = microsoft_sends_deal(harness), microsoft_sends_deal(harness, name="More robots")
            first, second = harness.new_instance(), harness.new_instance()
            first.process.interrupt_at("", partial(second.pull_event, second_deal, 0), skip=number, after=True)
            first.pull_event(first_deal)
            harness.run_rounds(2, second)
            assert opportunity_of(harness, first_deal)["AccountId"] == opportunity_of(harness, second_deal)["AccountId"]
            assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 1
            assert_quiet(harness, second)


@pytest.mark.slow
@pytest.mark.parametrize("arrange", [new_referral, referral_with_edits])
def test_a_push_at_any_call_of_a_pull_loses_nothing_and_doubles_nothing(arrange: Callable[[Harness], str]) -> None:
    for number in range(_count_calls_of_event(arrange)):
        with Harness() as harness:
            referral = arrange(harness)
            first, second = harness.new_instance(), harness.new_instance()
            first.process.interrupt_at("", partial(second.push, 0), skip=number, after=True)
            first.pull_event(referral)
            _assert_reconciled_once(harness, referral, second)


def _count_calls_of_event(arrange: Callable[[Harness], str]) -> int:
    """How many calls of ports the pull of one event makes."""
    with Harness() as harness:
        referral = arrange(harness)
        worker = harness.new_instance()
        worker.pull_event(referral)
        return len(worker.process.calls)


def _assert_reconciled_once(harness: Harness, referral: str, worker: Instance) -> None:
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds(2, worker)
    opportunity = opportunity_of(harness, referral)
    assert len(harness.salesforce.records("Account")) == len(harness.salesforce.records("Contact")) == 1
    assert harness.differences(opportunity["Id"]) == []
    audit = harness.audit_texts(opportunity["Id"])
    assert len(audit) == len(set(audit)), audit
    assert not any("both sides" in line for line in audit)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness, worker)


def _edit_in_a_later_second(harness: Harness, deal: str, **values: object) -> None:
    """The seller edits the opportunity in a later second than the one in which it was read."""
    harness.advance_time(2)
    harness.seller_edits(deal, **values)
    harness.advance_time(2)
