"""A gateway that answers a page parks nothing at once: the call is made again, and only what lasts is parked.

Source: docs/protocol.md#unreadable-refusals.
"""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet

PAGE = "<html><body>Request blocked.</body></html>"
CREATE, CHANGE = "POST", "PATCH"
TOLD = "without a reason that can be read"


def block(harness: Harness, method: str, status: int = 400, sent: str = "", times: int = 99, **more: object) -> None:
    """A gateway answers the next calls with a page."""
    kind = more.pop("kind", FaultKind.ANSWER)
    fault = Fault(kind, method=method, status=status, body=PAGE, sent=sent, times=times)  # type: ignore[arg-type]  # a kind
    harness.inject_fault(Side.PARTNER_CENTER, fault)


def push_for(harness: Harness, minutes: int, every: int = 5) -> None:
    for _ in range(minutes // every):
        harness.push(every * MINUTE)


def tries(harness: Harness, method: str) -> int:
    """How many calls the gateway has answered."""
    return sum(99 - fault.times for fault in harness.partner_center.faults if fault.method == method)


def is_counted(harness: Harness, deal: str) -> bool:
    """Whether the link remembers unreadable refusals."""
    repeats = harness.stored_link(deal).repeats
    return repeats is not None and bool(repeats.unreadable)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413])
def test_one_page_of_a_gateway_parks_nothing_and_pauses_nothing(harness: Harness, status: int) -> None:
    deal = harness.shared_deal()
    block(harness, CHANGE, status, times=1)
    harness.seller_edits(deal, Amount=777)
    harness.push()
    assert harness.stored_link(deal).state is State.LIVE
    assert harness.store.side_state(Side.PARTNER_CENTER, fresh=True).paused_until is None
    push_for(harness, 10)
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert not is_counted(harness, deal)
    assert_quiet(harness)


def test_the_loser_of_a_conflict_is_told_if_a_page_says_not_found_after_the_effect(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=555)
    harness.seller_edits(deal, Amount=777)
    block(harness, CHANGE, 404, kind=FaultKind.ANSWER_AFTER, times=1)
    harness.sweep()
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    push_for(harness, 10)
    assert harness.count_in_audit(deal, "Amount 555.00 USD → 777.00 USD") == 1


def test_a_refusal_without_a_reason_is_tried_five_times_over_an_hour_then_parked_and_tried_hourly(
    harness: Harness,
) -> None:
    deal = harness.shared_deal()
    block(harness, CHANGE)
    harness.seller_edits(deal, Amount=777)
    push_for(harness, 60)
    assert (tries(harness, CHANGE), harness.stored_link(deal).state) == (4, State.LIVE)
    push_for(harness, 60)
    link = harness.stored_link(deal)
    assert (link.state, link.cause and link.cause.code) == (State.PARKED, "unreadable_refusal")
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    parked = tries(harness, CHANGE)
    push_for(harness, 180)
    assert 2 <= tries(harness, CHANGE) - parked <= 3
    assert harness.count_in_audit(deal, TOLD) == 1
    harness.clear_faults()
    harness.run_rounds(5)
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_only_the_value_that_a_gateway_blocks_stays_behind(harness: Harness) -> None:
    deal = harness.shared_deal()
    block(harness, CHANGE, sent="DROP TABLE")
    harness.seller_edits(deal, Amount=777, Description="DROP TABLE deals")
    push_for(harness, 150)
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert [line.partition('"')[0] for line in harness.audit_texts(deal) if TOLD in line] == [
        "Not synced: Description "
    ]


def test_a_create_that_a_page_answers_is_looked_for_before_anything_is_created_again(harness: Harness) -> None:
    deal = harness.seller_creates()
    block(harness, CREATE, kind=FaultKind.ANSWER_AFTER, times=1)
    push_for(harness, 40)
    assert harness.referral_of(deal)["externalReferenceId"] == deal
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_deal_that_a_gateway_lets_nobody_create_is_parked_after_an_hour_and_tried_hourly(harness: Harness) -> None:
    deal = harness.seller_creates()
    block(harness, CREATE)
    push_for(harness, 50)
    assert harness.stored_link(deal).state is not State.PARKED
    push_for(harness, 70)
    assert harness.stored_link(deal).state is State.PARKED
    assert (tries(harness, CREATE), harness.count_in_audit(deal, TOLD)) == (5, 1)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    push_for(harness, 180)
    assert (tries(harness, CREATE) - 5 <= 3, harness.count_in_audit(deal, TOLD)) == (True, 1)
    harness.clear_faults()
    harness.run_rounds(5, after=HOUR)
    assert harness.referral_of(deal)["externalReferenceId"] == deal
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert not is_counted(harness, deal)
    assert_quiet(harness)


def block_salesforce(harness: Harness, sent: str, times: int = 9999) -> None:
    """A gateway before Salesforce answers a page to each write that contains a word."""
    fault = Fault(FaultKind.ANSWER, method="POST", path="composite", status=403, body=PAGE, sent=sent, times=times)
    harness.inject_fault(Side.SALESFORCE, fault)


def test_a_record_that_a_gateway_blocks_holds_back_no_other_of_its_call_and_is_parked_after_an_hour(
    harness: Harness,
) -> None:
    deals = [harness.shared_deal(Name=f"Deal {number}") for number in range(4)]
    block_salesforce(harness, "DROP TABLE")
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=777)
    blocked = deals[1]
    harness.colleague_edits(harness.referral_of(blocked)["id"], details_notes="DROP TABLE deals")
    harness.sweep()
    assert [harness.opportunity(deal)["Amount"] for deal in deals] == [777, 10000, 777, 777]
    assert harness.stored_link(blocked).state is State.LIVE
    push_for(harness, 150)
    assert harness.opportunity(blocked)["Amount"] == 777
    link = harness.stored_link(blocked)
    assert (link.state, link.cause and link.cause.code) == (State.PARKED, "unreadable_refusal")
    harness.clear_faults()
    harness.run_rounds(5, after=HOUR)
    assert harness.opportunity(blocked)["Description"] == "DROP TABLE deals"
    assert harness.opportunity(blocked)["Sync_Status__c"] == "Synced"
    assert not is_counted(harness, blocked)
    assert_quiet(harness)
