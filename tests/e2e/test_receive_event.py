"""The webhook answers, queues and logs events, called through the worker library."""

import json
import logging

import pytest

from emulators.partner_center.events import sign_body
from tests.e2e.world import LogEvents, World

REFERRAL_ID = "11111111-aaaa-4bbb-8ccc-222222222222"
REFERRAL_URL = "https://api.partnercenter.microsoft.com/engagements/v1/referrals/"
TEST_EVENT_URL = "http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/"


def sign_headers(world: World, body: bytes) -> dict[str, str]:
    """The headers of an event whose body the dispatcher signed."""
    return sign_body(body, world.systems.partner.certificates)


def event_body(uri: str = REFERRAL_URL + REFERRAL_ID, name: str = "referral-updated") -> bytes:
    return json.dumps({"EventName": name, "ResourceUri": uri, "ResourceName": "referral"}).encode()


def is_untouched(world: World) -> bool:
    return (
        world.count_queued() == 0
        and world.systems.partner_center.journal == []
        and world.systems.salesforce.journal == []
    )


def test_an_event_is_answered_202_and_its_deal_becomes_an_opportunity(world: World, log_events: LogEvents) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    headers, body = world.systems.partner_center.signed_event(referral, "referral-created")

    answer = world.post_event(headers, body)
    world.wait_for_events()

    assert (answer.status_code, answer.content) == (202, b"")
    assert referral in world.opportunities_by_referral()
    events = ["event_accepted", "remote_written", "opportunity_created", "pair_due"]  # for the warning before its end
    assert [e["event"] for e in log_events.all] == events
    assert log_events.all[0]["event_id"] == log_events.all[1]["correlation_id"] == log_events.all[2]["correlation_id"]
    assert world.host.failures == []


@pytest.mark.parametrize("x_ms_signature", [True, False])
def test_the_signature_may_stand_in_either_header(world: World, *, x_ms_signature: bool) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    headers, body = world.systems.partner_center.signed_event(referral, x_ms_signature=x_ms_signature)

    assert ("Authorization" in headers) is not x_ms_signature
    assert world.post_event(headers, body).status_code == 202
    world.wait_for_events()
    assert referral in world.opportunities_by_referral()


def test_an_event_from_the_dispatcher_travels_all_the_way(world: World) -> None:
    world.systems.partner_center.register_events(f"{world.host.url}/api/events")

    referral = world.systems.partner_center.microsoft_sends()
    world.wait_for_events()

    assert [delivery.status for delivery in world.systems.partner_center.dispatcher.journal] == [202]
    assert referral in world.opportunities_by_referral()


def test_a_body_changed_after_signing_is_answered_401_without_a_reason(world: World, log_events: LogEvents) -> None:
    headers, body = world.systems.partner_center.signed_event(REFERRAL_ID)

    answer = world.post_event(headers, body.replace(b"updated", b"created"))

    assert (answer.status_code, answer.content) == (401, b"")
    assert [e["reason"] for e in log_events.events_named("event_refused")] == ["signature_wrong"]
    assert is_untouched(world)


@pytest.mark.parametrize("missing", ["x-ms-signature", "X-MS-Certificate-Url", "X-MS-Signature-Algorithm"])
def test_an_event_without_one_of_its_headers_is_answered_401(world: World, missing: str) -> None:
    headers, body = world.systems.partner_center.signed_event(REFERRAL_ID)
    del headers[missing]

    answer = world.post_event(headers, body)

    assert (answer.status_code, answer.content) == (401, b"")
    assert is_untouched(world)


def test_a_body_that_is_too_large_is_answered_413_before_its_signature_is_checked(
    world: World, log_events: LogEvents
) -> None:
    body = event_body() + b" " * 65_536
    fetched = len(world.systems.partner.certificates.journal)

    answer = world.post_event(
        sign_headers(world, body) | {"X-MS-Certificate-Url": "https://nowhere.example/cert/x.cer"}, body
    )

    assert (answer.status_code, answer.content) == (413, b"")
    assert [e["reason"] for e in log_events.events_named("event_refused")] == ["body_too_large"]
    assert len(world.systems.partner.certificates.journal) == fetched
    assert is_untouched(world)


@pytest.mark.parametrize("filler", ["x", '\\"', "é"])
def test_the_largest_accepted_body_fits_into_the_queue(world: World, filler: str) -> None:
    """A queue message holds 64 KiB in base64. An accepted event must never fail there with status 5xx."""
    referral = world.systems.partner_center.microsoft_sends()
    body = event_body(uri=REFERRAL_URL + referral)
    room = 65_536 - len(body) - len(', "AuditUri": ""')
    text = filler * (room // len(filler.encode()))
    largest = body[:-1] + f', "AuditUri": "{text}"}}'.encode()

    answer = world.post_event(sign_headers(world, largest), largest)
    world.wait_for_events()

    assert answer.status_code == 202
    assert world.host.failures == []
    assert referral in world.opportunities_by_referral()


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/jsonx", ""])
def test_another_content_type_is_answered_415(world: World, content_type: str) -> None:
    headers, body = world.systems.partner_center.signed_event(REFERRAL_ID)

    answer = world.post_event(headers | {"Content-Type": content_type}, body)

    assert (answer.status_code, answer.content) == (415, b"")
    assert is_untouched(world)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{not json", "not_json"),
        (b"", "not_json"),
        (b"[1]", "not_an_object"),
        (b"\xff\xfe", "not_utf8"),
        (b"[" * 20_000, "too_deep"),
        (event_body(name="referral-vanished"), "unknown_event"),
        (event_body(name="invoice-ready"), "other_event"),
        (event_body(uri="https://evil.example/engagements/v1/referrals/" + REFERRAL_ID), "foreign_resource"),
        (event_body(uri=REFERRAL_URL + "../" + REFERRAL_ID), "foreign_resource"),
    ],
)
def test_a_signed_event_that_is_not_understood_is_answered_202_and_logged_but_not_queued(
    world: World, log_events: LogEvents, body: bytes, reason: str
) -> None:
    answer = world.post_event(sign_headers(world, body), body)

    assert (answer.status_code, answer.content) == (202, b"")
    (log_event,) = log_events.events_named("event_not_understood")
    assert log_event["reason"] == reason
    assert len(log_event["event_id"]) == 16
    assert is_untouched(world)


@pytest.mark.parametrize(
    ("mark", "start", "end"),
    [
        (b"", "https://api.partner.microsoft.com/v1.0/engagements/referrals/", ""),
        (b"", "https://api.partner.microsoft.com:443/v1.0/engagements/referrals/", "/"),
        (b"\xef\xbb\xbf", REFERRAL_URL, "/"),
    ],
)
def test_an_event_in_another_documented_form_makes_its_opportunity_too(
    world: World, mark: bytes, start: str, end: str
) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    body = mark + event_body(uri=f"{start}{referral}{end}", name="referral-created")

    answer = world.post_event(sign_headers(world, body), body)
    world.wait_for_events()

    assert answer.status_code == 202
    assert world.host.failures == []
    assert referral in world.opportunities_by_referral()


def test_a_test_event_is_logged_as_information_and_causes_no_call(
    world: World, log_events: LogEvents, caplog: pytest.LogCaptureFixture
) -> None:
    body = event_body(uri=f"{TEST_EVENT_URL}{REFERRAL_ID}", name="test-created")

    with caplog.at_level(logging.INFO, logger="cosell"):
        answer = world.post_event(sign_headers(world, body), body)

    assert (answer.status_code, answer.content) == (202, b"")
    assert log_events.all == [{"event": "event_tested", "correlation_id": REFERRAL_ID}]
    assert [record.levelname for record in caplog.records if record.name == "cosell"] == ["INFO"]
    assert is_untouched(world)


def test_a_repeated_event_is_answered_202_and_changes_nothing(world: World) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    headers, body = world.systems.partner_center.signed_event(referral)
    world.post_event(headers, body)
    world.wait_for_events()
    before = world.opportunities_by_referral()[referral]

    assert [world.post_event(headers, body).status_code for _ in range(3)] == [202, 202, 202]
    world.wait_for_events()

    assert world.opportunities_by_referral()[referral] == before
    assert len(world.opportunities_by_referral()) == 1


def test_an_event_whose_referral_does_not_exist_causes_one_read_and_is_done(
    world: World, log_events: LogEvents
) -> None:
    headers, body = world.systems.partner_center.signed_event(REFERRAL_ID)

    assert world.post_event(headers, body).status_code == 202
    world.wait_for_events()

    assert [entry.status for entry in world.systems.partner_center.journal] == [404]
    assert [e["referral_id"] for e in log_events.events_named("referral_missing")] == [REFERRAL_ID]
    assert world.count_queued() == world.count_queued("referral-events-poison") == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_than_post_are_answered_404(world: World, method: str) -> None:
    assert world.client.request(method, "/api/events").status_code == 404


def test_a_refused_event_is_logged_as_a_warning(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="cosell"):
        world.post_event({"Content-Type": "application/json"}, b"{}")

    assert [record.levelname for record in caplog.records if record.name == "cosell"] == ["WARNING"]
