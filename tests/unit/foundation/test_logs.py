"""Log events have names and fixed fields, and each one is a single line."""

import json
import logging

import pytest

from shared.foundation.logs import EVENTS, log


def test_an_event_is_one_line_of_json_at_its_level(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cosell"):
        log("event_not_understood", event_id="e", reason="forged\nsecond line")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "\n" not in record.getMessage()
    assert json.loads(record.getMessage()) == {
        "event": "event_not_understood",
        "event_id": "e",
        "reason": "forged\nsecond line",
    }


def test_an_event_that_is_not_listed_raises() -> None:
    with pytest.raises(KeyError, match="surprise"):
        log("surprise")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"opportunity_id": "006"},
        {"opportunity_id": "006", "referral_id": "r", "email": "someone@example.com"},
    ],
)
def test_a_missing_or_additional_field_raises_before_anything_is_written(
    caplog: pytest.LogCaptureFixture, fields: dict[str, object]
) -> None:
    with caplog.at_level(logging.DEBUG, "cosell"), pytest.raises(ValueError, match="referral_created has the fields"):
        log("referral_created", **fields)
    assert caplog.records == []


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_can_be_written(caplog: pytest.LogCaptureFixture, event: str) -> None:
    level, names = EVENTS[event]
    with caplog.at_level(logging.DEBUG, "cosell"):
        log(event, **dict.fromkeys(names, "x"))
    assert caplog.records[0].levelno == level
    assert set(json.loads(caplog.records[0].getMessage())) == {"event", *names}


def test_no_event_has_a_field_for_personal_or_secret_values() -> None:
    forbidden = {"email", "phone", "name_of_person", "customer", "token", "body", "notes", "account", "value"}
    assert not forbidden & {name for _, names in EVENTS.values() for name in names}
