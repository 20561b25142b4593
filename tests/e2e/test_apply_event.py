"""The queue's two functions: what becomes of messages that fail, and of messages that say nothing."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from emulators.base.emulator import Fault, FaultKind
from shared.app import app
from shared.domain.deal import Side
from shared.sync.ports import RetryEntry
from tests.e2e.world import PATIENCE, Events, World

RESOURCE = "https://api.partnercenter.microsoft.com/engagements/v1/referrals/"
EVENTS, POISON = "referral-events", "referral-events-poison"
LATER = datetime.now(UTC) + timedelta(days=1)


def due_referrals() -> list[RetryEntry]:
    return list(app().store.retry_entries(Side.PARTNER_CENTER, LATER, 100))


def let_time_pass() -> None:
    """Everything on the due list is due now."""
    for row in due_referrals():
        app().store.put_retry_entry(RetryEntry(row.side, row.key, datetime.now(UTC), row.cause, row.attempts))


def send_event(world: World, referral: str) -> None:
    assert world.send(*world.systems.partner_center.signed_event(referral)).status_code == 202


def failed(world: World, times: int) -> bool:
    return len(world.host.failures) == times


def test_a_message_that_fails_every_time_ends_on_the_due_list_and_is_applied_later(
    world: World, logged: Events
) -> None:
    """Salesforce is away from the start: not even the sign-in succeeds."""
    referral = world.systems.partner_center.microsoft_sends()
    world.systems.salesforce.faults.append(Fault(FaultKind.DROP, times=1_000))

    send_event(world, referral)
    for tries in range(1, 6):
        world.until(partial(failed, world, tries))
        world.clock.advance(31)  # past the visibility timeout of host.json
    world.host.wait_idle(PATIENCE)

    assert {failure.function for failure in world.host.failures} == {"apply_event"}
    assert len(world.host.failures) == 5
    assert (world.queued(EVENTS), world.queued(POISON)) == (0, 0)
    assert [(row.key, row.cause) for row in due_referrals()] == [(referral, "poisoned")]
    assert [e["referral_id"] for e in logged.named("event_poisoned")] == [referral]

    world.systems.salesforce.faults.clear()
    let_time_pass()
    world.host.fire("push_opportunities")

    assert referral in world.opportunities()
    assert due_referrals() == []


def test_a_refused_sign_in_pauses_the_side_instead_of_being_tried_with_every_message(
    world: World, logged: Events
) -> None:
    refusal = Fault(
        FaultKind.ANSWER, path="/services/oauth2/token", times=1_000, status=400,
        body='{"error":"invalid_grant","error_description":"user hasn\'t approved this consumer"}',
    )  # fmt: skip
    world.systems.salesforce.faults.append(refusal)
    referrals = [world.systems.partner_center.microsoft_sends() for _ in range(3)]

    send_event(world, referrals[0])
    world.until(lambda: len(world.host.failures) == 1)
    tried = len(world.systems.salesforce.journal)
    for referral in referrals[1:]:
        send_event(world, referral)
    world.until(lambda: len(due_referrals()) == len(referrals) - 1)
    world.host.fire("push_opportunities")
    world.host.fire("sweep_referrals")

    assert len(world.systems.salesforce.journal) == tried
    assert [event["code"] for event in logged.named("sign_in_failed")] == ["invalid_grant"]
    assert [event["reason"] for event in logged.named("run_skipped")] == ["side_paused"]
    assert {row.cause for row in due_referrals()} == {"side_paused"}
    assert [failure.function for failure in world.host.failures] == ["apply_event"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no JSON",
        "[]",
        '{"received": "2026-11-01T00:00:00Z"}',
        '{"body": null}',
        json.dumps({"body": "{}"}),
        json.dumps({"body": json.dumps({"EventName": "referral-updated", "ResourceUri": "https://evil.example/x"})}),
        '{"body": "\\ud83d"}',
        "\u2603 not ours",
    ],
)
@pytest.mark.parametrize("queue", [EVENTS, POISON])
def test_a_message_that_says_nothing_is_done_without_a_call(
    world: World, logged: Events, queue: str, message: str
) -> None:
    world.queues.put(queue, message)
    world.host.wait_idle(PATIENCE)

    assert world.host.failures == []
    assert (world.queued(EVENTS), world.queued(POISON)) == (0, 0)
    assert world.remote_calls() == 0
    assert [e["event"] for e in logged.all] == ["event_not_understood"]


def test_ten_events_of_one_new_deal_make_one_opportunity(world: World) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    _, body = world.systems.partner_center.signed_event(referral)
    message = json.dumps({"received": "2026-11-01T00:00:00Z", "body": body.decode()})
    for _ in range(10):
        world.queues.put(EVENTS, message)
    world.host.wait_idle(PATIENCE)
    let_time_pass()
    world.host.fire("push_opportunities")

    assert world.host.failures == []
    assert len(world.systems.salesforce.records("Opportunity")) == 1
    assert due_referrals() == []
