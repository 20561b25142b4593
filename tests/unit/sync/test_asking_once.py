"""Microsoft is asked once for a deal, under crashes and lost replies (docs/protocol.md#asking-microsoft-for-help)."""

from collections.abc import Callable
from functools import partial

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.ask_microsoft import LISTED
from tests.unit.sync.crash_points import EVERY_NTH, crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import AFTER_LEASE, AFTER_SETTLE_TIME, HOUR, Harness, Instance
from tests.unit.sync.helped_deals import (
    ASKED,
    GENERAL,
    HELP,
    NOTES,
    PROOF,
    TWO_MINUTES,
    VISIBLE,
    asked_for,
    complete_deal,
    linked_deal,
    mark,
    microsofts_record,
    microsofts_records,
)
from tests.unit.sync.inbound_deals import accepted_deal, assert_quiet, recover_after_lease

QUESTION = "Nobody knows whether Microsoft was asked for help"
SHOWN_IN = ["all", "engagement"]
"""The lists that show Microsoft's records."""


def show_records(harness: Harness, where: str, *, is_known: bool = True) -> None:
    """Let lists show Microsoft's records, or none; `is_known` says whether one was seen in a list before."""
    harness.partner_center.switches.related_lists = where
    if is_known:
        harness.store.move_cursor(LISTED, harness.now())


def new_deal(harness: Harness) -> str:
    """A new deal with help, whose two minutes have begun."""
    deal = complete_deal(harness, **{HELP: PROOF, NOTES: "A demo in May, please."})
    harness.push()
    return deal


def private_deal(harness: Harness) -> str:
    """A private linked deal with help, whose two minutes have begun."""
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF, NOTES: "A demo in May, please."})
    harness.push()
    return deal


DEALS: dict[str, Callable[[Harness], str]] = {"new": new_deal, "linked": private_deal}


def push_at_its_time(instance: Instance) -> None:
    instance.push(TWO_MINUTES)


def assert_asked_once(harness: Harness, deal: str) -> None:
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", "A demo in May, please.")
    assert (mark(harness, deal), harness.opportunity(deal)[VISIBLE], harness.differences(deal)) == ("Synced", True, [])
    assert harness.count_in_audit(deal, ASKED) == 1, harness.audit_texts(deal)
    assert harness.retry_entries(Side.SALESFORCE) == []
    assert_quiet(harness)
    # The service would refuse a second request, as the emulator does: none was sent.
    posts = [entry.status for entry in harness.partner_center.journal if entry.method == "POST"]
    assert 400 not in posts


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


def lose_reply(harness: Harness, kind: FaultKind, skip: int = 0) -> None:
    harness.inject_fault(Side.PARTNER_CENTER, Fault(kind, method="POST", skip=skip))


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


# --- refusals and failures


def test_a_refused_request_is_told_once_and_sent_again_when_the_deal_changes(harness: Harness) -> None:
    harness.partner_center.switches.solutions_not_ready = ("SOL-10001",)
    deal = new_deal(harness)
    harness.push(TWO_MINUTES)
    harness.run_rounds()
    assert (len(harness.our_referrals()), microsofts_records(harness), mark(harness, deal)) == (1, [], "Failed")
    assert harness.count_in_audit(deal, "No solution is co-sell ready") == 1
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert harness.opportunity(deal)[VISIBLE]
    assert_quiet(harness)
    harness.partner_center.switches.solutions_not_ready = ()
    harness.seller_edits(deal, Products__c="SOL-10001, SOL-20002")
    harness.push()
    harness.push(TWO_MINUTES)
    assert asked_for(harness, deal)[0] == "ProofOfConceptOrDemo"
    assert harness.count_in_audit(deal, ASKED) == 1


def test_a_parked_create_is_sent_again_once_the_seller_corrects_the_notes(harness: Harness) -> None:
    deal = new_deal(harness)
    answer = '{"error": {"code": "invalidRequest", "message": "Please write less."}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="POST", status=400, body=answer))
    harness.push(TWO_MINUTES)
    assert (harness.partner_center.referrals(), mark(harness, deal)) == ([], "Failed")
    harness.seller_edits(deal, **{NOTES: "A demo."})
    harness.push()
    harness.push(TWO_MINUTES)
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", "A demo.")


@pytest.mark.parametrize("status", [401, 429])
def test_a_request_that_is_surely_not_sent_is_sent_later(harness: Harness, status: int) -> None:
    deal = new_deal(harness)
    headers = {"Retry-After": "60"}
    fault = Fault(FaultKind.ANSWER, method="POST", path="referrals", status=status, headers=headers, skip=1, times=2)
    harness.inject_fault(Side.PARTNER_CENTER, fault)
    harness.push(TWO_MINUTES)
    assert (len(harness.our_referrals()), microsofts_records(harness)) == (1, [])
    harness.clear_faults()
    harness.run_rounds(2, harness.first)
    assert_asked_once(harness, deal)


# --- a colleague, and Microsoft itself


@pytest.mark.parametrize("where", SHOWN_IN)
def test_what_a_colleague_asked_in_the_portal_is_adopted_and_not_doubled(harness: Harness, where: str) -> None:
    show_records(harness, where, is_known=False)
    deal = private_deal(harness)
    harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"], "GeneralOrOther", "By phone.")
    harness.push(TWO_MINUTES)
    harness.run_rounds()
    assert asked_for(harness, deal) == ("GeneralOrOther", "By phone.")
    assert harness.count_in_audit(deal, f"asked for help with this deal already: {GENERAL}") == 1
    assert harness.count_in_audit(deal, f'"{PROOF}" was not sent: Microsoft was asked already, for "{GENERAL}"') == 1
    assert (mark(harness, deal), harness.opportunity(deal)[VISIBLE]) == ("Synced with differences", True)
    assert_quiet(harness)


def test_a_colleagues_request_that_no_list_shows_is_known_by_the_refusal(harness: Harness) -> None:
    show_records(harness, "never", is_known=False)
    deal = private_deal(harness)
    harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"], "GeneralOrOther", None)
    harness.push(TWO_MINUTES)
    harness.run_rounds()
    assert asked_for(harness, deal)[0] == "GeneralOrOther"
    assert harness.count_in_audit(deal, "Microsoft takes part in this deal already") == 1
    assert mark(harness, deal) == "Synced"
    assert_quiet(harness)


def test_a_service_that_does_not_list_by_engagement_is_asked_all_the_same(harness: Harness) -> None:
    harness.partner_center.switches.unfilterable = ("engagementId",)
    deal = private_deal(harness)
    harness.push(TWO_MINUTES)
    assert_asked_once(harness, deal)


def test_a_request_that_a_colleague_repeats_after_ours_was_lost_is_ours(harness: Harness) -> None:
    deal = private_deal(harness)
    lose_reply(harness, FaultKind.DROP)
    harness.push(TWO_MINUTES)
    own = harness.referral_of(deal)["id"]
    harness.partner_center.portal_asks_for_help(own, "ProofOfConceptOrDemo", "A demo in May, please.")
    recover_after_lease(harness)
    assert_asked_once(harness, deal)


@pytest.mark.parametrize("where", ["all", "engagement", "never"])
def test_help_on_a_deal_that_microsoft_sent_is_refused_and_told_once(harness: Harness, where: str) -> None:
    show_records(harness, where, is_known=False)
    _, deal = accepted_deal(harness)
    harness.seller_edits(deal, OwnerId=harness.salesforce.seller, **{HELP: PROOF})
    harness.push()
    harness.push(TWO_MINUTES)
    harness.run_rounds()
    assert len(microsofts_records(harness)) == 1
    assert harness.count_in_audit(deal, "because it sent this deal and takes part already") == 1
    assert harness.count_in_audit(deal, ASKED) == 0
    assert mark(harness, deal) == "Synced with differences"
    harness.seller_edits(deal, **{HELP: None})
    harness.push(HOUR)
    assert mark(harness, deal) == "Synced"


def test_microsofts_answer_to_another_engagement_is_not_taken(harness: Harness) -> None:
    show_records(harness, "engagement")
    first, second = new_deal(harness), new_deal(harness)
    harness.push(TWO_MINUTES)
    assert microsofts_record(harness, first)["id"] != microsofts_record(harness, second)["id"]
