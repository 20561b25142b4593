"""Microsoft was asked by a colleague, or has sent the deal itself (docs/protocol.md#asking-microsoft-for-help)."""

import pytest

from emulators.base.faults import FaultKind
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.helped_deals import (
    ASKED,
    GENERAL,
    HELP,
    PROOF,
    SHOWN_IN,
    TWO_MINUTES,
    VISIBLE,
    asked_for,
    assert_asked_once,
    lose_reply,
    mark,
    microsofts_record,
    microsofts_records,
    new_deal,
    private_deal,
    show_records,
)
from tests.unit.sync.inbound_deals import accepted_deal, assert_quiet, recover_after_lease


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
