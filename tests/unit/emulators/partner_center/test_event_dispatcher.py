import base64
import json
import threading
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from emulators.base.certificate_authority import Authority
from emulators.base.server import Request, Response, Server
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.partner_center.event_faults import EventFault, EventFaultKind
from tests.unit.emulators.partner_center.referral_desk import Desk, replace


class Door:
    """A receiver that remembers what came, and answers what it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.statuses: list[int] = []

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return Response.of({}, self.statuses.pop(0) if self.statuses else 202)

    @property
    def events(self) -> list[tuple[str, str]]:
        bodies = [json.loads(request.body) for request in self.requests]
        return [(body["EventName"], body["ResourceUri"].rpartition("/")[2]) for body in bodies]


@pytest.fixture
def door(pc: PartnerCenterEmulator, authority: Authority) -> Iterator[Door]:
    door = Door()
    with Server(door.handle, tls=authority.server_context()) as server:
        pc.dispatcher.ca_bundle = authority.bundle
        door.url = f"{server.url}/api/events"
        pc.register_events(door.url)
        yield door


def verified(request: Request, certificate: x509.Certificate, header: str = "x-ms-signature") -> bool:
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    word, _, signature = request.headers[header].partition(" ")
    assert word == "Signature"
    try:
        key.verify(base64.b64decode(signature, validate=True), request.body, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def test_an_event_has_the_documented_body_and_a_signature_over_it(pc: PartnerCenterEmulator, door: Door) -> None:
    referral = pc.referral(pc.portal_creates())
    assert pc.dispatcher.wait_idle(5)

    request = door.requests[0]
    assert json.loads(request.body) == {
        "EventName": "referral-created",
        "ResourceUri": f"https://api.partnercenter.microsoft.com/engagements/v1/referrals/{referral['id']}",
        "ResourceName": "referral",
        "AuditUri": None,
        "ResourceChangeUtcDate": referral["updatedDateTime"].replace("Z", "+00:00"),
    }
    assert verified(request, pc.certificates.dispatcher_leaf.certificate)
    assert request.headers["x-ms-certificate-url"] == pc.certificates.leaf_url
    assert request.headers["x-ms-signature-algorithm"] == "rsa-sha256"
    assert "authorization" not in request.headers


def test_by_default_of_the_service_the_signature_travels_as_authorization(
    pc: PartnerCenterEmulator, door: Door
) -> None:
    pc.register_events(door.url, x_ms_signature=False)
    pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)

    assert verified(door.requests[0], pc.certificates.dispatcher_leaf.certificate, "authorization")
    assert "x-ms-signature" not in door.requests[0].headers


def test_own_writes_echo_and_only_what_concerns_us_is_told(pc: PartnerCenterEmulator, door: Door, desk: Desk) -> None:
    record = desk.created()
    desk.patch(record["id"], replace("/salesStage", "20"))
    desk.patch(record["id"], replace("/salesStage", "55"))  # refused: no event
    pc.partner_creates()
    assert pc.dispatcher.wait_idle(5)

    assert door.events == [("referral-created", record["id"]), ("referral-updated", record["id"])]


def test_a_co_sell_deal_raises_the_events_of_the_table(pc: PartnerCenterEmulator, door: Door, desk: Desk) -> None:
    consent = {"consentToToShareInfoWithOthers": True, "consentToShareReferralWithMicrosoftSellers": True}
    ours = desk.created(consent=consent)
    target = [{"type": "BusinessProfileLocation", "id": "msft"}]
    theirs = desk.created(consent=consent, target=target, engagementId=ours["engagementId"])
    accepted = pc.microsoft_accepts(ours["engagementId"])
    assert pc.dispatcher.wait_idle(5)

    assert accepted["trackingInfo"]["microsoftMsxId"]
    assert door.events == [
        ("referral-created", ours["id"]),
        ("related-referral-created", theirs["id"]),
        ("related-referral-updated", theirs["id"]),
    ]


def test_related_events_can_name_our_own_referral(pc: PartnerCenterEmulator, door: Door) -> None:
    inbound = pc.referral(pc.microsoft_sends())
    pc.switches.related_event_names = "ours"
    pc.microsoft_edits(inbound["engagementId"], [{"op": "replace", "path": "/salesStage", "value": "40"}])
    assert pc.dispatcher.wait_idle(5)

    assert door.events == [("referral-created", inbound["id"]), ("related-referral-updated", inbound["id"])]


def test_an_expiry_is_told(pc: PartnerCenterEmulator, door: Door) -> None:
    inbound = pc.microsoft_sends()
    pc.clock.advance(15 * 86_400)
    pc.handle(Request.of("GET", "/", {}))
    assert pc.dispatcher.wait_idle(5)
    assert door.events == [("referral-created", inbound), ("referral-updated", inbound)]


def test_only_registered_names_are_sent(pc: PartnerCenterEmulator, door: Door) -> None:
    pc.register_events(door.url, events=["referral-updated"])
    referral = pc.portal_creates()
    pc.portal_edits(referral, [{"op": "replace", "path": "/name", "value": "Renamed"}])
    assert pc.dispatcher.wait_idle(5)
    assert door.events == [("referral-updated", referral)]


def test_a_refused_event_is_tried_ten_times_then_parked(pc: PartnerCenterEmulator, door: Door) -> None:
    door.statuses = [503] * 3 + [401] * 3 + [302] * 20
    referral = pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)

    outcomes = [delivery.outcome for delivery in pc.dispatcher.journal]
    assert outcomes == ["failed"] * 9 + ["parked"]
    assert [delivery.attempt for delivery in pc.dispatcher.journal] == list(range(1, 11))
    assert [event.referral_id for event in pc.dispatcher.parked] == [referral]
    assert len(door.requests) == 10


def test_a_second_attempt_can_succeed(pc: PartnerCenterEmulator, door: Door) -> None:
    door.statuses = [500, 202]
    pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)
    assert [(d.attempt, d.status, d.outcome) for d in pc.dispatcher.journal] == [
        (1, 500, "failed"),
        (2, 202, "delivered"),
    ]


def test_nobody_at_home_counts_as_a_failed_attempt(pc: PartnerCenterEmulator, authority: Authority) -> None:
    pc.dispatcher.ca_bundle = authority.bundle
    with Server(Door().handle) as gone:
        url = gone.url
    pc.register_events(url)
    pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)
    assert [d.status for d in pc.dispatcher.journal] == [None] * 10


def test_a_change_does_not_wait_for_its_delivery(pc: PartnerCenterEmulator, door: Door) -> None:
    gate = threading.Event()

    def hang(request: Request) -> Response:
        gate.wait(5)
        return door.handle(request)

    with Server(hang) as slow:
        pc.register_events(slow.url)
        pc.portal_creates()
        assert not pc.dispatcher.is_idle
        gate.set()
        assert pc.dispatcher.wait_idle(5)


def faulty(pc: PartnerCenterEmulator, kind: EventFaultKind, seconds: float = 0.01) -> None:
    pc.dispatcher.faults.append(EventFault(kind, seconds=seconds))


def test_events_are_lost_and_doubled(pc: PartnerCenterEmulator, door: Door) -> None:
    faulty(pc, EventFaultKind.LOSE)
    faulty(pc, EventFaultKind.DUPLICATE)
    lost, doubled, plain = pc.portal_creates(), pc.portal_creates(), pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)

    assert [referral for _, referral in door.events] == [doubled, doubled, plain]
    assert (pc.dispatcher.journal[0].outcome, pc.dispatcher.journal[0].referral_id) == ("lost", lost)


def test_a_reordered_event_comes_after_the_next(pc: PartnerCenterEmulator, door: Door) -> None:
    faulty(pc, EventFaultKind.REORDER, seconds=5)
    first, second = pc.portal_creates(), pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)
    assert [referral for _, referral in door.events] == [second, first]


def test_a_reordered_event_without_a_successor_comes_late(pc: PartnerCenterEmulator, door: Door) -> None:
    faulty(pc, EventFaultKind.REORDER, seconds=0.01)
    only = pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)
    assert [referral for _, referral in door.events] == [only]


def test_a_delayed_event_is_not_idle_until_it_came(pc: PartnerCenterEmulator, door: Door) -> None:
    faulty(pc, EventFaultKind.DELAY, seconds=0.05)
    pc.portal_creates()
    assert not pc.dispatcher.wait_idle(0.001)
    assert pc.dispatcher.wait_idle(5)
    assert len(door.requests) == 1


def test_an_event_can_come_before_the_call_returns_and_the_referral_is_there(
    pc: PartnerCenterEmulator, door: Door, desk: Desk
) -> None:
    faulty(pc, EventFaultKind.BEFORE)
    seen: list[int] = []
    answer = door.handle

    def handle(request: Request) -> Response:
        """Reads the referral from another thread while the create is still unanswered."""
        seen.append(desk.get(json.loads(request.body)["ResourceUri"].rpartition("/")[2]).status)
        return answer(request)

    with Server(handle) as server:
        pc.register_events(server.url)
        desk.created()
        assert seen == [200]
    assert pc.dispatcher.wait_idle(5)


@pytest.mark.parametrize(
    ("kind", "leaf_verifies", "rogue_verifies", "rogue_url"),
    [
        (EventFaultKind.WRONG_SIGNATURE, False, True, False),
        (EventFaultKind.WRONG_CERTIFICATE, False, True, True),
        (EventFaultKind.TAMPERED_BODY, False, False, False),
    ],
)
def test_a_broken_event_is_broken_as_named(
    pc: PartnerCenterEmulator,
    door: Door,
    kind: EventFaultKind,
    *,
    leaf_verifies: bool,
    rogue_verifies: bool,
    rogue_url: bool,
) -> None:
    faulty(pc, kind)
    pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)

    request = door.requests[0]
    assert json.loads(request.body)["EventName"] == "referral-created"
    assert verified(request, pc.certificates.dispatcher_leaf.certificate) is leaf_verifies
    assert verified(request, pc.certificates.rogue_leaf.certificate) is rogue_verifies
    assert (request.headers["x-ms-certificate-url"] == pc.certificates.rogue_url) is rogue_url


def test_a_test_can_craft_an_event_without_sending_it(pc: PartnerCenterEmulator, door: Door) -> None:
    headers, body = pc.signed_event("5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c", "related-referral-updated")

    request = Request.of("POST", "/", headers, body)
    assert verified(request, pc.certificates.dispatcher_leaf.certificate)
    assert json.loads(body)["EventName"] == "related-referral-updated"
    assert door.requests == []


def test_an_event_that_breaks_the_dispatcher_is_noted_and_the_next_ones_are_sent(
    pc: PartnerCenterEmulator, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("a defect of ours")

    with monkeypatch.context() as patched:
        patched.setattr("emulators.partner_center.event_dispatcher.sign_event", break_down)
        pc.portal_creates()
        assert pc.dispatcher.wait_idle(5)
    pc.portal_creates()
    assert pc.dispatcher.wait_idle(5)

    told = [(d.attempt, d.status, d.outcome, d.defect) for d in pc.dispatcher.journal]
    assert told == [(1, None, "parked", "RuntimeError('a defect of ours')"), (1, 202, "delivered", None)]
    assert len(pc.dispatcher.parked) == 1
    assert len(door.requests) == 1
