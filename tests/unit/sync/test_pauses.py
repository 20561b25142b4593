"""An operator's pause is kept in the store: it stops a direction for every instance, and a run that goes on too.

Source: docs/protocol.md#off-preview-on.
"""

import pytest

from shared.domain.deal import Side
from shared.domain.policy import PULL, PUSH
from shared.store.pause_rows import PARTITIONS, STATE
from shared.store.rows import Put
from shared.sync.ports import Outcome, Policy, Result
from shared.sync.retry_queue import keep_retry_queue, must_stop, queue_pair
from tests.unit.sync.harness import MINUTE, Harness


def test_a_paused_push_sends_nothing_and_ends_well_and_goes_on_after_the_pause(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.store.pause_direction(PUSH, harness.first.ctx.clock.now(), "operator")
    harness.seller_edits(deal, Amount=7)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] != 7
    assert harness.store.cursor("push_done") is not None
    assert [one["reason"] for one in harness.first.log.fields_of("run_skipped")] == ["paused"]
    harness.store.resume_direction(PUSH)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 7


def test_a_paused_pull_reads_nothing_from_any_trigger(harness: Harness) -> None:
    deal = harness.shared_deal()
    referral_id = harness.referral_of(deal)["id"]
    harness.push_until_quiet()
    harness.store.pause_direction(PULL, harness.first.ctx.clock.now(), "operator")
    harness.colleague_edits(referral_id, details_dealValue=99)
    queue_pair(
        harness.first.ctx,
        Side.PARTNER_CENTER,
        referral_id,
        Outcome(Result.RETRY, "busy", harness.first.ctx.clock.now()),
    )
    harness.push()
    harness.sweep()
    assert harness.pull_event(referral_id) is None
    assert harness.opportunity(deal)["Amount"] != 99
    harness.store.resume_direction(PULL)
    harness.sweep()
    assert harness.opportunity(deal)["Amount"] == 99


def test_another_instance_sees_the_pause_within_five_seconds(harness: Harness) -> None:
    deal = harness.shared_deal()
    other = harness.new_instance(Policy())
    other.push()
    harness.store.pause_direction(PUSH, harness.first.ctx.clock.now(), "operator")
    harness.seller_edits(deal, Amount=7)
    other.push(after=MINUTE)
    assert harness.referral_of(deal)["details"]["dealValue"] != 7


def test_a_run_that_goes_on_stops_once_its_direction_is_paused(harness: Harness) -> None:
    started = harness.first.ctx.clock.now()
    assert not must_stop(harness.first.ctx, started, PUSH)
    harness.store.pause_direction(PUSH, started, "operator")
    harness.advance_time(6)
    assert must_stop(harness.first.ctx, started, PUSH)
    assert not must_stop(harness.first.ctx, started, PULL)


def test_a_pull_leaves_no_write_to_a_push_that_an_operator_has_paused(harness: Harness) -> None:
    ctx = harness.first.ctx
    outcomes = {"r-1": Outcome(Result.RETRY, "ambiguous", ctx.clock.now(), pushed="006AA0000000001AAA")}
    harness.store.pause_direction(PUSH, ctx.clock.now(), "operator")
    keep_retry_queue(ctx, Side.PARTNER_CENTER, outcomes, {})
    assert harness.store.retry_entry(Side.PARTNER_CENTER, "r-1") is not None
    harness.store.resume_direction(PUSH)
    harness.advance_time(6)
    keep_retry_queue(ctx, Side.PARTNER_CENTER, outcomes, {})
    assert harness.store.retry_entry(Side.SALESFORCE, "006AA0000000001AAA") is not None


@pytest.mark.parametrize("direction", [PUSH, PULL])
def test_a_pause_that_cannot_be_read_pauses_too(harness: Harness, direction: str) -> None:
    harness.store._rows.write(PARTITIONS[direction], [Put(STATE, b"\xff")])
    assert harness.store.pauses(fresh=True)[direction].since is None


def test_a_pause_that_nobody_made_is_ended_without_an_error(harness: Harness) -> None:
    harness.store.resume_direction(PUSH)
    assert harness.store.pauses() == {}
