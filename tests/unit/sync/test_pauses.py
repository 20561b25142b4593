"""An operator's pause is kept in the store: it stops a direction for every instance, and a run that goes on too.

Source: docs/protocol.md#off-preview-on.
"""

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.deal import Side
from shared.domain.policy import PAUSED, PULL, PUSH
from shared.store.pause_rows import PARTITIONS, STATE
from shared.store.rows import Put
from shared.sync import reconcile, runs
from shared.sync.link_referral import link_referral
from shared.sync.ports import Context, Outcome, Policy, Result
from shared.sync.retry_queue import keep_retry_queue, must_stop, queue_pair
from shared.sync.write_referral import create_referral
from tests.unit.sync.harness import MINUTE, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal


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


class PausingStep:
    """A step of a run, after whose first pair an operator pauses the direction, and a little time passes."""

    def __init__(self, harness: Harness, step: Callable[..., object], direction: str) -> None:
        self._harness, self._step, self._direction = harness, step, direction
        self.calls = 0

    def __call__(self, ctx: Context, *args: Any, **options: Any) -> object:  # noqa: ANN401 - whatever the step takes
        self.calls += 1
        result = self._step(ctx, *args, **options)
        if self.calls == 1:
            self._harness.store.pause_direction(self._direction, ctx.clock.now(), "operator")
            self._harness.advance_time(6)
        return result


def test_of_many_new_deals_no_other_is_sent_once_the_push_is_paused(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = {harness.seller_creates(Name=f"Deal {number}") for number in range(5)}
    step = PausingStep(harness, create_referral, PUSH)
    monkeypatch.setattr(reconcile, "create_referral", step)
    harness.push()
    left = {entry.key: entry.cause for entry in harness.retry_entries(Side.SALESFORCE)}
    assert (step.calls, len(harness.our_referrals()), len(left)) == (1, 1, 4)
    assert left.keys() < deals
    assert set(left.values()) == {PAUSED}
    assert harness.first.log.fields_of("unsynced")[-1]["count"] == 0, "what waits for an operator is not late"
    harness.push()
    assert step.calls == 1
    harness.store.resume_direction(PUSH)
    harness.push()
    assert (len(harness.our_referrals()), harness.retry_entries(Side.SALESFORCE)) == (5, [])


def test_of_many_new_referrals_no_other_is_linked_once_the_pull_is_paused(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        microsoft_sends_deal(harness, name=f"Deal {number}")
    step = PausingStep(harness, link_referral, PULL)
    monkeypatch.setattr(runs, "link_referral", step)
    harness.sweep()
    causes = [entry.cause for entry in harness.all_retry_entries(Side.PARTNER_CENTER)]
    assert (step.calls, causes.count(PAUSED)) == (1, 3)
    harness.store.resume_direction(PULL)
    harness.push()
    assert step.calls == 4
    assert PAUSED not in {entry.cause for entry in harness.all_retry_entries(Side.PARTNER_CENTER)}


def test_a_long_retry_queue_is_left_once_its_direction_is_paused(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PULLED_TOGETHER", 2)
    for _ in range(5):
        queue_pair(harness.first.ctx, Side.SALESFORCE, harness.seller_creates(), Outcome(Result.RETRY, "busy"))
    harness.advance_time(600)
    monkeypatch.setattr(runs, "changed_opportunities", lambda _: iter(()))
    step = PausingStep(harness, runs.work_opportunities, PUSH)
    monkeypatch.setattr(runs, "work_opportunities", step)
    harness.push()
    assert step.calls == 1
    assert len(harness.retry_entries(Side.SALESFORCE)) == 3


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
