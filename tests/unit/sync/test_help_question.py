"""A request for help of which nobody knows whether Microsoft got it: whom the sync asks, and when it stops.

Source: docs/protocol.md#asking-microsoft-for-help.
"""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.ask_microsoft import LISTED
from tests.unit.sync.harness import AFTER_SETTLE_TIME, HOUR, Harness
from tests.unit.sync.heard_deals import hear_event
from tests.unit.sync.helped_deals import (
    ASKED,
    HELP,
    PROOF,
    QUESTION,
    TWO_MINUTES,
    complete_deal,
    linked_deal,
    mark,
    microsofts_records,
)
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease

DAY = 24 * HOUR
UNSURE = "did not confirm that Microsoft was asked for help. The sync looks for the request"
AGAIN = "Please choose the help again only if Partner Center shows that Microsoft was not asked"
ENDED = "The deal is closed, so the sync no longer looks for the request for help"
LEFT = "This deal is not synced any more, so the sync does not look for the request for help"
TAKES_PART = "Microsoft takes part in this deal already"
LOST = [FaultKind.DROP, FaultKind.DROP_AFTER]


def lost_request(harness: Harness, lost: FaultKind = FaultKind.DROP) -> str:
    """A linked deal whose request for help got no answer."""
    harness.partner_center.switches.related_lists = "never"
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(lost, method="POST"))
    harness.push(TWO_MINUTES)
    assert harness.count_in_audit(deal, UNSURE) == 1
    return deal


def questioned_deal(harness: Harness, lost: FaultKind = FaultKind.DROP) -> str:
    """The same, once the seller is asked."""
    deal = lost_request(harness, lost)
    recover_after_lease(harness)
    assert (mark(harness, deal), harness.count_in_audit(deal, QUESTION)) == ("Failed", 1)
    return deal


# --- a person answers


@pytest.mark.parametrize("lost", LOST)
def test_a_seller_who_clears_the_field_has_answered_whatever_they_found(harness: Harness, lost: FaultKind) -> None:
    deal = questioned_deal(harness, lost)
    harness.seller_edits(deal, **{HELP: None})
    harness.push()
    assert (mark(harness, deal), harness.count_in_audit(deal, AGAIN)) == ("Synced", 1)
    assert harness.count_in_audit(deal, "To ask Microsoft, choose the help again") == 0
    assert_quiet(harness)


@pytest.mark.parametrize("lost", LOST)
def test_a_seller_who_chooses_the_help_again_asks_microsoft_at_most_once(harness: Harness, lost: FaultKind) -> None:
    deal = questioned_deal(harness, lost)
    harness.seller_edits(deal, **{HELP: None})
    harness.push()
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.push(TWO_MINUTES)
    assert len(microsofts_records(harness)) == 1
    told = ASKED if lost is FaultKind.DROP else TAKES_PART
    assert (mark(harness, deal), harness.count_in_audit(deal, told)) == ("Synced", 1)
    assert_quiet(harness)


def test_an_event_of_microsofts_answer_ends_the_question_and_names_no_time_to_answer(harness: Harness) -> None:
    deal = questioned_deal(harness, FaultKind.DROP_AFTER)
    harness.partner_center.microsoft_accepts(microsofts_records(harness)[0]["engagementId"])
    hear_event(harness.first, microsofts_records(harness)[0]["id"])
    assert mark(harness, deal) == "Synced"
    assert harness.count_in_audit(deal, "Microsoft has accepted this deal") == 1
    assert harness.count_in_audit(deal, "Microsoft was asked for help: Proof Of Concept or Demo. It has answered") == 1
    assert harness.count_in_audit(deal, "It can answer until") == 0
    assert_quiet(harness)


def test_a_list_that_shows_the_request_later_ends_the_question(harness: Harness) -> None:
    deal = questioned_deal(harness, FaultKind.DROP_AFTER)
    harness.partner_center.switches.related_lists = "engagement"
    harness.push(HOUR)
    assert (mark(harness, deal), harness.count_in_audit(deal, ASKED)) == ("Synced", 1)
    assert_quiet(harness)


# --- a deal that is closed or un-ticked meanwhile


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("asked_first", [False, True], ids=["before the question", "after it"])
def test_a_deal_that_closes_meanwhile_asks_nobody_and_is_looked_at_no_longer(
    harness: Harness, lost: FaultKind, *, asked_first: bool
) -> None:
    deal = questioned_deal(harness, lost) if asked_first else lost_request(harness, lost)
    harness.seller_edits(deal, StageName="Closed Lost")
    harness.push()
    harness.push(TWO_MINUTES)
    recover_after_lease(harness)
    harness.push(HOUR)
    assert (harness.count_in_audit(deal, ENDED), harness.count_in_audit(deal, QUESTION)) == (1, int(asked_first))
    assert (mark(harness, deal), harness.retry_entries(Side.SALESFORCE)) == ("Synced", [])
    assert_quiet(harness)


@pytest.mark.parametrize("asked_first", [False, True], ids=["before the question", "after it"])
def test_an_unticked_deal_says_once_that_nobody_looks_any_more(harness: Harness, *, asked_first: bool) -> None:
    deal = questioned_deal(harness) if asked_first else lost_request(harness)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push()
    assert (harness.count_in_audit(deal, LEFT), harness.opportunity(deal)["Sync_Status__c"]) == (1, None)
    harness.push(HOUR)
    assert (harness.count_in_audit(deal, LEFT), harness.count_in_audit(deal, QUESTION)) == (1, int(asked_first))
    assert_quiet(harness)


@pytest.mark.parametrize("lost", LOST)
def test_an_unticked_deal_that_is_ticked_again_looks_before_it_asks(harness: Harness, lost: FaultKind) -> None:
    deal = lost_request(harness, lost)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push(HOUR)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push()
    harness.push(HOUR)
    assert (mark(harness, deal), harness.count_in_audit(deal, QUESTION)) == ("Failed", 1)
    assert len(microsofts_records(harness)) == (lost is FaultKind.DROP_AFTER)


# --- lists that are late, or refused


def test_a_list_that_stays_late_for_a_day_is_a_question(harness: Harness) -> None:
    harness.store.move_cursor(LISTED, harness.now())
    harness.partner_center.switches.list_lag = 90 * DAY
    deal = complete_deal(harness, **{HELP: PROOF})
    harness.push()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP, method="POST", skip=1))
    harness.push(TWO_MINUTES)
    harness.push(AFTER_SETTLE_TIME)
    assert (mark(harness, deal), harness.count_in_audit(deal, QUESTION)) == ("Waiting", 0)
    harness.push(DAY)
    harness.push(HOUR)
    assert (mark(harness, deal), harness.count_in_audit(deal, QUESTION)) == ("Failed", 1)
    assert microsofts_records(harness) == []


def test_a_first_request_waits_for_a_list_that_shows_our_own_referral(harness: Harness) -> None:
    harness.partner_center.switches.list_lag = 3 * HOUR
    deal = linked_deal(harness)
    harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"], "GeneralOrOther", "By phone.")
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.forget_calls()
    harness.push(TWO_MINUTES)
    assert harness.new_calls()["partner_center.create"] == 0
    assert harness.only_retry_entry(Side.SALESFORCE).cause == "not_listed"
    harness.push(4 * HOUR)
    assert harness.count_in_audit(deal, "asked for help with this deal already: General or Other") == 1
    assert harness.new_calls()["partner_center.create"] == 0


def test_a_refused_list_of_a_service_that_has_listed_before_is_tried_again(harness: Harness) -> None:
    harness.store.move_cursor(LISTED, harness.now())
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.forget_calls()
    harness.partner_center.switches.unfilterable = ("engagementId",)
    harness.push(TWO_MINUTES)
    assert harness.new_calls()["partner_center.create"] == 0
    harness.partner_center.switches.unfilterable = ()
    harness.push(HOUR)
    assert (len(microsofts_records(harness)), mark(harness, deal)) == (1, "Synced")


@pytest.mark.parametrize("where", ["never", "engagement"])
def test_a_refusal_that_names_the_target_says_that_microsoft_takes_part(harness: Harness, where: str) -> None:
    harness.store.move_cursor(LISTED, harness.now())
    harness.partner_center.switches.related_lists = where
    deal = linked_deal(harness)
    harness.partner_center.switches.related_list_lag = HOUR
    harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"], "GeneralOrOther", None)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.push(TWO_MINUTES)
    assert (mark(harness, deal), harness.count_in_audit(deal, TAKES_PART)) == ("Synced", 1)
    assert harness.count_in_audit(deal, "Partner Center refused it") == 0
    assert len(microsofts_records(harness)) == 1
