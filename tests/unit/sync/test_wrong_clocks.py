"""The clock of an instance is wrong by up to a day: nothing is made twice, and no wait is cut short.

Source: docs/protocol.md#time-and-deadlines.
"""

from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import AFTER_LEASE, AFTER_SETTLE_TIME, MINUTE, Harness
from tests.unit.sync.helped_deals import (
    HELP,
    PROOF,
    TWO_MINUTES,
    complete_deal,
    lose_reply,
    microsofts_records,
    show_records,
)
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.wrong_clocks import A_DAY, instance_with_clock

SLIGHTLY = timedelta(seconds=310)


@pytest.mark.parametrize(
    ("ahead", "is_compared"), [(SLIGHTLY, False), (A_DAY, False), (-A_DAY, False), (A_DAY, True), (-A_DAY, True)]
)
def test_a_create_by_a_wrong_clock_whose_reply_is_lost_makes_one_referral(
    harness: Harness, ahead: timedelta, is_compared: bool
) -> None:
    worker = instance_with_clock(harness, ahead, is_compared=is_compared)
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    worker.push()
    for instance in (worker, harness.first):
        instance.push(AFTER_SETTLE_TIME)
        instance.push()
    assert len(harness.our_referrals()) == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_clock_that_jumps_a_day_ahead_does_not_end_the_wait_for_a_late_list(harness: Harness) -> None:
    harness.partner_center.switches.list_lag = 500.0
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    instance_with_clock(harness, A_DAY).push(AFTER_LEASE)
    assert len(harness.our_referrals()) == 1
    harness.push(AFTER_SETTLE_TIME)
    assert harness.referral_of(deal)["id"] == harness.opportunity(deal)["Referral_Identifier__c"]


def test_a_close_stands_two_minutes_although_another_instance_is_a_day_ahead(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Lost")
    harness.push()
    instance_with_clock(harness, A_DAY).push(MINUTE)
    assert harness.referral_of(deal)["status"] != "Closed"
    instance_with_clock(harness, -A_DAY).push(2 * MINUTE)
    assert harness.referral_of(deal)["status"] == "Closed"


def test_microsoft_is_asked_once_although_another_instance_is_a_day_ahead(harness: Harness) -> None:
    show_records(harness, "all", is_known=True)
    harness.partner_center.switches.list_lag = 500.0
    complete_deal(harness, **{HELP: PROOF})
    harness.push()
    lose_reply(harness, FaultKind.DROP_AFTER, skip=1)
    harness.push(TWO_MINUTES)
    other = instance_with_clock(harness, A_DAY)
    other.push(AFTER_LEASE)
    other.push()
    assert len(microsofts_records(harness)) == 1
    harness.push(AFTER_SETTLE_TIME)
    harness.push()
    assert len(microsofts_records(harness)) == 1


def test_a_pair_that_a_fast_clock_queued_waits_no_day(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=777)
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=503))
    instance_with_clock(harness, A_DAY).push()
    harness.push(AFTER_LEASE)
    harness.push(AFTER_LEASE)
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
