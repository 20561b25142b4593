"""An entry that an operator has left: both sides are read, and what a service refused is written once more.

Source: docs/protocol.md#the-retry-queue.
"""

from copy import replace

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link import Intent
from shared.domain.link_states import State
from shared.store.stored_values import OPERATOR
from shared.sync.ports import Outcome, Result, RetryEntry
from shared.sync.retry_queue import keep_retry_queue
from tests.unit.sync.harness import A_WEEK, HOUR, START, Harness
from tests.unit.sync.inbound_deals import assert_quiet

NOT_SO = '{"error": {"code": "invalidRequest", "message": "Not so."}}'


def ask(harness: Harness, deal: str) -> None:
    now = harness.first.ctx.clock.now()
    harness.store.put_retry_entry(RetryEntry(Side.SALESFORCE, deal, now, OPERATOR, since=now))


def refuse_patch(harness: Harness, times: int = 1) -> None:
    fault = Fault(FaultKind.ANSWER, method="PATCH", status=400, body=NOT_SO, times=times)
    harness.inject_fault(Side.PARTNER_CENTER, fault)


@pytest.fixture
def parked(harness: Harness) -> str:
    """A deal of which Partner Center has refused the amount."""
    deal = harness.shared_deal()
    harness.push_until_quiet()
    refuse_patch(harness)
    harness.seller_edits(deal, Amount=4321)
    harness.push()
    assert harness.stored_link(deal).state is State.PARKED
    return deal


def test_what_partner_center_refused_is_written_again_only_once_an_operator_asks(harness: Harness, parked: str) -> None:
    harness.run_rounds(5)
    assert harness.stored_link(parked).state is State.PARKED
    ask(harness, parked)
    harness.push()
    assert harness.referral_of(parked)["details"]["dealValue"] == 4321
    harness.run_rounds(2)
    link = harness.stored_link(parked)
    assert (link.state, link.cause, link.refused) == (State.LIVE, None, {})
    assert harness.opportunity(parked)["Sync_Status__c"] == "Synced"
    assert harness.retry_entries(Side.SALESFORCE) == []
    assert_quiet(harness)


def test_what_is_refused_again_is_parked_again(harness: Harness, parked: str) -> None:
    refuse_patch(harness)
    ask(harness, parked)
    harness.push()
    link = harness.stored_link(parked)
    assert (link.state, harness.opportunity(parked)["Sync_Status__c"]) == (State.PARKED, "Failed")
    assert not [one for one in harness.all_retry_entries(Side.SALESFORCE) if one.cause == OPERATOR]


def test_a_deal_that_was_refused_as_a_whole_is_created(harness: Harness) -> None:
    fault = Fault(FaultKind.ANSWER, method="POST", status=400, body=NOT_SO)
    harness.inject_fault(Side.PARTNER_CENTER, fault)
    deal = harness.seller_creates()
    harness.run_rounds(3)
    assert harness.our_referrals() == []
    ask(harness, deal)
    harness.push()
    assert len(harness.our_referrals()) == 1


def test_a_change_that_nobody_heard_of_is_read(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.push_until_quiet()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=99)
    ask(harness, deal)
    harness.push()
    assert harness.opportunity(deal)["Amount"] == 99


def test_a_pair_that_another_instance_works_on_is_still_asked_for_afterwards(harness: Harness, parked: str) -> None:
    entry = harness.store.link(parked)
    assert entry is not None
    busy = harness.store.replace_link(entry, replace(entry.value, intent=Intent()))
    ask(harness, parked)
    harness.push()
    assert harness.only_retry_entry(Side.SALESFORCE).cause == OPERATOR
    harness.store.replace_link(busy, entry.value)
    harness.push(HOUR)
    assert harness.referral_of(parked)["details"]["dealValue"] == 4321


@pytest.mark.parametrize(
    "end",
    [
        Outcome(Result.HELD, "held"),
        Outcome(Result.PARKED, "refused", START + A_WEEK),
        Outcome(Result.RETRY, "Unavailable"),
        Outcome(Result.RECONCILED),
    ],
    ids=lambda end: str(end.result),
)
def test_work_that_ends_meanwhile_leaves_the_entry(harness: Harness, end: Outcome) -> None:
    deal = harness.shared_deal()
    harness.push_until_quiet()
    now = harness.first.ctx.clock.now()
    harness.store.put_retry_entry(RetryEntry(Side.SALESFORCE, deal, now, "held"))
    worked = harness.store.retry_entry(Side.SALESFORCE, deal)
    ask(harness, deal)
    keep_retry_queue(harness.first.ctx, Side.SALESFORCE, {deal: end}, {deal: worked})
    (left,) = harness.all_retry_entries(Side.SALESFORCE)
    assert (left.cause, left.at) == (OPERATOR, now)
