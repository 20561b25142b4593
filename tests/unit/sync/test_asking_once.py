"""Microsoft is asked once for a deal, under crashes and lost replies (docs/protocol.md#asking-microsoft-for-help)."""

from functools import partial

import pytest

from emulators.base.faults import FaultKind
from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import AFTER_LEASE, AFTER_SETTLE_TIME, HOUR, Harness
from tests.unit.sync.helped_deals import (
    DEALS,
    GENERAL,
    HELP,
    QUESTION,
    SHOWN_IN,
    TWO_MINUTES,
    asked_for,
    assert_asked_once,
    lose_reply,
    mark,
    microsofts_records,
    new_deal,
    push_at_its_time,
    show_records,
)
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease

# --- crashes


def crash_and_recover(kind: str, where: str, number: int, *, is_known: bool) -> tuple[int, str, int]:
    """Crash at one call and recover. Returns the records of Microsoft's, the mark, and how often a question is told."""
    with Harness() as harness:
        show_records(harness, where, is_known=is_known)
        deal = DEALS[kind](harness)
        crashing = harness.new_instance()
        crash_instance_at(crashing, number)
        assert crashing.crashes_during(push_at_its_time)
        recover_after_lease(harness)
        if is_known:
            assert_asked_once(harness, deal)
        assert_quiet(harness)
        return len(microsofts_records(harness)), mark(harness, deal), harness.count_in_audit(deal, QUESTION)


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("where", SHOWN_IN)
@pytest.mark.parametrize("kind", DEALS)
def test_a_crash_at_any_call_asks_microsoft_once(kind: str, where: str, every: int) -> None:
    points, calls = crash_points(DEALS[kind], push_at_its_time)
    assert calls > len(points) > 6
    for number in every_nth(points, every):
        crash_and_recover(kind, where, number, is_known=True)


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("kind", DEALS)
def test_a_crash_where_lists_never_show_microsoft_asks_at_most_once_and_else_asks_a_person(
    kind: str, every: int
) -> None:
    points, _ = crash_points(DEALS[kind], push_at_its_time)
    ends = {crash_and_recover(kind, "never", number, is_known=False) for number in every_nth(points, every)}
    assert ends <= {(1, "Synced", 0), (1, "Failed", 1), (0, "Failed", 1)}
    if every == 1:
        assert ends == {(1, "Synced", 0), (1, "Failed", 1), (0, "Failed", 1)}


@pytest.mark.parametrize("every", EVERY_NTH)
@pytest.mark.parametrize("kind", DEALS)
def test_another_instance_at_any_call_does_not_ask_again(kind: str, every: int) -> None:
    points, calls = crash_points(DEALS[kind], push_at_its_time)
    for number in every_nth(range(calls), every):
        with Harness() as harness:
            deal = DEALS[kind](harness)
            worker, other = harness.new_instance(), harness.new_instance()
            worker.process.interrupt_at("", partial(other.push, 0), skip=number)
            push_at_its_time(worker)
            recover_after_lease(harness)
            assert_asked_once(harness, deal)
    assert len(points) > 6


# --- lost replies


@pytest.mark.parametrize("where", SHOWN_IN)
@pytest.mark.parametrize("lost", [FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.TRUNCATE])
@pytest.mark.parametrize(("kind", "skip"), [("new", 0), ("new", 1), ("linked", 0)])
def test_a_lost_reply_to_either_create_asks_microsoft_once(
    harness: Harness, kind: str, skip: int, lost: FaultKind, where: str
) -> None:
    show_records(harness, where)
    deal = DEALS[kind](harness)
    lose_reply(harness, lost, skip)
    harness.push(TWO_MINUTES)
    recover_after_lease(harness)
    assert_asked_once(harness, deal)


@pytest.mark.parametrize("kind", DEALS)
def test_a_request_of_unknown_outcome_waits_for_the_settle_time_while_other_values_go_on(
    harness: Harness, kind: str
) -> None:
    show_records(harness, "engagement")
    deal = DEALS[kind](harness)
    lose_reply(harness, FaultKind.DROP, skip=kind == "new")
    harness.push(TWO_MINUTES)
    assert (microsofts_records(harness), mark(harness, deal)) == ([], "Waiting")
    assert harness.count_in_audit(deal, "did not confirm that Microsoft was asked for help") == 1
    harness.seller_edits(deal, Amount=12_000)
    harness.push()
    harness.push(AFTER_LEASE)
    assert harness.referral_of(deal)["details"]["dealValue"] == 12_000
    assert (microsofts_records(harness), mark(harness, deal)) == ([], "Waiting")
    harness.push(AFTER_SETTLE_TIME)
    assert_asked_once(harness, deal)


def test_a_list_without_our_own_referral_is_no_reason_to_send_again(harness: Harness) -> None:
    show_records(harness, "engagement")
    deal = new_deal(harness)
    harness.partner_center.switches.list_lag = 3 * HOUR
    lose_reply(harness, FaultKind.DROP_AFTER, skip=1)
    harness.push(TWO_MINUTES)
    harness.push(AFTER_SETTLE_TIME)
    harness.push(HOUR)
    assert (mark(harness, deal), harness.count_in_audit(deal, QUESTION)) == ("Waiting", 0)
    harness.push(3 * HOUR)
    assert_asked_once(harness, deal)


@pytest.mark.parametrize("lost", [FaultKind.DROP, FaultKind.DROP_AFTER])
def test_where_lists_never_showed_microsoft_a_lost_request_is_a_question(harness: Harness, lost: FaultKind) -> None:
    show_records(harness, "never", is_known=False)
    deal = new_deal(harness)
    lose_reply(harness, lost, skip=1)
    harness.push(TWO_MINUTES)
    recover_after_lease(harness)
    assert len(microsofts_records(harness)) == (lost is FaultKind.DROP_AFTER)
    assert (mark(harness, deal), harness.count_in_audit(deal, QUESTION)) == ("Failed", 1)
    assert_quiet(harness)
    harness.seller_edits(deal, Amount=12_000)
    harness.push()
    assert (harness.referral_of(deal)["details"]["dealValue"], mark(harness, deal)) == (12_000, "Failed")


def test_help_that_is_cleared_while_the_outcome_is_unknown_is_not_sent_again(harness: Harness) -> None:
    show_records(harness, "engagement")
    deal = new_deal(harness)
    lose_reply(harness, FaultKind.DROP, skip=1)
    harness.push(TWO_MINUTES)
    harness.seller_edits(deal, **{HELP: None})
    recover_after_lease(harness)
    assert (microsofts_records(harness), mark(harness, deal)) == ([], "Synced")
    assert_quiet(harness)


def test_other_help_that_is_chosen_while_the_outcome_is_unknown_waits_its_own_time(harness: Harness) -> None:
    show_records(harness, "engagement")
    deal = new_deal(harness)
    lose_reply(harness, FaultKind.DROP, skip=1)
    harness.push(TWO_MINUTES)
    harness.advance_time(AFTER_SETTLE_TIME)
    harness.seller_edits(deal, **{HELP: GENERAL})
    harness.push()
    assert microsofts_records(harness) == []
    harness.push(TWO_MINUTES)
    assert asked_for(harness, deal)[0] == "GeneralOrOther"
    assert_quiet(harness)


# --- between the two creates


@pytest.mark.parametrize("change", [{"Sync_with_Partner_Center__c": False}, {HELP: None}])
def test_a_deal_that_is_unticked_between_the_two_creates_is_not_asked_about(
    harness: Harness, change: dict[str, object]
) -> None:
    deal = new_deal(harness)
    crashing = harness.new_instance()
    crashing.process.interrupt_at("partner_center.create", crashing.process.crash, after=True)
    assert crashing.crashes_during(push_at_its_time)
    harness.seller_edits(deal, **change)
    recover_after_lease(harness)
    assert (len(harness.our_referrals()), microsofts_records(harness)) == (1, [])
    assert_quiet(harness)


def test_a_deal_that_was_unticked_between_the_creates_waits_anew_when_it_is_ticked_again(harness: Harness) -> None:
    deal = new_deal(harness)
    lose_reply(harness, FaultKind.DROP_AFTER)
    harness.push(TWO_MINUTES)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    recover_after_lease(harness)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push()
    assert microsofts_records(harness) == []
    harness.push(TWO_MINUTES)
    assert_asked_once(harness, deal)


def test_a_deal_that_is_deleted_between_the_two_creates_is_not_asked_about(harness: Harness) -> None:
    deal = new_deal(harness)
    crashing = harness.new_instance()
    crashing.process.interrupt_at("partner_center.create", crashing.process.crash, after=True)
    assert crashing.crashes_during(push_at_its_time)
    harness.salesforce.delete("Opportunity", deal)
    recover_after_lease(harness)
    assert microsofts_records(harness) == []
