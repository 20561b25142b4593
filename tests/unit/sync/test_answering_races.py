"""Answers that cross with the other side, or with the time (docs/protocol.md#accept-decline-and-close)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import (
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)
from tests.unit.sync.test_answering import OWN_STAGES, REASON, ends, patches, strict


@pytest.fixture(autouse=True)
def _strict(harness: Harness) -> None:
    strict(harness)


@pytest.fixture
def own_stages(tmp_path: Path) -> Iterator[Harness]:
    """A harness whose org has stages of its own for a decline and for a mistake."""
    file = tmp_path / "own.toml"
    file.write_text(OWN_STAGES, encoding="utf-8")
    with strict(Harness(mapping=file)) as harness:
        yield harness


def just_before_patch(harness: Harness, happens: Callable[[], object]) -> None:
    """Let something happen between the reads of the next push and its PATCH."""
    harness.first.process.interrupt_at("partner_center.patch", happens)


# --- a close that is undone


@pytest.mark.parametrize(
    ("stage", "is_answered"),
    [
        ("Declined", False), ("Closed Lost", False), ("Mistake", False), ("Closed Won", False),
        ("Closed Lost", True), ("Mistake", True), ("Closed Won", True),
    ],
)  # fmt: skip
def test_a_close_waits_two_minutes_and_undone_within_them_nothing_is_sent(
    own_stages: Harness, stage: str, *, is_answered: bool
) -> None:
    harness = own_stages
    referral, deal = arrived_deal(harness)
    before = "On Hold"
    if is_answered:
        before = "Qualification"
        harness.seller_edits(deal, StageName=before)
        harness.push_until_quiet()
    stood, sent = ends(harness, referral), patches(harness, referral)
    harness.seller_edits(deal, StageName=stage, **REASON)
    harness.push(1)
    if stage == "Mistake":
        harness.seller_edits(deal, Closing_Reason__c=None)
        harness.push(1)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    harness.push(90)
    assert (ends(harness, referral), patches(harness, referral)) == (stood, sent)
    harness.seller_edits(deal, StageName=before)
    harness.run_rounds(2)
    assert (ends(harness, referral), patches(harness, referral)) == (stood, sent)
    assert harness.opportunity(deal)["Sync_Status__c"] == ("Synced" if is_answered else "Waiting")
    assert harness.stored_link(deal).waiting == {}
    assert_quiet(harness)


def test_the_stage_of_an_unanswered_deal_that_is_moved_back_before_the_push_says_nothing(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.seller_edits(deal, StageName="On Hold")
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("New", "Pending")
    assert patches(harness, referral) == 0
    assert_quiet(harness)


def test_an_accept_that_was_sent_cannot_be_taken_back_by_the_stage(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.push_until_quiet()
    harness.seller_edits(deal, StageName="On Hold")
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    told = "Partner Center cannot change this deal from Active/Accepted to New/Pending. Please choose another Stage."
    assert harness.count_in_audit(deal, told) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(2)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


# --- the other side is a moment earlier


def test_a_decline_that_meets_a_colleagues_accept_at_the_call_is_a_loss_that_waits_anew(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Closed Lost", **REASON)
    harness.push(1)
    just_before_patch(
        harness, lambda: harness.colleague_edits(referral, status="Active", substatus="Accepted")
    )  # the PATCH answers 412
    harness.push(121)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    assert harness.count_in_audit(deal, "Stage will change from Active/Accepted to Closed/Lost") == 1
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    harness.run_rounds(2)
    assert ends(harness, referral) == ("Closed", "Lost", "Not a customer")
    assert_quiet(harness)


def test_a_stage_of_declines_that_meets_a_colleagues_accept_at_the_call_is_told_and_not_sent(
    own_stages: Harness,
) -> None:
    harness = own_stages
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Declined")
    harness.push(1)
    just_before_patch(harness, lambda: harness.colleague_edits(referral, status="Active", substatus="Accepted"))
    harness.push(121)
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    assert harness.count_in_audit(deal, "Only an unanswered one is declined.") == 1
    assert_quiet(harness)


@pytest.mark.parametrize("stage", ["Qualification", "Closed Won", "Closed Lost"])
def test_an_answer_that_meets_the_expiry_at_the_call_is_told_as_expired(harness: Harness, stage: str) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName=stage, **REASON)
    harness.push(1) if stage != "Qualification" else None
    just_before_patch(harness, lambda: harness.partner_center.let_expire(referral))
    harness.push(121)
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("Closed", "Expired")
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1
    assert harness.count_in_audit(deal, "Kept: Closed/Expired") == (stage != "Closed Lost")
    assert harness.count_in_audit(deal, "Kept: Closed/Lost") == 0
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.opportunity(deal)["Answer_By__c"] is None
    assert_quiet(harness)


def test_an_expiry_is_never_told_as_lost(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.partner_center.let_expire(referral)
    harness.run_rounds(1)
    assert harness.count_in_audit(deal, "Stage New/Pending → Closed/Expired.") == 1
    assert harness.count_in_audit(deal, "Closed/Lost") == 0


def test_an_expiry_that_a_process_wrote_before_it_stopped_is_named_as_expired(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.partner_center.let_expire(referral)
    process = harness.first.process
    process.interrupt_at("salesforce.update_unmodified", process.crash, after=True)
    assert harness.first.crashes_during(lambda instance: instance.pull_event(referral))
    harness.run_rounds(by=harness.new_instance())
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.count_in_audit(deal, "New/Pending → Closed/Expired") == 1


def test_a_close_of_a_deal_that_is_unticked_and_ticked_again_waits_anew(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Closed Lost", **REASON)
    harness.push()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push(10 * MINUTE)
    harness.push(10 * MINUTE)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push()
    assert ends(harness, referral)[:2] == ("New", "Pending")
    harness.push(2 * MINUTE)
    assert ends(harness, referral)[:2] == ("Closed", "Declined")


@pytest.mark.parametrize(("there", "stage"), [("Won", "Closed Lost"), ("Lost", "Closed Won"), ("Error", "Closed Won")])
def test_both_sides_close_differently_at_the_call_and_partner_centers_end_stands(
    harness: Harness, there: str, stage: str
) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.push_until_quiet()
    harness.seller_edits(deal, StageName=stage, **REASON)
    harness.push(1)
    just_before_patch(
        harness, lambda: harness.colleague_edits(referral, status="Closed", substatus=there, statusReason="Others")
    )
    harness.push(121)
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("Closed", there)
    assert harness.count_in_audit(deal, f"Kept: Closed/{there}, the end in Partner Center. Discarded:") == 1
    assert harness.count_in_audit(deal, f"Partner Center closed this deal as {there}.") == (there == "Error")
    assert harness.opportunity(deal)["StageName"] == ("Closed Won" if there == "Won" else "Closed Lost")
    assert_quiet(harness)


# --- a lost reply


def test_a_decline_whose_reply_was_lost_is_named_as_a_decline(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Closed Lost", **REASON)
    harness.push(1)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH", path=referral))
    harness.push(3 * MINUTE)
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("Closed", "Declined")
    assert harness.count_in_audit(deal, "Stage New/Pending → Closed/Declined") == 1
    assert harness.count_in_audit(deal, "Stage New/Pending → Closed/Lost") == 0
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


ANSWERS = {"Qualification": "Active/Accepted", "Closed Lost": "Closed/Declined"}


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("stage", ANSWERS)
def test_an_answer_is_sent_and_told_once_and_clears_the_time_after_a_crash_anywhere(stage: str, every: int) -> None:
    def answered(harness: Harness) -> tuple[str, str]:
        strict(harness)
        referral, deal = arrived_deal(harness)
        harness.seller_edits(deal, StageName=stage, **REASON)
        if stage != "Qualification":
            harness.push(1)
        return referral, deal

    def push(instance: Instance) -> None:
        instance.push(3 * MINUTE)

    points, _ = crash_points(answered, push)
    for number in every_nth(points, every):
        with Harness() as harness:
            referral, deal = answered(harness)
            instance = harness.new_instance()
            crash_instance_at(instance, number)
            instance.crashes_during(push)
            recover_after_lease(harness)
            assert "/".join(ends(harness, referral)[:2]) == ANSWERS[stage], number
            assert patches(harness, referral) == 1, number
            assert harness.count_in_audit(deal, f"Stage New/Pending → {ANSWERS[stage]}") == 1, number
            assert harness.opportunity(deal)["Answer_By__c"] is None, number
            assert harness.stored_link(deal).answer_by is None, number
            assert_quiet(harness)


# --- a deal that arrives closed


@pytest.mark.parametrize("end", ["Expired", "Declined", "Error", "Lost", "Won"])
def test_a_deal_that_arrives_closed_is_named_as_what_it_is(harness: Harness, end: str) -> None:
    referral = microsoft_sends_deal(harness)
    if end == "Expired":
        harness.partner_center.let_expire(referral)
    else:
        harness.colleague_edits(referral, status="Closed", substatus=end, statusReason="Others")
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.run_rounds(2)
    assert harness.opportunity(deal)["StageName"] == ("Closed Won" if end == "Won" else "Closed Lost")
    assert harness.count_in_audit(deal, f"Partner Center closed this deal as {end}.") == (end not in ("Lost", "Won"))
    assert harness.opportunity(deal)["Answer_By__c"] is None
    assert_quiet(harness)


def test_an_expired_deal_that_arrives_is_on_the_stage_that_the_table_has_for_it(own_stages: Harness) -> None:
    harness = own_stages
    referral = microsoft_sends_deal(harness)
    harness.partner_center.let_expire(referral)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    assert harness.opportunity(deal)["StageName"] == "Declined"
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1


# --- a close whose PATCH does not take effect


def test_a_close_that_has_waited_is_told_once_and_waits_no_second_time(harness: Harness) -> None:
    refused, overtaken, stopped = (harness.shared_deal() for _ in range(3))

    def close(deal: str) -> None:
        harness.seller_edits(deal, StageName="Closed Won")
        harness.push()
        harness.advance_time(2 * MINUTE)

    close(refused)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=503))
    harness.push()
    assert harness.referral_of(refused)["status"] == "Active"
    harness.new_instance().push(HOUR)
    close(overtaken)
    just_before_patch(
        harness, lambda: harness.colleague_edits(harness.referral_of(overtaken)["id"], details_notes="By a colleague")
    )
    harness.push()
    close(stopped)
    harness.first.process.interrupt_at("partner_center.patch", harness.first.process.crash)
    assert harness.first.crashes_during(Instance.push)
    harness.new_instance().push(AFTER_LEASE)
    for deal in (refused, overtaken, stopped):
        assert harness.referral_of(deal)["substatus"] == "Won"
        assert harness.count_in_audit(deal, "Stage will change") == 1
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
