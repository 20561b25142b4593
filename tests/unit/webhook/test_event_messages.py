"""A queue message leads to its event, whichever build made it: the id in the log is the hash of the received body."""

import json

import pytest

from shared.webhook.admission import LONGEST_MESSAGE, _queue_message, event_in_message
from shared.webhook.events import DOCUMENTED_HOSTS, Event, id_of_event, parse_event
from tests.unit.webhook.test_events import event_body


def message_of(body: bytes) -> bytes:
    event = parse_event(body)
    assert isinstance(event, Event)
    return _queue_message(event, body.decode(), DOCUMENTED_HOSTS[0]).encode()


@pytest.mark.parametrize("more", ["", "x" * LONGEST_MESSAGE], ids=["whole", "shortened"])
def test_the_event_in_a_message_has_the_id_of_the_body_that_arrived(more: str) -> None:
    body = event_body(AuditUri=more)
    event = event_in_message(message_of(body))
    assert event is not None
    assert event.id == id_of_event(body)


def test_a_message_of_an_earlier_build_is_read() -> None:
    body = event_body()
    event = event_in_message(json.dumps({"received": "2026-11-22T10:00:00+00:00", "body": body.decode()}).encode())
    assert event == parse_event(body)


@pytest.mark.parametrize("more", ["", "x" * LONGEST_MESSAGE], ids=["whole", "shortened"])
@pytest.mark.parametrize("name", ["referral-updated", "related-referral-created", "related-referral-updated"])
def test_a_message_says_whether_another_partys_referral_has_changed(name: str, more: str) -> None:
    event = event_in_message(message_of(event_body(EventName=name, AuditUri=more)))
    assert event is not None
    assert event.name.is_related == name.startswith("related-")
