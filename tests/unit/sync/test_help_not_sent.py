"""Why Microsoft is not asked for help with a linked deal, as its seller reads it.

Source: docs/protocol.md#asking-microsoft-for-help.
"""

from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.policy import Policy
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.helped_deals import (
    ASKED,
    HELP,
    NOTES,
    PROOF,
    TWO_MINUTES,
    VISIBLE,
    WILL_ASK,
    complete_deal,
    linked_deal,
    mark,
    microsofts_records,
)
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet

SENT_BY_MICROSOFT = "Microsoft is not asked for help, because it sent this deal and takes part already. Please clear"
NOT_ACCEPTED = "because this deal is not accepted yet. Please choose an active Stage to accept it"


def partners_deal(harness: Harness) -> str:
    """An inbound deal of another partner that nobody has answered."""
    team = [{"firstName": "A", "lastName": "B", "email": "a@b.example", "phoneNumber": "1"}]
    harness.pull_event(harness.partner_center.partner_sends(customerProfile={"team": team}))
    harness.push_until_quiet()
    (deal,) = [record["Id"] for record in harness.salesforce.records("Opportunity")]
    return str(deal)


def test_help_on_a_deal_that_microsoft_sent_is_told_so_before_it_is_accepted(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.run_rounds()
    assert (harness.count_in_audit(deal, SENT_BY_MICROSOFT), harness.count_in_audit(deal, NOT_ACCEPTED)) == (1, 0)
    assert mark(harness, deal) == "Waiting"
    assert_quiet(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.push_until_quiet()
    harness.push(TWO_MINUTES)
    assert len(microsofts_records(harness)) == harness.count_in_audit(deal, SENT_BY_MICROSOFT) == 1
    assert mark(harness, deal) == "Synced with differences"
    assert_quiet(harness)


def test_what_only_a_request_needs_is_not_demanded_of_a_deal_that_microsoft_sent(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification", Products__c=None, **{HELP: PROOF})
    harness.run_rounds()
    assert harness.count_in_audit(deal, "Not synced: Microsoft is not asked") == 1
    assert harness.count_in_audit(deal, "Not synced: Opportunity Owner") == 0
    assert mark(harness, deal) == "Synced with differences"


def test_a_deal_of_another_partner_is_asked_about_once_it_is_accepted(harness: Harness) -> None:
    deal = partners_deal(harness)
    harness.seller_edits(deal, OwnerId=harness.salesforce.seller, **{HELP: PROOF})
    harness.run_rounds()
    assert (microsofts_records(harness), harness.count_in_audit(deal, NOT_ACCEPTED)) == ([], 1)
    assert mark(harness, deal) == "Waiting"
    assert_quiet(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(1)
    harness.push(TWO_MINUTES)
    harness.push(TWO_MINUTES)
    (record,) = microsofts_records(harness)
    assert record["inviteContext"]["assistanceRequestCode"] == "ProofOfConceptOrDemo"
    assert harness.count_in_audit(deal, ASKED) == 1


def test_a_linked_deal_that_lacks_what_a_request_needs_says_that_only_help_is_not_sent(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, Products__c=None, Amount=12_000, **{HELP: PROOF})
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["dealValue"] == 12_000
    told = "Not synced: Microsoft is not asked for help with this deal yet: Products is empty. Please enter a"
    assert (harness.count_in_audit(deal, told), mark(harness, deal)) == (1, "Failed")


def test_a_linked_deal_on_an_on_hold_stage_is_not_asked_about(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, StageName="On Hold", **{HELP: PROOF})
    harness.run_rounds()
    assert (microsofts_records(harness), harness.opportunity(deal)[VISIBLE]) == ([], False)
    assert harness.count_in_audit(deal, "not asked for help with this deal yet: This Stage means New/Pending") == 1
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds(1)
    harness.push(TWO_MINUTES)
    assert (len(microsofts_records(harness)), mark(harness, deal)) == (1, "Synced")


@pytest.mark.parametrize("visible", [False, True])
def test_notes_without_help_are_told_once_as_not_sent(harness: Harness, *, visible: bool) -> None:
    deal = linked_deal(harness, **{VISIBLE: visible, NOTES: "A demo in May, please."})
    harness.push(TWO_MINUTES)
    harness.run_rounds()
    told = "Notes to Microsoft were not sent: they are sent only with How can Microsoft help?"
    assert (harness.count_in_audit(deal, told), mark(harness, deal)) == (1, "Synced")
    assert_quiet(harness)
    harness.seller_edits(deal, Amount=12_000)
    harness.run_rounds(1)
    assert harness.count_in_audit(deal, told) == 1


def test_a_deal_that_is_held_meanwhile_waits_anew_before_it_is_shared(harness: Harness) -> None:
    deal = complete_deal(harness, **{HELP: PROOF})
    harness.push()
    harness.seller_edits(deal, Products__c=None)
    harness.push(TWO_MINUTES)
    assert mark(harness, deal) == "Failed"
    harness.seller_edits(deal, Products__c="SOL-10001")
    harness.push()
    assert (harness.our_referrals(), harness.count_in_audit(deal, WILL_ASK)) == ([], 2)
    harness.push(TWO_MINUTES)
    assert len(microsofts_records(harness)) == 1


def test_a_linked_deal_without_the_consent_says_that_only_help_is_not_sent() -> None:
    with Harness(policy=Policy(needs_consent=True, hold_win=timedelta())) as harness:
        deal = linked_deal(harness, Customer_Consents__c=True)
        harness.seller_edits(deal, Customer_Consents__c=False, Amount=12_000, **{HELP: PROOF})
        harness.run_rounds()
        assert harness.referral_of(deal)["details"]["dealValue"] == 12_000
        assert harness.count_in_audit(deal, "this deal is not sent") == 0
        assert harness.count_in_audit(deal, "Microsoft is not asked for help without the customer's consent") == 1


@pytest.mark.parametrize("cleared_first", [False, True], ids=["cleared with the choice", "cleared before"])
def test_help_on_a_visible_deal_ticks_the_field_again(harness: Harness, *, cleared_first: bool) -> None:
    deal = linked_deal(harness, **{VISIBLE: True})
    harness.push(TWO_MINUTES)
    if cleared_first:
        harness.seller_edits(deal, **{VISIBLE: False})
        harness.run_rounds(1)
    harness.seller_edits(deal, **{VISIBLE: False, HELP: PROOF})
    harness.run_rounds(1)
    assert (harness.opportunity(deal)[VISIBLE], mark(harness, deal)) == (True, "Waiting")
    harness.push(TWO_MINUTES)
    harness.push(HOUR)
    assert (len(microsofts_records(harness)), mark(harness, deal)) == (1, "Synced")
    harness.seller_edits(deal, **{VISIBLE: False})
    harness.run_rounds()
    assert (harness.opportunity(deal)[VISIBLE], mark(harness, deal)) == (False, "Synced with differences")


def test_microsoft_is_not_asked_where_partner_center_refuses_to_share_the_deal(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    body = '{"code": "400001", "description": "Not so."}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=400, body=body))
    harness.forget_calls()
    harness.push(TWO_MINUTES)
    assert harness.referral_of(deal)["type"] == "Independent"
    assert harness.new_calls()["partner_center.create"] == harness.count_in_audit(deal, ASKED) == 0
    assert harness.count_in_audit(deal, "was not carried over") == 1
