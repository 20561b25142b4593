"""A seller accepts, declines, wins and loses a deal of Microsoft's (docs/protocol.md#accept-decline-and-close)."""

from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import AFTER_LEASE, MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet, recover_after_lease

OWN_STAGES = """extends = "default"
[[stages]]
name = "On Hold"
status = "New/Pending"
also = ["New/Received"]
[[stages]]
name = "Qualification"
status = "Active/Accepted"
[[stages]]
name = "Closed Won"
status = "Closed/Won"
[[stages]]
name = "Closed Lost"
status = "Closed/Lost"
reason = "Others"
[[stages]]
name = "Declined"
status = "Closed/Declined"
reason = "Timeline too short"
also = ["Closed/Expired"]
[[stages]]
name = "Mistake"
status = "Closed/Error"
reason = "Test referral"
"""


REASON = {"Closing_Reason__c": "Not a customer"}


def strict(harness: Harness) -> Harness:
    """Let Partner Center demand an answer before a close, and a reason of its list."""
    switches = {"answer_before_closing": True, "demand_reasons": True, "listed_reasons": True}
    harness.partner_center.switches.apply_changes(switches)
    return harness


@pytest.fixture(autouse=True)
def _strict(harness: Harness) -> None:
    strict(harness)


@pytest.fixture
def own_stages(tmp_path: Path) -> Harness:
    """A harness whose org has stages of its own for a decline and for a mistake."""
    file = tmp_path / "own.toml"
    file.write_text(OWN_STAGES, encoding="utf-8")
    return strict(Harness(mapping=file))


def ends(harness: Harness, referral: str) -> tuple[str, str, str | None]:
    """How a referral stands: its status, substatus and reason."""
    found = harness.partner_center.referral(referral)
    return found["status"], found["substatus"], found["statusReason"]


def patches(harness: Harness, referral: str) -> int:
    """How many PATCHes of a referral took effect."""
    calls = harness.partner_center.journal
    return sum(one.method == "PATCH" and referral in one.path and one.status < 400 for one in calls)


def closes(harness: Harness, deal: str, stage: str, **values: object) -> None:
    """The seller closes the deal, and the two minutes pass."""
    harness.seller_edits(deal, StageName=stage, **values)
    harness.push(1)
    harness.run_rounds(2)


# --- decline


def test_a_lost_deal_that_nobody_has_answered_is_declined(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Closed Lost", **REASON)
    assert ends(harness, referral)[:2] == ("Closed", "Declined")
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.count_in_audit(deal, "Stage New/Pending → Closed/Declined") == 1
    assert_quiet(harness)


def test_a_decline_is_announced_and_undone_within_two_minutes_nothing_is_sent(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Closed Lost", **REASON)
    harness.push(1)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    assert harness.count_in_audit(deal, "Stage will change from New/Pending to Closed/Declined") == 1
    harness.seller_edits(deal, StageName="On Hold")
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("New", "Pending")
    assert_quiet(harness)


def test_edits_made_before_a_decline_are_listed_in_the_audit(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, Amount=99, Description="Not for us.")
    harness.run_rounds(1)
    closes(harness, deal, "Closed Lost", **REASON)
    assert ends(harness, referral)[:2] == ("Closed", "Declined")
    (line,) = [text for text in harness.audit_texts(deal) if "The deal was declined" in text]
    assert "Amount 25000.00 EUR → 99.00 EUR" in line
    assert "Not for us." in line
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 25000
    assert_quiet(harness)


def test_edits_made_before_an_accept_go_with_it(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, Amount=99)
    harness.run_rounds(1)
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(1)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 99


def test_a_stage_of_its_own_declines_with_its_reason(own_stages: Harness) -> None:
    with own_stages as harness:
        referral, deal = arrived_deal(harness)
        closes(harness, deal, "Declined")
        assert ends(harness, referral) == ("Closed", "Declined", "Timeline too short")
        assert harness.differences(deal) == []
        assert_quiet(harness)


def test_a_lost_deal_that_is_declined_is_shown_on_the_stage_of_declines(own_stages: Harness) -> None:
    with own_stages as harness:
        referral, deal = arrived_deal(harness)
        closes(harness, deal, "Closed Lost", **REASON)
        assert ends(harness, referral)[:2] == ("Closed", "Declined")
        assert harness.opportunity(deal)["StageName"] == "Declined"
        assert harness.differences(deal) == []
        assert harness.count_in_audit(deal, "was changed on both sides") == 0
        assert_quiet(harness)


def test_a_file_can_send_a_loss_for_what_it_is_after_an_accept(tmp_path: Path) -> None:
    file = tmp_path / "lost.toml"
    file.write_text('extends = "default"\n[fields.status]\nlost_declines = false\n', encoding="utf-8")
    with strict(Harness(mapping=file)) as harness:
        referral, deal = arrived_deal(harness)
        closes(harness, deal, "Closed Lost", **REASON)
        assert ends(harness, referral) == ("Closed", "Lost", "Not a customer")
        assert patches(harness, referral) == 2
        assert_quiet(harness)


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_stage_of_its_own_closes_as_an_error(own_stages: Harness, *, is_answered: bool) -> None:
    with own_stages as harness:
        referral, deal = arrived_deal(harness)
        if is_answered:
            harness.colleague_edits(referral, status="Active", substatus="Accepted")
            harness.run_rounds(1)
        closes(harness, deal, "Mistake")
        assert ends(harness, referral) == ("Closed", "Error", "Test referral")
        assert_quiet(harness)


def test_a_decline_of_a_deal_that_a_colleague_accepted_a_second_earlier_is_told_and_not_sent(
    own_stages: Harness,
) -> None:
    with own_stages as harness:
        referral, deal = arrived_deal(harness)
        harness.colleague_edits(referral, status="Active", substatus="Accepted")
        harness.seller_edits(deal, StageName="Declined")
        harness.push(1)
        harness.run_rounds()
        assert ends(harness, referral)[:2] == ("Active", "Accepted")
        assert harness.count_in_audit(deal, "Only an unanswered one is declined.") == 1
        assert_quiet(harness)


def test_a_colleagues_accept_within_the_two_minutes_makes_a_decline_a_loss_that_waits_anew(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Closed Lost", **REASON)
    harness.push(1)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.push(121)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    assert harness.count_in_audit(deal, "Stage will change from Active/Accepted to Closed/Lost") == 1
    harness.run_rounds(2)
    assert ends(harness, referral) == ("Closed", "Lost", "Not a customer")
    assert_quiet(harness)


# --- win


def test_a_won_deal_that_nobody_has_answered_is_accepted_first(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    closes(harness, deal, "Closed Won", Amount=77)
    harness.run_rounds(1)
    assert ends(harness, referral)[:2] == ("Closed", "Won")
    assert patches(harness, referral) == 2
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 77
    assert harness.count_in_audit(deal, "Stage New/Pending → Active/Accepted") == 1
    assert harness.count_in_audit(deal, "Stage Active/Accepted → Closed/Won") == 1
    assert harness.count_in_audit(deal, "was changed on both sides") == 0
    assert_quiet(harness)


def test_a_win_undone_within_two_minutes_accepts_nothing(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push(1)
    harness.seller_edits(deal, StageName="On Hold")
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("New", "Pending")


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_reply_to_the_accept_or_the_win_repeats_neither(harness: Harness, lost: int) -> None:
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push(1)
    fault = Fault(FaultKind.DROP_AFTER, method="PATCH", path=referral, skip=lost - 1)
    harness.inject_fault(Side.PARTNER_CENTER, fault)
    harness.push(MINUTE * 3)
    harness.advance_time(AFTER_LEASE)
    harness.run_rounds(3)
    assert ends(harness, referral)[:2] == ("Closed", "Won")
    assert patches(harness, referral) == 2
    assert harness.count_in_audit(deal, "was changed on both sides") == 0
    assert_quiet(harness)


def _won(harness: Harness) -> tuple[str, str]:
    strict(harness)
    referral, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push(1)
    return referral, deal


def _push_later(instance: Instance) -> None:
    instance.push(MINUTE * 3)


@pytest.mark.slow
def test_accept_and_win_are_each_sent_once_after_a_crash_anywhere() -> None:
    points, _ = crash_points(_won, _push_later)
    for number in points:
        with Harness() as harness:
            referral, deal = _won(harness)
            instance = harness.new_instance()
            crash_instance_at(instance, number)
            instance.crashes_during(_push_later)
            recover_after_lease(harness)
            assert ends(harness, referral)[:2] == ("Closed", "Won"), number
            assert patches(harness, referral) == 2, number
            assert harness.count_in_audit(deal, "was changed on both sides") == 0, number
            assert_quiet(harness)


# --- the other side


def test_an_accept_after_the_expiry_is_told(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.advance_time(15 * 24 * 3600)
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(3)
    assert ends(harness, referral)[:2] == ("Closed", "Expired")
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1
    assert_quiet(harness)


def test_a_deal_that_expires_is_named_as_expired(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.advance_time(15 * 24 * 3600)
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("Closed", "Expired")
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1


def test_a_lost_deal_that_expired_meanwhile_is_named_as_expired(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.advance_time(15 * 24 * 3600)
    harness.seller_edits(deal, StageName="Closed Lost")
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("Closed", "Expired")
    assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_an_expired_deal_is_shown_on_the_stage_that_the_table_has_for_it(own_stages: Harness) -> None:
    with own_stages as harness:
        _, deal = arrived_deal(harness)
        harness.advance_time(15 * 24 * 3600)
        harness.run_rounds(2)
        assert harness.opportunity(deal)["StageName"] == "Declined"
        assert harness.count_in_audit(deal, "Partner Center closed this deal as Expired.") == 1


@pytest.mark.parametrize("stage", ["Closed Won", "Closed Lost"])
def test_a_reopened_deal_is_told_once_with_the_remedy(harness: Harness, stage: str) -> None:
    deal = harness.shared_deal()
    closes(harness, deal, stage, **REASON)
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(2)
    harness.seller_edits(deal, StageName="Prospecting")
    harness.run_rounds(2)
    assert harness.referral_of(deal)["status"] == "Closed"
    assert harness.count_in_audit(deal, "the deal is closed in Partner Center, which keeps") == 1
    assert harness.count_in_audit(deal, "clear Sync with Partner Center on the copy, save, then tick it.") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_the_copy_of_a_reopened_deal_becomes_a_deal_of_its_own(harness: Harness) -> None:
    deal = harness.shared_deal()
    closes(harness, deal, "Closed Won")
    copy = harness.seller_creates(Name="ERP renewal", Sync_with_Partner_Center__c=False)
    harness.run_rounds(1)
    harness.seller_edits(copy, Sync_with_Partner_Center__c=True)
    harness.run_rounds(1)
    assert harness.referral_of(copy)["id"] != harness.referral_of(deal)["id"]


def test_both_sides_close_differently_and_partner_centers_end_stands(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral = harness.referral_of(deal)["id"]
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push(1)
    harness.colleague_edits(referral, status="Closed", substatus="Lost", statusReason="Others")
    harness.run_rounds(2)
    assert ends(harness, referral)[:2] == ("Closed", "Lost")
    assert harness.opportunity(deal)["StageName"] == "Closed Lost"
    told = "Kept: Closed/Lost, the end in Partner Center. Discarded: Closed/Won."
    assert harness.count_in_audit(deal, told) == 1
    assert_quiet(harness)
