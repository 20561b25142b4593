"""An unanswered deal shows until when to answer it (docs/protocol.md#clocks-of-a-deal)."""

from copy import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.deal import Side
from tests.earlier_builds import FIRST_BUILD, unpacked_build
from tests.unit.sync.answer_times import (
    END,
    REASON,
    before_end,
    shown,
    warnings,
)
from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import (
    accepted_deal,
    arrived_deal,
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
)

# --- Answer By


def test_an_unanswered_deal_shows_until_when_to_answer_it_from_its_creation_on(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    assert shown(harness, deal) == END
    assert harness.stored_link(deal).answer_by == AnswerTime(END)
    harness.sweep()
    harness.push_until_quiet()
    assert_quiet(harness)


def test_a_deal_without_an_end_of_its_own_ends_14_days_after_its_creation(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/expirationDateTime": None})
    harness.pull_event(referral)
    assert shown(harness, opportunity_of(harness, referral)["Id"]) == END


def test_a_deal_of_our_own_and_an_answered_one_show_no_time(harness: Harness) -> None:
    _, deal = accepted_deal(harness)
    for each in (deal, harness.shared_deal()):
        assert shown(harness, each) is None
        assert harness.stored_link(each).answer_by is None


@pytest.mark.parametrize("stage", ["Qualification", "Closed Won", "Closed Lost"])
def test_the_sellers_answer_clears_the_time(harness: Harness, stage: str) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName=stage, **REASON)
    harness.push(1)
    harness.push(3 * MINUTE)
    assert shown(harness, deal) is None
    assert harness.stored_link(deal).answer_by is None
    assert_quiet(harness)


def test_an_accept_that_is_seen_in_partner_center_clears_the_time_in_the_write_that_moves_the_stage(
    harness: Harness,
) -> None:
    referral, deal = arrived_deal(harness)
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.forget_calls()
    harness.pull_event(referral)
    assert shown(harness, deal) is None
    calls = harness.new_calls()
    assert sum(calls.values()) == 3, calls


def test_the_end_of_an_unanswered_deal_clears_the_time(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    before_end(harness, minutes=-1)
    harness.run_rounds(2)
    assert shown(harness, deal) is None
    assert_quiet(harness)


def test_a_push_that_does_not_read_the_referral_keeps_the_time(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, NextStep="Call them")
    harness.push()
    assert harness.new_calls()["partner_center.get"] == 0
    assert shown(harness, deal) == END


def test_a_later_end_in_partner_center_is_shown(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    harness.partner_center.raw_patch(referral, {"/expirationDateTime": "2026-12-20T10:00:00Z"})
    harness.run_rounds(1)
    assert shown(harness, deal) == END + timedelta(days=14)


def test_a_time_that_somebody_overwrote_is_put_back_at_the_next_look(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, Answer_By__c="2026-11-23T10:00:00.000+0000")
    harness.push()
    assert shown(harness, deal) == END
    assert_quiet(harness)


def test_a_refused_column_is_left_out_and_written_again_an_hour_later(harness: Harness) -> None:
    harness.refuse_writes_of("Answer_By__c")
    _, deal = arrived_deal(harness)
    assert shown(harness, deal) is None
    assert harness.opportunity(deal)["Sync_Status__c"] == "Waiting"
    harness.clear_faults()
    harness.push(3 * MINUTE)
    harness.push(3601)
    harness.push()
    assert shown(harness, deal) == END
    assert_quiet(harness)


@pytest.mark.parametrize("look", ["edit", "event", "sweep"])
def test_a_link_of_an_earlier_build_gets_its_time_when_it_is_next_looked_at(harness: Harness, look: str) -> None:
    referral, deal = arrived_deal(harness)
    _forget_time(harness, deal)
    harness.seller_edits(deal, Answer_By__c=None)
    if look != "edit":
        harness.pull_event(referral) if look == "event" else harness.sweep(1)
        assert [entry.at for entry in harness.all_retry_entries(Side.PARTNER_CENTER)] == [END - timedelta(days=3)]
    else:
        harness.push()
        assert [entry.at for entry in harness.all_retry_entries(Side.SALESFORCE)] == [END - timedelta(days=3)]
    assert shown(harness, deal) == END
    assert harness.stored_link(deal).answer_by == AnswerTime(END)


def _forget_time(harness: Harness, deal: str) -> None:
    """Bring link and queue to the state in which an earlier build has left them."""
    entry = harness.store.link(deal)
    assert entry is not None
    harness.store.replace_link(entry, replace(entry.value, answer_by=None))
    for side in Side:
        for one in harness.all_retry_entries(side):
            harness.store.remove_retry_entry(one)


def test_an_org_with_the_package_of_the_first_build_shows_no_time_and_warns_all_the_same(tmp_path: Path) -> None:
    package = unpacked_build(FIRST_BUILD, tmp_path, "infra/salesforce") / "infra/salesforce"
    with Harness(package=package) as harness:
        _, deal = arrived_deal(harness)
        assert "Answer_By__c" not in harness.opportunity(deal)
        before_end(harness, days=3, minutes=-1)
        harness.push()
        assert warnings(harness, deal) == 1
        assert_quiet(harness)
