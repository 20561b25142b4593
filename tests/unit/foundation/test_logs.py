"""Log events have names and fixed fields, and each one is a single line."""

import json
import logging

import pytest

from shared.foundation.errors import Cause, Rejected
from shared.foundation.logs import EVENTS, LIBRARY_LEVELS, failure_fields, log, quiet


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


EMAIL = "philomena.quackenbush@kanarienvogel.example"


def test_a_code_or_a_field_that_is_no_known_shape_is_unknown(caplog: pytest.LogCaptureFixture) -> None:
    cause = Cause(EMAIL, EMAIL, EMAIL, "Please act.")
    with caplog.at_level(logging.DEBUG, "cosell"):
        log("pair_parked", opportunity_id="006", referral_id="r", code=EMAIL, field=EMAIL, correlation_id="run")
        log("pair_failed", **failure_fields(Rejected(cause), "run"), key="006", where="x:1")
        log("pair_due", side="salesforce", key="006", cause=EMAIL, attempts=0, correlation_id="run")
        log("opportunity_held", opportunity_id="006", causes=["missing_name", EMAIL], correlation_id="run")
        log("sign_in_failed", side="salesforce", code=EMAIL, call_id=None)
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert EMAIL not in caplog.text
    assert [line.get("code", line.get("cause")) for line in lines if line["event"] != "opportunity_held"] == [
        "unknown"
    ] * 4
    assert lines[3]["causes"] == ["missing_name", "unknown"]


def test_no_part_of_a_library_writes_details_whatever_its_level_was(monkeypatch: pytest.MonkeyPatch) -> None:
    part = logging.getLogger("httpcore.part_of_a_test")
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    part.setLevel(logging.DEBUG)
    logging.getLogger("httpcore").setLevel(logging.NOTSET)
    quiet()
    assert logging.getLogger("httpcore.later_part").getEffectiveLevel() == logging.WARNING
    assert part.getEffectiveLevel() == logging.WARNING
    assert all(logging.getLogger(name).getEffectiveLevel() >= level for name, level in LIBRARY_LEVELS.items())
