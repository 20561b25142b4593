"""The event door through the worker library: what is answered, what is queued, what is logged."""

import base64
import json
import logging

import pytest

from tests.e2e.world import Events, World

NAMED = "11111111-aaaa-4bbb-8ccc-222222222222"
RESOURCE = "https://api.partnercenter.microsoft.com/engagements/v1/referrals/"
TESTS = "http://api.partnercenter.microsoft.com/webhooks/v1/registration/validationEvents/"


def signed(world: World, body: bytes) -> dict[str, str]:
    """Headers of a body that the dispatcher itself signed."""
    host = world.systems.partner.certificates
    return {
        "Content-Type": "application/json",
        "X-MS-Certificate-Url": host.leaf_url,
        "X-MS-Signature-Algorithm": "rsa-sha256",
        "x-ms-signature": f"Signature {base64.b64encode(host.dispatcher.sign(body)).decode()}",
    }


def event(uri: str = RESOURCE + NAMED, name: str = "referral-updated") -> bytes:
    return json.dumps({"EventName": name, "ResourceUri": uri, "ResourceName": "referral"}).encode()


def untouched(world: World) -> bool:
    return world.queued() == 0 and world.systems.partner_center.journal == [] and world.systems.salesforce.journal == []


def test_an_event_is_answered_202_and_its_deal_becomes_an_opportunity(world: World, logged: Events) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    headers, body = world.systems.partner_center.signed_event(referral, "referral-created")

    answer = world.send(headers, body)
    world.settle()

    assert (answer.status_code, answer.content) == (202, b"")
    assert referral in world.opportunities()
    assert [e["event"] for e in logged.all] == ["event_accepted", "opportunity_created"]
    assert world.host.failures == []


@pytest.mark.parametrize("x_ms_signature", [True, False])
def test_the_signature_may_stand_in_either_header(world: World, *, x_ms_signature: bool) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    headers, body = world.systems.partner_center.signed_event(referral, x_ms_signature=x_ms_signature)

    assert ("Authorization" in headers) is not x_ms_signature
    assert world.send(headers, body).status_code == 202
    world.settle()
    assert referral in world.opportunities()


def test_an_event_from_the_dispatcher_travels_all_the_way(world: World) -> None:
    world.systems.partner_center.register_events(f"{world.host.url}/api/events")

    referral = world.systems.partner_center.microsoft_sends()
    world.settle()

    assert [delivery.status for delivery in world.systems.partner_center.dispatcher.journal] == [202]
    assert referral in world.opportunities()


def test_a_body_changed_after_signing_is_answered_401_without_a_word(world: World, logged: Events) -> None:
    headers, body = world.systems.partner_center.signed_event(NAMED)

    answer = world.send(headers, body.replace(b"updated", b"created"))

    assert (answer.status_code, answer.content) == (401, b"")
    assert [e["reason"] for e in logged.named("event_refused")] == ["signature_wrong"]
    assert untouched(world)


@pytest.mark.parametrize("missing", ["x-ms-signature", "X-MS-Certificate-Url", "X-MS-Signature-Algorithm"])
def test_an_event_without_one_of_its_headers_is_answered_401(world: World, missing: str) -> None:
    headers, body = world.systems.partner_center.signed_event(NAMED)
    del headers[missing]

    answer = world.send(headers, body)

    assert (answer.status_code, answer.content) == (401, b"")
    assert untouched(world)


def test_a_body_that_is_too_large_is_answered_413_before_its_signature_is_looked_at(
    world: World, logged: Events
) -> None:
    body = event() + b" " * 65_536
    fetched = len(world.systems.partner.certificates.journal)

    answer = world.send(signed(world, body) | {"X-MS-Certificate-Url": "https://nowhere.example/cert/x.cer"}, body)

    assert (answer.status_code, answer.content) == (413, b"")
    assert [e["reason"] for e in logged.named("event_refused")] == ["body_too_large"]
    assert len(world.systems.partner.certificates.journal) == fetched
    assert untouched(world)


@pytest.mark.parametrize("filler", ["x", '\\"', "é"])
def test_the_largest_body_that_is_let_in_fits_into_the_queue(world: World, filler: str) -> None:
    """A message holds 64 KiB in base64: an event that passes the door must never fail there with a 5xx."""
    referral = world.systems.partner_center.microsoft_sends()
    body = event(uri=RESOURCE + referral)
    room = 65_536 - len(body) - len(', "AuditUri": ""')
    text = filler * (room // len(filler.encode()))
    largest = body[:-1] + f', "AuditUri": "{text}"}}'.encode()

    answer = world.send(signed(world, largest), largest)
    world.settle()

    assert answer.status_code == 202
    assert world.host.failures == []
    assert referral in world.opportunities()


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/jsonx", ""])
def test_another_content_type_is_answered_415(world: World, content_type: str) -> None:
    headers, body = world.systems.partner_center.signed_event(NAMED)

    answer = world.send(headers | {"Content-Type": content_type}, body)

    assert (answer.status_code, answer.content) == (415, b"")
    assert untouched(world)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{not json", "not_json"),
        (b"", "not_json"),
        (b"[1]", "not_an_object"),
        (b"\xff\xfe", "not_utf8"),
        (b"[" * 20_000, "too_deep"),
        (event(name="referral-vanished"), "unknown_event"),
        (event(name="invoice-ready"), "other_event"),
        (event(uri="https://evil.example/engagements/v1/referrals/" + NAMED), "foreign_resource"),
        (event(uri=RESOURCE + "../" + NAMED), "foreign_resource"),
    ],
)
def test_signed_but_not_understood_is_answered_202_and_logged_but_not_queued(
    world: World, logged: Events, body: bytes, reason: str
) -> None:
    answer = world.send(signed(world, body), body)

    assert (answer.status_code, answer.content) == (202, b"")
    (told,) = logged.named("event_not_understood")
    assert told["reason"] == reason
    assert len(told["event_id"]) == 16
    assert untouched(world)


def test_a_test_event_is_noted_as_information_and_asks_for_nothing(
    world: World, logged: Events, caplog: pytest.LogCaptureFixture
) -> None:
    body = event(uri=f"{TESTS}{NAMED}", name="test-created")

    with caplog.at_level(logging.INFO, logger="cosell"):
        answer = world.send(signed(world, body), body)

    assert (answer.status_code, answer.content) == (202, b"")
    assert logged.all == [{"event": "event_tested", "correlation_id": NAMED}]
    assert [record.levelname for record in caplog.records if record.name == "cosell"] == ["INFO"]
    assert untouched(world)


def test_a_replayed_event_is_answered_202_and_changes_nothing(world: World) -> None:
    referral = world.systems.partner_center.microsoft_sends()
    headers, body = world.systems.partner_center.signed_event(referral)
    world.send(headers, body)
    world.settle()
    before = world.opportunities()[referral]

    assert [world.send(headers, body).status_code for _ in range(3)] == [202, 202, 202]
    world.settle()

    assert world.opportunities()[referral] == before
    assert len(world.opportunities()) == 1


def test_an_event_whose_referral_is_gone_is_read_once_and_done(world: World, logged: Events) -> None:
    headers, body = world.systems.partner_center.signed_event(NAMED)

    assert world.send(headers, body).status_code == 202
    world.settle()

    assert [entry.status for entry in world.systems.partner_center.journal] == [404]
    assert [e["referral_id"] for e in logged.named("referral_missing")] == [NAMED]
    assert world.queued() == world.queued("referral-events-poison") == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_posts_are_events(world: World, method: str) -> None:
    assert world.client.request(method, "/api/events").status_code == 404


def test_the_refusals_are_warnings(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="cosell"):
        world.send({"Content-Type": "application/json"}, b"{}")

    assert [record.levelname for record in caplog.records if record.name == "cosell"] == ["WARNING"]
