"""A win that could be registered waits for 72 hours (docs/protocol.md#what-cannot-be-undone-waits)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.domain.policy import Policy
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import accepted_deal, arrived_deal, assert_quiet
from tests.unit.sync.test_answering import ends, patches

SHARED = {"consent": {"consentToShareReferralWithMicrosoftSellers": True}}
DAY = 24 * HOUR


@pytest.fixture
def harness() -> Iterator[Harness]:
    """A harness that holds wins, as the product does by default."""
    with Harness(policy=Policy()) as harness:
        yield harness


def test_a_win_of_a_shared_deal_waits_and_the_audit_says_until_when(harness: Harness) -> None:
    referral, deal = accepted_deal(harness, **SHARED)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push(1)
    harness.run_rounds(3)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    assert harness.count_in_audit(deal, "Closed/Won in Partner Center at 2026-11-25 10:00 UTC. An earlier win") == 1
    assert harness.count_in_audit(deal, "Stage will change") == 1
    assert_quiet(harness)
    harness.run_rounds(1, after=3 * DAY)
    assert ends(harness, referral)[:2] == ("Closed", "Won")
    assert_quiet(harness)


def test_a_held_win_that_is_undone_sends_nothing(harness: Harness) -> None:
    referral, deal = accepted_deal(harness, **SHARED)
    calls = patches(harness, referral)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push(1)
    harness.run_rounds(1, after=DAY)
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(1, after=3 * DAY)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert patches(harness, referral) == calls


def test_an_unanswered_deal_that_is_won_is_accepted_at_once_and_its_win_is_held(harness: Harness) -> None:
    referral, deal = arrived_deal(harness, **SHARED)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push(1)
    harness.run_rounds(1)
    assert ends(harness, referral)[:2] == ("Active", "Accepted")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    assert harness.opportunity(deal)["StageName"] == "Closed Won"
    assert harness.count_in_audit(deal, "may not be registered") == 1
    harness.run_rounds(1, after=3 * DAY)
    assert ends(harness, referral)[:2] == ("Closed", "Won")
    assert patches(harness, referral) == 2
    assert harness.count_in_audit(deal, "was changed on both sides") == 0


@pytest.mark.parametrize("stage", ["Closed Won", "Closed Lost"])
def test_a_win_of_a_private_deal_and_a_loss_are_not_held(harness: Harness, stage: str) -> None:
    if stage == "Closed Won":
        deal = harness.shared_deal()
        referral = harness.referral_of(deal)["id"]
    else:
        referral, deal = accepted_deal(harness, **SHARED)
    harness.seller_edits(deal, StageName=stage)
    harness.push(1)
    harness.push(3 * MINUTE)
    assert ends(harness, referral)[:2] == ("Closed", stage.removeprefix("Closed "))


def test_a_win_of_an_old_deal_waits_two_minutes_only(harness: Harness) -> None:
    referral, deal = accepted_deal(harness, **SHARED)
    harness.run_rounds(1, after=4 * DAY)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push(1)
    harness.push(3 * MINUTE)
    assert ends(harness, referral)[:2] == ("Closed", "Won")
    assert harness.count_in_audit(deal, "may not be registered") == 0


def test_a_setting_turns_the_hold_off() -> None:
    with Harness(policy=Policy(hold_win=timedelta())) as harness:
        referral, deal = accepted_deal(harness, **SHARED)
        harness.seller_edits(deal, StageName="Closed Won")
        harness.push(1)
        harness.push(3 * MINUTE)
        assert ends(harness, referral)[:2] == ("Closed", "Won")
