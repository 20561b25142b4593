"""What a request for help and Microsoft's own record do to each other (docs/protocol.md#asking-microsoft-for-help)."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.heard_deals import hear, hear_event
from tests.unit.sync.helped_deals import (
    ASKED,
    GENERAL,
    HELP,
    NOTES,
    QUESTION,
    TWO_MINUTES,
    VISIBLE,
    asked_for,
    linked_deal,
    mark,
    microsofts_record,
    microsofts_records,
    new_deal,
)
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease

STATUS = "Microsoft_Status__c"


def lose_request(harness: Harness, kind: FaultKind = FaultKind.DROP_AFTER) -> None:
    """Lose the reply of the second create."""
    harness.inject_fault(Side.PARTNER_CENTER, Fault(kind, method="POST", skip=1))


def test_the_write_back_of_a_request_shows_that_microsoft_was_asked(harness: Harness) -> None:
    deal = new_deal(harness)
    harness.push(TWO_MINUTES)
    calls = harness.new_calls()
    assert calls["salesforce.conditional"] + calls["salesforce.write_back"] == 2  # with that of the first minute
    record = harness.opportunity(deal)
    assert (record[STATUS], record["Microsoft_Answer_By__c"][:10]) == ("Asked", "2026-12-06")
    assert_quiet(harness)


def test_an_event_before_the_reply_waits_and_doubles_nothing(harness: Harness) -> None:
    deal = new_deal(harness)
    worker, other = harness.new_instance(), harness.new_instance()

    def event_arrives() -> None:
        (theirs,) = microsofts_records(harness)
        hear_event(other, theirs["id"], after=0)

    worker.process.interrupt_at("partner_center.create", event_arrives, skip=1, after=True)
    worker.push(TWO_MINUTES)
    recover_after_lease(harness)
    assert (len(microsofts_records(harness)), harness.count_in_audit(deal, ASKED)) == (1, 1)
    assert (mark(harness, deal), harness.opportunity(deal)[STATUS]) == ("Synced", "Asked")
    assert_quiet(harness)


@pytest.mark.parametrize("is_question", [False, True])
def test_an_event_confirms_a_request_of_unknown_outcome(harness: Harness, is_question: bool) -> None:
    harness.partner_center.switches.related_lists = "never"
    deal = new_deal(harness)
    lose_request(harness)
    harness.push(TWO_MINUTES)
    if is_question:
        recover_after_lease(harness)
        assert (mark(harness, deal), harness.count_in_audit(deal, QUESTION)) == ("Failed", 1)
    hear(harness, deal)
    harness.push()
    assert (mark(harness, deal), harness.count_in_audit(deal, ASKED)) == ("Synced", 1)
    recover_after_lease(harness)
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", "A demo in May, please.")
    assert harness.count_in_audit(deal, QUESTION) == is_question
    assert (mark(harness, deal), harness.opportunity(deal)[STATUS]) == ("Synced", "Asked")
    assert_quiet(harness)


def test_what_a_colleague_asked_fills_the_empty_fields_once(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"], "GeneralOrOther", "By phone, please.")
    hear(harness, deal)
    record = harness.opportunity(deal)
    assert (record[HELP], record[NOTES], record[STATUS]) == (GENERAL, "By phone, please.", "Asked")
    assert harness.count_in_audit(deal, f"asked for help with this deal already: {GENERAL}") == 1
    harness.run_rounds(1)
    assert (mark(harness, deal), harness.opportunity(deal)[VISIBLE]) == ("Synced", True)
    assert_quiet(harness)
    harness.seller_edits(deal, **{HELP: None, NOTES: None})
    harness.run_rounds(1)
    hear(harness, deal)
    harness.push(HOUR)
    assert (harness.opportunity(deal)[HELP], mark(harness, deal)) == (None, "Synced with differences")
    assert harness.count_in_audit(deal, f'"empty" was not sent: Microsoft was asked already, for "{GENERAL}"') == 1
    assert len(microsofts_records(harness)) == 1


def test_fields_that_salesforce_does_not_take_are_filled_later(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"], "GeneralOrOther", "By phone, please.")
    harness.lock_record(deal, times=2)
    hear(harness, deal)
    assert harness.opportunity(deal)[HELP] is None
    harness.push()
    harness.run_rounds()
    record = harness.opportunity(deal)
    assert (record[HELP], record[NOTES], mark(harness, deal)) == (GENERAL, "By phone, please.", "Synced")
    assert harness.count_in_audit(deal, "was not sent") == 0
    assert_quiet(harness)


def test_a_colleagues_notes_are_shown_beside_the_help_that_the_seller_chose(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: GENERAL})
    harness.push()
    harness.partner_center.portal_asks_for_help(harness.referral_of(deal)["id"], "GeneralOrOther", "By phone, please.")
    harness.push(TWO_MINUTES)
    harness.run_rounds(1)
    assert microsofts_record(harness, deal)["inviteContext"]["assistanceRequestCode"] == "GeneralOrOther"
    assert (harness.opportunity(deal)[NOTES], mark(harness, deal)) == ("By phone, please.", "Synced")
    assert_quiet(harness)
