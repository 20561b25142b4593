"""Switches hide the records of other parties from lists and GET, and move the events about them."""

import json
import threading
from collections.abc import Iterator

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request, Response, Server
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.partner_center.event_dispatcher import Job
from emulators.partner_center.event_faults import EventFault, EventFaultKind
from emulators.partner_center.referral_shape import Json
from emulators.partner_center.service_errors import ServiceError
from tests.unit.emulators.partner_center.co_sell_deal import invite_microsoft, make_co_sell_deal
from tests.unit.emulators.partner_center.referral_client import ReferralClient, error_code, replace_operation

CREATED, UPDATED = "related-referral-created", "related-referral-updated"


class Receiver:
    """Keeps the events in the order of their arrival."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def handle(self, request: Request) -> Response:
        body = json.loads(request.body)
        self.events.append((body["EventName"], body["ResourceUri"].rpartition("/")[2]))
        return Response.of({}, 202)

    def names(self, prefix: str = "related-") -> list[str]:
        return [name for name, _ in self.events if name.startswith(prefix)]


@pytest.fixture
def receiver(emulator: PartnerCenterEmulator, authority: Authority) -> Iterator[Receiver]:
    receiver = Receiver()
    with Server(receiver.handle, tls=authority.server_context()) as server:
        emulator.dispatcher.ca_bundle = authority.bundle
        emulator.register_events(f"{server.url}/api/events")
        yield receiver


def owners(client: ReferralClient, query: str = "") -> list[str]:
    body = client.list(query).json()
    assert body["@odata.count"] == len(body["value"])
    return sorted("msft" if record["organizationId"] == "msft" else "ours" for record in body["value"])


def by_engagement(deal: Json) -> str:
    return f"$filter=engagementId%20eq%20{deal['engagementId']}"


@pytest.mark.parametrize(
    ("which", "in_engagement", "in_lists"),
    [("all", ["msft", "ours"], ["msft", "ours"]), ("engagement", ["msft", "ours"], ["ours"]),
     ("never", ["ours"], ["ours"])],
)  # fmt: skip
def test_lists_show_microsofts_record_as_the_switch_says(
    client: ReferralClient, which: str, in_engagement: list[str], in_lists: list[str]
) -> None:
    ours, theirs = make_co_sell_deal(client)
    client.emulator.switches.related_lists = which
    by_id = by_engagement(ours)

    assert owners(client, by_id) == owners(client, f"{by_id}%20and%20status%20ne%20'Closed'") == in_engagement
    assert owners(client) == owners(client, f"$filter=updatedDateTime%20ge%20{ours['createdDateTime']}") == in_lists
    assert owners(client, f"{by_id}%20or%20status%20eq%20'New'") == in_lists
    assert client.get(theirs["id"]).status == 200


def test_lists_show_microsofts_record_later_than_ours(client: ReferralClient) -> None:
    client.emulator.switches.related_list_lag = 60
    ours, _ = make_co_sell_deal(client)

    assert owners(client, by_engagement(ours)) == ["ours"]
    client.emulator.microsoft_accepts(ours["engagementId"])
    client.emulator.clock.advance(30)
    assert owners(client, by_engagement(ours)) == ["ours"]
    client.emulator.clock.advance(31)
    assert owners(client, by_engagement(ours)) == ["msft", "ours"]


@pytest.mark.parametrize(
    ("answer", "status", "code"), [("not_found", 404, "itemNotFound"), ("denied", 403, "accessDenied")]
)
def test_microsofts_record_cannot_be_read_by_id_if_the_switch_says_so(
    client: ReferralClient, answer: str, status: int, code: str
) -> None:
    ours, theirs = make_co_sell_deal(client)
    client.emulator.switches.related_get = answer

    for response in (client.get(theirs["id"]), client.patch(theirs["id"], replace_operation("/salesStage", "20"))):
        assert (response.status, error_code(response)) == (status, code)
    assert client.get(ours["id"]).status == 200
    assert owners(client, by_engagement(ours)) == ["msft", "ours"]


def test_the_events_of_a_co_sell_deal_come_in_the_documented_order(client: ReferralClient, receiver: Receiver) -> None:
    ours, theirs = make_co_sell_deal(client)
    client.emulator.microsoft_receives(ours["engagementId"])
    client.emulator.microsoft_accepts(ours["engagementId"])
    client.emulator.microsoft_adds_news(ours["engagementId"], notes="News")
    client.patch(ours["id"], replace_operation("/details/dealValue", 7))
    client.emulator.microsoft_closes(ours["engagementId"], "Won")
    assert client.emulator.dispatcher.wait_idle(60)

    assert receiver.events == [
        ("referral-created", ours["id"]),
        (CREATED, theirs["id"]),
        (UPDATED, theirs["id"]),
        (UPDATED, theirs["id"]),
        (UPDATED, theirs["id"]),
        ("referral-updated", ours["id"]),
        (UPDATED, theirs["id"]),
    ]


def test_related_events_arrive_before_the_answer_if_the_switch_says_so(
    client: ReferralClient, receiver: Receiver
) -> None:
    client.emulator.switches.related_events = "before"
    ours, theirs = make_co_sell_deal(client)

    assert (CREATED, theirs["id"]) in receiver.events
    client.emulator.microsoft_accepts(ours["engagementId"])
    assert (UPDATED, theirs["id"]) in receiver.events


def test_events_of_our_own_record_still_come_after_the_answer(
    client: ReferralClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.emulator.switches.related_events = "before"
    before_the_answer: list[str] = []

    def deliver_now(jobs: list[Job]) -> None:
        before_the_answer.extend(job.event.name for job in jobs)

    monkeypatch.setattr(client.emulator.dispatcher, "deliver_now", deliver_now)
    ours, _ = make_co_sell_deal(client)
    client.patch(ours["id"], replace_operation("/salesStage", "40"))
    assert client.emulator.dispatcher.wait_idle(60)
    assert (before_the_answer, receiver.names("referral-")) == ([CREATED], ["referral-created", "referral-updated"])


def test_the_record_can_be_read_while_its_create_is_not_answered(client: ReferralClient, receiver: Receiver) -> None:
    client.emulator.switches.related_events = "before"
    seen: list[int] = []
    answer = receiver.handle

    def read_first(request: Request) -> Response:
        body = json.loads(request.body)
        if body["EventName"] == CREATED:
            seen.append(client.get(body["ResourceUri"].rpartition("/")[2]).status)
        return answer(request)

    with Server(read_first) as server:
        client.emulator.register_events(server.url)
        make_co_sell_deal(client)
        assert seen == [200]
        assert client.emulator.dispatcher.wait_idle(60)


def test_faults_still_double_lose_and_delay_related_events_that_come_first(
    client: ReferralClient, receiver: Receiver
) -> None:
    client.emulator.switches.related_events = "before"
    for kind in (EventFaultKind.DUPLICATE, EventFaultKind.LOSE, EventFaultKind.DELAY):
        client.emulator.dispatcher.faults.append(EventFault(kind, "related", seconds=0.2))
    ours, _ = make_co_sell_deal(client)
    assert receiver.names() == [CREATED, CREATED]
    client.emulator.microsoft_accepts(ours["engagementId"])
    client.emulator.microsoft_adds_news(ours["engagementId"], notes="News")
    assert receiver.names() == [CREATED, CREATED]
    assert client.emulator.dispatcher.wait_idle(60)
    assert receiver.names() == [CREATED, CREATED, UPDATED]


def test_the_two_copies_of_an_event_are_repeated_each_on_its_own(client: ReferralClient, authority: Authority) -> None:
    client.emulator.switches.related_events = "before"
    client.emulator.dispatcher.faults.append(EventFault(EventFaultKind.DUPLICATE, "related"))
    failures = [503, 503]
    lock = threading.Lock()

    def refuse_twice(request: Request) -> Response:
        with lock:
            related = b"related" in request.body
            return Response.of({}, failures.pop() if related and failures else 202)

    with Server(refuse_twice) as server:
        client.emulator.dispatcher.ca_bundle = authority.bundle
        client.emulator.register_events(server.url)
        make_co_sell_deal(client)
        assert client.emulator.dispatcher.wait_idle(60)
    related = [delivery for delivery in client.emulator.dispatcher.journal if delivery.event == CREATED]
    assert sorted(delivery.outcome for delivery in related) == ["delivered", "delivered", "failed", "failed"]
    assert [delivery.attempt for delivery in related].count(1) == 2


def test_an_event_is_sent_although_nothing_changed_or_nothing_exists(
    emulator: PartnerCenterEmulator, receiver: Receiver
) -> None:
    unknown = "5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c"
    emulator.send_event(UPDATED, unknown)
    assert emulator.dispatcher.wait_idle(60)

    assert receiver.events == [(UPDATED, unknown)]
    with pytest.raises(ServiceError, match="404"):
        emulator.referral(unknown)
    with pytest.raises(ValueError, match="unknown event"):
        emulator.send_event("referral-vanished", unknown)


def test_a_partner_that_joins_and_changes_causes_related_events(client: ReferralClient, receiver: Receiver) -> None:
    ours = client.create()
    theirs = client.emulator.partner_joins(ours["engagementId"])
    client.emulator.partner_edits(ours["engagementId"], [replace_operation("/salesStage", "40")])
    assert client.emulator.dispatcher.wait_idle(60)

    assert receiver.events[1:] == [(CREATED, theirs["id"]), (UPDATED, theirs["id"])]


def test_help_asked_for_in_the_portal_causes_both_events(client: ReferralClient, receiver: Receiver) -> None:
    ours = client.create()
    theirs = client.emulator.portal_asks_for_help(ours["id"])
    assert client.emulator.dispatcher.wait_idle(60)

    assert receiver.events[1:] == [("referral-updated", ours["id"]), (CREATED, theirs["id"])]


def test_an_expiry_is_told_as_soon_as_the_clock_says_so(client: ReferralClient, receiver: Receiver) -> None:
    _, theirs = make_co_sell_deal(client)
    for advance in (client.emulator.pass_time, lambda seconds: move_clock(client.emulator, seconds)):
        inbound = client.emulator.microsoft_sends()
        advance(14 * 86_400 + 1)
        assert client.emulator.dispatcher.wait_idle(60)
        assert receiver.events[-1] == ("referral-updated", inbound)
    assert receiver.names() == [CREATED, UPDATED]
    assert client.emulator.referral(theirs["id"])["substatus"] == "Expired"


def move_clock(emulator: PartnerCenterEmulator, seconds: float) -> None:
    body = json.dumps({"advance": seconds}).encode()
    assert emulator.handle(Request.of("POST", "/_control/clock", {}, body)).status == 200


def test_the_journal_tells_the_two_creates_apart_and_a_fault_can_hit_the_second_alone(client: ReferralClient) -> None:
    client.emulator.faults.append(Fault(FaultKind.DROP_AFTER, method="POST", sent='"id": "msft"'))
    ours = client.create(consent=client.emulator.example_body()["consent"])
    client.patch(ours["id"], replace_operation("/consent/consentToShareReferralWithMicrosoftSellers", value=True))

    assert invite_microsoft(client, ours["engagementId"]).close
    assert [entry.tags for entry in client.emulator.journal] == [("create",), ("patch",), ("create", "invite")]
    assert client.emulator.microsoft_record(ours["engagementId"])["substatus"] == "Pending"
    assert invite_microsoft(client, ours["engagementId"]).status == 400
