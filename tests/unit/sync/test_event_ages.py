"""Which events are of a burst (docs/protocol.md#bursts)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import azure.functions as func
import pytest
from azure.functions.queue import QueueMessage

from functions.apply_event import bp
from shared.domain.deal import Side
from shared.store.stored_values import EVENT
from shared.sync.event_ages import EventAges
from shared.webhook.event_names import EventName
from shared.webhook.events import Event
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of

NOW = datetime(2026, 12, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_an_old_message_is_of_a_burst_unless_it_is_the_first_for_a_minute() -> None:
    ages = EventAges()
    assert not ages.take_message(NOW - 60 * SECOND, NOW)
    assert ages.take_message(NOW - 60 * SECOND, NOW + SECOND)
    assert not ages.take_message(NOW, NOW + 61 * SECOND)
    assert ages.take_message(NOW, NOW + 62 * SECOND)


def test_a_young_message_or_one_of_unknown_age_is_of_no_burst() -> None:
    ages = EventAges()
    ages.take_message(NOW, NOW)
    assert not ages.take_message(NOW, NOW + 5 * SECOND)
    assert not ages.take_message(None, NOW + 6 * SECOND)


def test_a_time_without_a_zone_is_utc() -> None:
    ages = EventAges()
    ages.take_message(None, NOW)
    assert not ages.take_message(NOW.replace(tzinfo=None), NOW + 5 * SECOND)
    assert ages.take_message(NOW.replace(tzinfo=None), NOW + 6 * SECOND)


def test_the_trigger_queues_an_old_message_and_applies_a_young_one(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function that Azure calls: it reads the age of each message by the clock that the app goes by."""
    apply, now = trigger(harness, monkeypatch), harness.now()
    referrals = [microsoft_sends_deal(harness, name=f"Deal {number}") for number in range(4)]
    for referral, age in zip(referrals, (60, 60, 0, None), strict=True):
        inserted = None if age is None else (now - age * SECOND).replace(tzinfo=None)
        apply(QueueMessage(body=referral, insertion_time=inserted))
    assert [entry.key for entry in harness.retry_entries(Side.PARTNER_CENTER)] == [referrals[1]]
    assert [bool(opportunities_of(harness, referral)) for referral in referrals] == [True, False, True, True]
    (due,) = [fields for fields in harness.first.log.fields_of("pair_due") if fields["cause"] == EVENT]
    assert due["correlation_id"] == f"event {referrals[1]}"


def trigger(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Callable[[QueueMessage], None]:
    """The function, on both emulators. The body of a message is the id of a referral alone."""

    def event_of(body: bytes) -> Event:
        return Event(next(iter(EventName)), body.decode(), f"event {body.decode()}")

    monkeypatch.setattr("shared.app.app", lambda: SimpleNamespace(context=harness.first.ctx))
    monkeypatch.setattr("shared.webhook.admission.event_in_message", event_of)
    monkeypatch.setattr("shared.sync.event_ages.AGES", EventAges())
    host = func.FunctionApp()
    host.register_functions(bp)
    (function,) = host.get_functions()
    user_function: Callable[[QueueMessage], None] = function.get_user_function()
    return user_function
