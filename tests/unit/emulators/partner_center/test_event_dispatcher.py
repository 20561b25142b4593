"""Events are signed and delivered, failed attempts are repeated, and faults break events as named."""

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
from tests.unit.emulators.partner_center.referral_client import ReferralClient, replace_operation


class EventReceiver:
    """Records the events it receives. Answers with the statuses in `statuses` first, then with 202."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.statuses: list[int] = []

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return Response.of({}, self.statuses.pop(0) if self.statuses else 202)

    @property
    def received_events(self) -> list[tuple[str, str]]:
        bodies = [json.loads(request.body) for request in self.requests]
        return [(body["EventName"], body["ResourceUri"].rpartition("/")[2]) for body in bodies]


@pytest.fixture
def receiver(emulator: PartnerCenterEmulator, authority: Authority) -> Iterator[EventReceiver]:
    receiver = EventReceiver()
    with Server(receiver.handle, tls=authority.server_context()) as server:
        emulator.dispatcher.ca_bundle = authority.bundle
        receiver.url = f"{server.url}/api/events"
        emulator.register_events(receiver.url)
        yield receiver


def has_valid_signature(request: Request, certificate: x509.Certificate, header: str = "x-ms-signature") -> bool:
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    scheme, _, signature = request.headers[header].partition(" ")
    assert scheme == "Signature"
    try:
        key.verify(base64.b64decode(signature, validate=True), request.body, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def test_an_event_has_the_documented_body_and_a_signature_over_it(
    emulator: PartnerCenterEmulator, receiver: EventReceiver
) -> None:
    referral = emulator.referral(emulator.portal_creates())
    assert emulator.dispatcher.wait_idle(60)

    request = receiver.requests[0]
    assert json.loads(request.body) == {
        "EventName": "referral-created",
        "ResourceUri": f"https://api.partnercenter.microsoft.com/engagements/v1/referrals/{referral['id']}",
        "ResourceName": "referral",
        "AuditUri": None,
        "ResourceChangeUtcDate": referral["updatedDateTime"].replace("Z", "+00:00"),
    }
    assert has_valid_signature(request, emulator.certificates.dispatcher_leaf.certificate)
    assert request.headers["x-ms-certificate-url"] == emulator.certificates.leaf_url
    assert request.headers["x-ms-signature-algorithm"] == "rsa-sha256"
    assert "authorization" not in request.headers


def test_without_the_flag_the_signature_is_in_the_authorization_header(
    emulator: PartnerCenterEmulator, receiver: EventReceiver
) -> None:
    emulator.register_events(receiver.url, x_ms_signature=False)
    emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)

    assert has_valid_signature(receiver.requests[0], emulator.certificates.dispatcher_leaf.certificate, "authorization")
    assert "x-ms-signature" not in receiver.requests[0].headers


def test_our_own_writes_cause_events_and_deals_of_strangers_do_not(
    emulator: PartnerCenterEmulator, receiver: EventReceiver, client: ReferralClient
) -> None:
    record = client.create()
    client.patch(record["id"], replace_operation("/salesStage", "20"))
    client.patch(record["id"], replace_operation("/salesStage", "55"))  # refused: no event
    emulator.partner_creates()
    assert emulator.dispatcher.wait_idle(60)

    assert receiver.received_events == [("referral-created", record["id"]), ("referral-updated", record["id"])]


def test_a_co_sell_deal_causes_the_documented_events(
    emulator: PartnerCenterEmulator, receiver: EventReceiver, client: ReferralClient
) -> None:
    consent = {"consentToToShareInfoWithOthers": True, "consentToShareReferralWithMicrosoftSellers": True}
    ours = client.create(consent=consent)
    target = [{"type": "BusinessProfileLocation", "id": "msft"}]
    invitation = {"assistanceRequestCode": "GeneralOrOther"}
    theirs = client.create(consent=consent, target=target, engagementId=ours["engagementId"], inviteContext=invitation)
    accepted = emulator.microsoft_accepts(ours["engagementId"])
    assert emulator.dispatcher.wait_idle(60)

    assert accepted["trackingInfo"]["microsoftMsxId"]
    assert receiver.received_events == [
        ("referral-created", ours["id"]),
        ("related-referral-created", theirs["id"]),
        ("related-referral-updated", theirs["id"]),
    ]


def test_related_events_can_name_our_own_referral(emulator: PartnerCenterEmulator, receiver: EventReceiver) -> None:
    inbound = emulator.referral(emulator.microsoft_sends())
    emulator.switches.related_event_names = "ours"
    emulator.microsoft_edits(inbound["engagementId"], [{"op": "replace", "path": "/salesStage", "value": "40"}])
    assert emulator.dispatcher.wait_idle(60)

    assert receiver.received_events == [
        ("referral-created", inbound["id"]),
        ("related-referral-updated", inbound["id"]),
    ]


def test_an_expiry_causes_an_event(emulator: PartnerCenterEmulator, receiver: EventReceiver) -> None:
    inbound = emulator.microsoft_sends()
    emulator.clock.advance(15 * 86_400)
    emulator.handle(Request.of("GET", "/", {}))
    assert emulator.dispatcher.wait_idle(60)
    assert receiver.received_events == [("referral-created", inbound), ("referral-updated", inbound)]


def test_only_registered_names_are_sent(emulator: PartnerCenterEmulator, receiver: EventReceiver) -> None:
    emulator.register_events(receiver.url, events=["referral-updated"])
    referral = emulator.portal_creates()
    emulator.portal_edits(referral, [{"op": "replace", "path": "/name", "value": "Renamed"}])
    assert emulator.dispatcher.wait_idle(60)
    assert receiver.received_events == [("referral-updated", referral)]


def test_an_event_that_is_always_refused_is_parked_after_ten_attempts(
    emulator: PartnerCenterEmulator, receiver: EventReceiver
) -> None:
    receiver.statuses = [503] * 3 + [401] * 3 + [302] * 20
    referral = emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)

    outcomes = [delivery.outcome for delivery in emulator.dispatcher.journal]
    assert outcomes == ["failed"] * 9 + ["parked"]
    assert [delivery.attempt for delivery in emulator.dispatcher.journal] == list(range(1, 11))
    assert [event.referral_id for event in emulator.dispatcher.parked] == [referral]
    assert len(receiver.requests) == 10


def test_a_second_attempt_can_succeed(emulator: PartnerCenterEmulator, receiver: EventReceiver) -> None:
    receiver.statuses = [500, 202]
    emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)
    assert [(d.attempt, d.status, d.outcome) for d in emulator.dispatcher.journal] == [
        (1, 500, "failed"),
        (2, 202, "delivered"),
    ]


def test_an_address_without_a_server_is_a_failed_attempt(emulator: PartnerCenterEmulator, authority: Authority) -> None:
    emulator.dispatcher.ca_bundle = authority.bundle
    with Server(EventReceiver().handle) as stopped_server:
        url = stopped_server.url
    emulator.register_events(url)
    emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)
    assert [d.status for d in emulator.dispatcher.journal] == [None] * 10


def test_a_change_does_not_wait_for_its_delivery(emulator: PartnerCenterEmulator, receiver: EventReceiver) -> None:
    may_answer = threading.Event()

    def answer_late(request: Request) -> Response:
        may_answer.wait(5)
        return receiver.handle(request)

    with Server(answer_late) as slow:
        emulator.register_events(slow.url)
        emulator.portal_creates()
        assert not emulator.dispatcher.is_idle
        may_answer.set()
        assert emulator.dispatcher.wait_idle(60)


def add_event_fault(emulator: PartnerCenterEmulator, kind: EventFaultKind, seconds: float = 0.01) -> None:
    emulator.dispatcher.faults.append(EventFault(kind, seconds=seconds))


def test_an_event_can_be_lost_or_sent_twice(emulator: PartnerCenterEmulator, receiver: EventReceiver) -> None:
    add_event_fault(emulator, EventFaultKind.LOSE)
    add_event_fault(emulator, EventFaultKind.DUPLICATE)
    lost, duplicated, normal = emulator.portal_creates(), emulator.portal_creates(), emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)

    assert [referral for _, referral in receiver.received_events] == [duplicated, duplicated, normal]
    assert (emulator.dispatcher.journal[0].outcome, emulator.dispatcher.journal[0].referral_id) == ("lost", lost)


def test_a_reordered_event_is_sent_after_the_next_one(emulator: PartnerCenterEmulator, receiver: EventReceiver) -> None:
    add_event_fault(emulator, EventFaultKind.REORDER, seconds=60)
    first, second = emulator.portal_creates(), emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)
    assert [referral for _, referral in receiver.received_events] == [second, first]


def test_a_reordered_event_without_a_next_one_is_sent_late(
    emulator: PartnerCenterEmulator, receiver: EventReceiver
) -> None:
    add_event_fault(emulator, EventFaultKind.REORDER, seconds=0.01)
    only = emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)
    assert [referral for _, referral in receiver.received_events] == [only]


def test_the_dispatcher_is_not_idle_while_an_event_is_delayed(
    emulator: PartnerCenterEmulator, receiver: EventReceiver
) -> None:
    add_event_fault(emulator, EventFaultKind.DELAY, seconds=0.5)
    emulator.portal_creates()
    assert not emulator.dispatcher.wait_idle(0.001)
    assert emulator.dispatcher.wait_idle(60)
    assert len(receiver.requests) == 1


def test_an_event_can_arrive_before_the_answer_and_the_referral_can_be_read(
    emulator: PartnerCenterEmulator, receiver: EventReceiver, client: ReferralClient
) -> None:
    add_event_fault(emulator, EventFaultKind.BEFORE)
    statuses: list[int] = []
    answer = receiver.handle

    def read_then_answer(request: Request) -> Response:
        """Read the referral from another thread while the create is not answered yet."""
        statuses.append(client.get(json.loads(request.body)["ResourceUri"].rpartition("/")[2]).status)
        return answer(request)

    with Server(read_then_answer) as server:
        emulator.register_events(server.url)
        client.create()
        assert statuses == [200]
    assert emulator.dispatcher.wait_idle(60)


@pytest.mark.parametrize(
    ("kind", "leaf_verifies", "rogue_verifies", "rogue_url"),
    [
        (EventFaultKind.WRONG_SIGNATURE, False, True, False),
        (EventFaultKind.WRONG_CERTIFICATE, False, True, True),
        (EventFaultKind.TAMPERED_BODY, False, False, False),
    ],
)
def test_each_fault_breaks_the_signature_in_its_own_way(
    emulator: PartnerCenterEmulator,
    receiver: EventReceiver,
    kind: EventFaultKind,
    *,
    leaf_verifies: bool,
    rogue_verifies: bool,
    rogue_url: bool,
) -> None:
    add_event_fault(emulator, kind)
    emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)

    request = receiver.requests[0]
    assert json.loads(request.body)["EventName"] == "referral-created"
    assert has_valid_signature(request, emulator.certificates.dispatcher_leaf.certificate) is leaf_verifies
    assert has_valid_signature(request, emulator.certificates.rogue_leaf.certificate) is rogue_verifies
    assert (request.headers["x-ms-certificate-url"] == emulator.certificates.rogue_url) is rogue_url


def test_a_signed_event_can_be_made_without_sending_it(
    emulator: PartnerCenterEmulator, receiver: EventReceiver
) -> None:
    headers, body = emulator.signed_event("5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c", "related-referral-updated")

    request = Request.of("POST", "/", headers, body)
    assert has_valid_signature(request, emulator.certificates.dispatcher_leaf.certificate)
    assert json.loads(body)["EventName"] == "related-referral-updated"
    assert receiver.requests == []


def test_a_defect_with_one_event_is_recorded_and_the_next_events_are_sent(
    emulator: PartnerCenterEmulator, receiver: EventReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a defect of the dispatcher")

    with monkeypatch.context() as patched:
        patched.setattr("emulators.partner_center.event_dispatcher.sign_event", fail)
        emulator.portal_creates()
        assert emulator.dispatcher.wait_idle(60)
    emulator.portal_creates()
    assert emulator.dispatcher.wait_idle(60)

    deliveries = [(d.attempt, d.status, d.outcome, d.defect) for d in emulator.dispatcher.journal]
    assert deliveries == [
        (1, None, "parked", "RuntimeError('a defect of the dispatcher')"),
        (1, 202, "delivered", None),
    ]
    assert len(emulator.dispatcher.parked) == 1
    assert len(receiver.requests) == 1
