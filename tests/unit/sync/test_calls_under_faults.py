"""What was read once is not read again because another call failed (docs/protocol.md#throttling)."""

from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.sync.ports import Policy
from shared.sync.retry_queue import PAIRS_FOR_A_CALL, PULLED_TOGETHER, batches_of_pairs
from tests.unit.sync.harness import HOUR, MINUTE, Harness

GET, QUERY = "partner_center.get", "salesforce.query"


def create_deals(harness: Harness, count: int) -> list[str]:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(count)]
    harness.push_until_quiet()
    harness.push(HOUR)
    return deals


def edit_referrals(harness: Harness, deals: list[str]) -> None:
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=12000)
    harness.forget_calls()


def halve(harness: Harness, side: Side, times: int) -> None:
    """The side has limited calls of the first instance, one after the other."""
    for _ in range(times):
        with harness.first.ctx.paces.of(side).call() as call:
            call.status = 429


def throttle_partner_center(after: int) -> Fault:
    headers = {"Retry-After": "600"}
    return Fault(FaultKind.ANSWER, path="/referrals/[^/]+$", status=429, headers=headers, skip=after)


def test_referrals_that_were_read_before_a_pause_are_written(harness: Harness) -> None:
    deals = create_deals(harness, 3)
    edit_referrals(harness, deals)
    halve(harness, Side.PARTNER_CENTER, times=3)
    harness.inject_fault(Side.PARTNER_CENTER, throttle_partner_center(after=2))
    harness.sweep()
    amounts = sorted(harness.opportunity(deal)["Amount"] for deal in deals)
    assert amounts.count(12000) == 2
    harness.clear_faults()
    harness.push(HOUR)
    assert all(harness.opportunity(deal)["Amount"] == 12000 for deal in deals)
    assert harness.new_calls()[GET] == 3


def test_a_sweep_ends_what_a_failed_pull_has_queued(harness: Harness) -> None:
    deals = create_deals(harness, 1)
    edit_referrals(harness, deals)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, status=500, times=3))
    harness.sweep()
    assert harness.retry_entries(Side.PARTNER_CENTER)
    harness.sweep(MINUTE)
    assert not harness.retry_entries(Side.PARTNER_CENTER)
    assert harness.opportunity(deals[0])["Amount"] == 12000
    harness.forget_calls()
    harness.push(HOUR)
    assert GET not in harness.new_calls()


def test_no_referral_is_read_again_after_a_lost_write_back(harness: Harness) -> None:
    (deal,) = create_deals(harness, 1)
    harness.seller_edits(deal, Amount=4321)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, sent='"PATCH"'))
    harness.push()
    assert harness.stored_link(deal).intent is not None
    harness.forget_calls()
    harness.sweep(HOUR)
    harness.push(HOUR)
    harness.push(MINUTE)
    assert GET not in harness.new_calls()
    link = harness.stored_link(deal)
    assert (link.intent, link.unwritten) == (None, False)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert "→ 4321.00 USD" in harness.opportunity(deal)["Audit__c"]


@pytest.mark.parametrize(("calls", "sizes"), [(8, [240, 60]), (4, [192, 108]), (1, [48] * 6 + [12])])
def test_fewer_pairs_are_worked_together_while_a_side_limits_the_calls(
    harness: Harness, calls: int, sizes: list[int]
) -> None:
    assert (PULLED_TOGETHER, PAIRS_FOR_A_CALL) == (240, 48)
    halve(harness, Side.SALESFORCE, times={8: 0, 4: 1, 1: 3}[calls])
    assert harness.first.ctx.paces.calls_at_once(Side.SALESFORCE) == calls
    keys = [str(number) for number in range(300)]
    found = list(batches_of_pairs(harness.first.ctx, keys, PULLED_TOGETHER))
    assert [len(batch) for batch in found] == sizes
    assert [key for batch in found for key in batch] == keys


def test_a_failed_read_of_opportunities_costs_no_more_than_one_batch_of_referrals() -> None:
    policy = Policy(hold_win=timedelta(), batch=4, mass_change_limit=100)
    with Harness(policy=policy) as harness:
        deals = create_deals(harness, 8)
        edit_referrals(harness, deals)
        harness.partner_center.switches.page_size = 4
        harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, status=500, times=3))
        harness.sweep()
        harness.sweep(MINUTE)
        assert harness.new_calls()[GET] == 8 + 4
        assert all(harness.opportunity(deal)["Amount"] == 12000 for deal in deals)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER])
def test_no_referral_is_read_again_after_a_lost_write_of_an_opportunity(harness: Harness, kind: FaultKind) -> None:
    (deal,) = create_deals(harness, 1)
    edit_referrals(harness, [deal])
    harness.inject_fault(Side.SALESFORCE, Fault(kind, sent='"PATCH"'))
    harness.sweep()
    assert harness.new_calls()[GET] == 1
    harness.sweep(HOUR)
    harness.push(HOUR)
    harness.push(MINUTE)
    assert GET not in harness.new_calls()
    link, referral = harness.stored_link(deal), harness.referral_of(deal)
    assert (link.intent, link.etag, link.agreed) == (None, referral["eTag"], True)
    assert harness.opportunity(deal)["Amount"] == 12000
    assert harness.count_in_audit(deal, "→ 12000.00 USD") == 1


def test_a_change_after_a_lost_write_is_read(harness: Harness) -> None:
    (deal,) = create_deals(harness, 1)
    edit_referrals(harness, [deal])
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP, sent='"PATCH"'))
    harness.sweep()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=13000)
    harness.pull_event(harness.referral_of(deal)["id"])
    harness.push(HOUR)
    harness.push(MINUTE)
    assert harness.opportunity(deal)["Amount"] == 13000
    assert not harness.count_in_audit(deal, "both sides")
