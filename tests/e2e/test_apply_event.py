"""The two queue functions handle messages that fail, and messages that name no referral."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.app import app
from shared.domain.deal import Side
from shared.sync.ports import RetryEntry
from tests.e2e.world import WAIT_SECONDS, LogEvents, World

RESOURCE = "https://api.partnercenter.microsoft.com/engagements/v1/referrals/"
EVENTS, POISON = "referral-events", "referral-events-poison"
LATER = datetime.now(UTC) + timedelta(days=1)


def list_retry_entries() -> list[RetryEntry]:
    return list(app().store.retry_entries(Side.PARTNER_CENTER, LATER, 100))


def make_all_due() -> None:
    """Make every retry entry due now."""
    for entry in list_retry_entries():
        app().store.put_retry_entry(RetryEntry(entry.side, entry.key, datetime.now(UTC), entry.cause, entry.attempts))


def send_event(world: World, referral: str) -> None:
    assert world.post_event(*world.systems.partner_center.signed_event(referral)).status_code == 202


def has_failed_times(world: World, times: int) -> bool:
    return len(world.host.failures) == times


def test_a_message_that_fails_every_time_enters_the_retry_queue_and_is_applied_later(
    world: World, log_events: LogEvents
) -> None:
    """Salesforce fails from the start, so that even the sign-in does not succeed."""
    referral = world.systems.partner_center.microsoft_sends()
    world.systems.salesforce.faults.append(Fault(FaultKind.DROP, times=1_000))

    send_event(world, referral)
    for tries in range(1, 6):
        world.wait_until(partial(has_failed_times, world, tries))
        world.clock.advance(31)  # past the visibility timeout of host.json
    world.host.wait_idle(WAIT_SECONDS)

    assert {failure.function for failure in world.host.failures} == {"apply_event"}
    assert len(world.host.failures) == 5
    assert (world.count_queued(EVENTS), world.count_queued(POISON)) == (0, 0)
    assert [(entry.key, entry.cause) for entry in list_retry_entries()] == [(referral, "poisoned")]
    assert [e["referral_id"] for e in log_events.events_named("event_poisoned")] == [referral]

    world.systems.salesforce.faults.clear()
    make_all_due()
    world.host.run_now("push_opportunities")

    assert referral in world.opportunities_by_referral()
    assert list_retry_entries() == []


def test_a_refused_sign_in_pauses_the_side_so_that_no_message_tries_it_again(
    world: World, log_events: LogEvents
) -> None:
    refusal = Fault(
        FaultKind.ANSWER, path="/services/oauth2/token", times=1_000, status=400,
        body='{"error":"invalid_grant","error_description":"user hasn\'t approved this consumer"}',
    )  # fmt: skip
    world.systems.salesforce.faults.append(refusal)
    referrals = [world.systems.partner_center.microsoft_sends() for _ in range(3)]

    send_event(world, referrals[0])
    world.wait_until(lambda: len(world.host.failures) == 1)
    tried = len(world.systems.salesforce.journal)
    for referral in referrals[1:]:
        send_event(world, referral)
    world.wait_until(lambda: len(list_retry_entries()) == len(referrals) - 1)
    world.host.run_now("push_opportunities")
    world.host.run_now("sweep_referrals")

    assert len(world.systems.salesforce.journal) == tried
    assert [event["code"] for event in log_events.events_named("sign_in_failed")] == ["invalid_grant"]
    assert [event["reason"] for event in log_events.events_named("run_skipped")] == ["side_paused"]
    assert {entry.cause for entry in list_retry_entries()} == {"side_paused"}
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
def test_a_message_that_names_no_referral_is_removed_without_a_call(
    world: World, log_events: LogEvents, queue: str, message: str
) -> None:
    world.queues.put_message(queue, message)
    world.host.wait_idle(WAIT_SECONDS)

    assert world.host.failures == []
    assert (world.count_queued(EVENTS), world.count_queued(POISON)) == (0, 0)
    assert world.count_remote_calls() == 0
    assert [e["event"] for e in log_events.all] == ["event_not_understood"]


def test_ten_events_of_one_new_deal_make_one_opportunity(world: World) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    _, body = world.systems.partner_center.signed_event(referral)
    message = json.dumps({"received": "2026-11-01T00:00:00Z", "body": body.decode()})
    for _ in range(10):
        world.queues.put_message(EVENTS, message)
    world.host.wait_idle(WAIT_SECONDS)
    make_all_due()
    world.host.run_now("push_opportunities")

    assert world.host.failures == []
    assert len(world.systems.salesforce.records("Opportunity")) == 1
    assert list_retry_entries() == []
