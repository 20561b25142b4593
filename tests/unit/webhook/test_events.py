"""Verified bodies: which of them name a referral to read."""

import json

import pytest

from emulators.partner_center.events import KNOWN_NAMES
from shared.settings.variables import EventSettings
from shared.webhook.event_names import OTHER_EVENTS, TEST_CREATED, EventName
from shared.webhook.events import (
    DOCUMENTED_HOSTS,
    ArrivedTestEvent,
    Event,
    NotUnderstood,
    NotUnderstoodReason,
    id_of_event,
    parse_event,
)

ID = "5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c"
URI = f"https://api.partnercenter.microsoft.com/engagements/v1/referrals/{ID}"


def event_body(**changes: object) -> bytes:
    fields = {
        "EventName": "referral-updated",
        "ResourceUri": URI,
        "ResourceName": "referral",
        "AuditUri": None,
        "ResourceChangeUtcDate": "2026-03-04T11:02:18.8245671+00:00",
    }
    return json.dumps({**fields, **changes}).encode()


def unused_reason(raw: bytes, **settings: frozenset[str]) -> NotUnderstoodReason:
    answer = parse_event(raw, **settings)
    assert isinstance(answer, NotUnderstood)
    return answer.reason


def test_the_documented_event_names_its_referral() -> None:
    assert parse_event(event_body()) == Event(EventName.UPDATED, ID, id_of_event(event_body()))


@pytest.mark.parametrize("name", list(EventName))
def test_all_four_referral_events_are_understood(name: EventName) -> None:
    answer = parse_event(event_body(EventName=name.value))
    assert isinstance(answer, Event)
    assert answer.name is name


def test_keys_are_read_without_regard_to_case() -> None:
    fields = {"eventName": "Referral-Created", "resourceURI": URI.upper().replace("HTTPS", "https")}
    body = json.dumps(fields).encode()
    assert parse_event(body) == Event(EventName.CREATED, ID, id_of_event(body))


@pytest.mark.parametrize(
    "uri",
    [
        f"http://api.partnercenter.microsoft.com/v1.0/engagements/referrals/{ID}",
        f"https://api.partnercenter.microsoft.com/v1.0/referrals/{ID}",
        f"https://API.partnercenter.microsoft.com/Engagements/V1/Referrals/{ID.upper()}",
        f"https://api.partner.microsoft.com/v1.0/engagements/referrals/{ID}",
        f"https://API.Partner.microsoft.com/v1.0/Engagements/referrals/{ID}",
        f"https://api.partner.microsoft.com:443/v1.0/engagements/referrals/{ID}",
        f"https://api.partnercenter.microsoft.com:443/engagements/v1/referrals/{ID}",
        f"http://api.partnercenter.microsoft.com:80/engagements/v1/referrals/{ID}",
        f"{URI}/",
        f"https://api.partner.microsoft.com:443/v1.0/engagements/referrals/{ID}/",
    ],
)
def test_every_known_form_of_the_address_gives_the_id_in_lower_case(uri: str) -> None:
    answer = parse_event(event_body(ResourceUri=uri))
    assert isinstance(answer, Event)
    assert answer.referral_id == ID


@pytest.mark.parametrize(
    "uri",
    [
        "",
        ID,
        f"https://evil.test/engagements/v1/referrals/{ID}",
        f"https://api.partnercenter.microsoft.com.evil.test/engagements/v1/referrals/{ID}",
        f"https://api.partnercenter.microsoft.com@evil.test/engagements/v1/referrals/{ID}",
        f"{URI}?x=1",
        f"{URI}#x",
        f"{URI}//",
        f"{URI}/x",
        f" {URI}",
        f"{URI}\n",
        URI.replace(ID, ID.replace("-", "")),
        URI.replace(ID, "{" + ID + "}"),
        URI[:-1],
        URI.replace(ID, "../" + ID),
        URI.replace(ID, ID.replace("5", "\u0665")),
        URI.replace("referrals", "customers"),
        URI.replace("/engagements/v1", "/v2"),
        f"//api.partnercenter.microsoft.com/engagements/v1/referrals/{ID}",
        f"file:///engagements/v1/referrals/{ID}",
        f"https://api.partnercenter.microsoft.com:8080/engagements/v1/referrals/{ID}",
        f"https://api.partner.microsoft.com:80/v1.0/engagements/referrals/{ID}",
        f"https://api.partner.microsoft.com:/v1.0/engagements/referrals/{ID}",
        f"https://api.partner.microsoft.com:443@evil.test/v1.0/engagements/referrals/{ID}",
        f"https://partner.microsoft.com/v1.0/engagements/referrals/{ID}",
        "http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/" + ID,
    ],
)
def test_a_foreign_resource_is_not_read(uri: str) -> None:
    assert unused_reason(event_body(ResourceUri=uri)) is NotUnderstoodReason.FOREIGN_RESOURCE


def test_further_hosts_are_a_setting() -> None:
    uri = f"https://localhost:8443/engagements/v1/referrals/{ID}"
    assert unused_reason(event_body(ResourceUri=uri)) is NotUnderstoodReason.FOREIGN_RESOURCE
    assert isinstance(parse_event(event_body(ResourceUri=uri), hosts=frozenset({"localhost:8443"})), Event)
    assert unused_reason(event_body(), hosts=frozenset({"localhost:8443"})) is NotUnderstoodReason.FOREIGN_RESOURCE


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_is_skipped(mark: bytes) -> None:
    answer = parse_event(mark + event_body())
    assert isinstance(answer, Event)
    assert answer.referral_id == ID


def test_the_setting_allows_both_documented_hosts() -> None:
    assert EventSettings().resource_hosts == DOCUMENTED_HOSTS


def test_both_reseller_events_are_events_of_other_products() -> None:
    assert {
        "reseller-relationship-accepted-by-customer",
        "indirect-reseller-relationship-accepted-by-customer",
    } <= OTHER_EVENTS
    assert {name.lower() for name in KNOWN_NAMES} == {*EventName, TEST_CREATED, *OTHER_EVENTS}


@pytest.mark.parametrize("name", sorted(OTHER_EVENTS))
def test_events_of_other_products_are_recognised_and_ignored(name: str) -> None:
    assert unused_reason(event_body(EventName=name, ResourceUri=None)) is NotUnderstoodReason.OTHER_EVENT


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (f"http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/{ID.upper()}", ID),
        (f"https://localhost:8443/webhooks/v1/registration/validationEvents/{ID}", ID),
        ("http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/x\ny", None),
        (None, None),
    ],
)
def test_a_test_event_is_recognised_and_names_no_referral(uri: object, expected: str | None) -> None:
    for name in ("test-created", "Test-Created"):
        assert parse_event(event_body(EventName=name, ResourceUri=uri)) == ArrivedTestEvent(expected)


def test_an_unknown_event_name_has_its_own_reason() -> None:
    for name in ("referral-deleted", "", "referral-updated ", "x" * 10_000):
        assert unused_reason(event_body(EventName=name)) is NotUnderstoodReason.UNKNOWN_EVENT


@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["referral-updated"]])
def test_values_of_another_type_are_not_understood(value: object) -> None:
    assert unused_reason(event_body(EventName=value)) is NotUnderstoodReason.WRONG_TYPE
    assert unused_reason(event_body(ResourceUri=value)) is NotUnderstoodReason.WRONG_TYPE


def test_missing_fields_are_not_understood() -> None:
    assert unused_reason(b"{}") is NotUnderstoodReason.WRONG_TYPE
    assert unused_reason(b'{"EventName":"referral-updated"}') is NotUnderstoodReason.WRONG_TYPE


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", NotUnderstoodReason.NOT_JSON),
        (b"{", NotUnderstoodReason.NOT_JSON),
        (b"{'EventName': 1}", NotUnderstoodReason.NOT_JSON),
        (b'{"a": NaN}', NotUnderstoodReason.NOT_JSON),
        (b'{"a": -Infinity}', NotUnderstoodReason.NOT_JSON),
        (b'{"a": ' + b"9" * 5_000 + b"}", NotUnderstoodReason.NOT_JSON),
        (b'{"a": 1} {"b": 2}', NotUnderstoodReason.NOT_JSON),
        (b"\xef\xbb\xbf" * 2 + event_body(), NotUnderstoodReason.NOT_JSON),
        (b"\x00", NotUnderstoodReason.NOT_JSON),
        (event_body().decode().encode("utf-16"), NotUnderstoodReason.NOT_UTF8),
        (b'{"a": "\xff"}', NotUnderstoodReason.NOT_UTF8),
        (b"[" * 60_000, NotUnderstoodReason.TOO_DEEP),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, NotUnderstoodReason.TOO_DEEP),
        (b"[]", NotUnderstoodReason.NOT_AN_OBJECT),
        (b"null", NotUnderstoodReason.NOT_AN_OBJECT),
        (b'"referral-updated"', NotUnderstoodReason.NOT_AN_OBJECT),
        (b'{"EventName": "a", "eventName": "b"}', NotUnderstoodReason.REPEATED_KEY),
        (b'{"x": {"a": 1, "a": 2}}', NotUnderstoodReason.REPEATED_KEY),
    ],
)
def test_a_body_that_is_not_a_plain_json_object_is_not_understood(raw: bytes, expected: NotUnderstoodReason) -> None:
    assert unused_reason(raw) is expected


@pytest.mark.parametrize("stamp", [None, "", "yesterday", 5, "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_an_unreadable_time_does_not_drop_the_event(stamp: object) -> None:
    assert isinstance(parse_event(event_body(ResourceChangeUtcDate=stamp)), Event)


def test_unknown_fields_and_lone_surrogates_are_tolerated() -> None:
    assert isinstance(parse_event(event_body(Extra={"deep": [1, {"x": None}]})), Event)
    assert unused_reason(event_body(EventName="\ud800")) is NotUnderstoodReason.UNKNOWN_EVENT
