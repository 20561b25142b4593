"""Webhook registration and test events: one slot per tenant, replaced as a whole (reference/partner-center.md 11).

Of what the documentation leaves open, three things are switches (`webhook_names`, `validation_answer`,
`empty_event_list`); the rest is listed in docs/emulators-partner-center.md.
"""

import random
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from emulators.base.clock import EmulatedClock
from emulators.base.server import Request, Response
from emulators.partner_center import timestamps
from emulators.partner_center.event_dispatcher import Delivery, Dispatcher
from emulators.partner_center.events import KNOWN_NAMES, TEST_EVENT, Registration, check_address
from emulators.partner_center.switches import Switches
from emulators.partner_center.webhook_errors import WebhookError, invalid_input, resource_not_found

PATH = "/webhooks/v1/registration"
VALIDATIONS = f"{PATH}/validationEvents"
KEPT = timedelta(days=7)
WINDOW, PER_WINDOW = timedelta(minutes=1), 2


@dataclass
class Validation:
    """One test event and its attempts."""

    correlation_id: str
    begun: datetime
    url: str
    done: bool = False
    results: list[dict[str, object]] = field(default_factory=list)


class Webhooks:
    """The registration API of one tenant; the slot itself lies with the dispatcher."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        clock: EmulatedClock,
        switches: Switches,
        partner_id: str,
        seed: int,
        herald: Callable[[str, str, int], None],
    ) -> None:
        """`herald` is told an event's name, its resource's id and the moment in ticks."""
        self._dispatcher, self._clock, self._switches, self._herald = dispatcher, clock, switches, herald
        self._partner_id = partner_id
        self._chance = random.Random(f"{seed}/webhooks")
        self._validations: dict[str, Validation] = {}
        self._asked: deque[datetime] = deque()
        self._subscriber = self._random_id()
        dispatcher.on_delivery = self.record_attempt

    def respond(self, request: Request) -> tuple[str, Response]:
        """A tag for the journal and the answer to an admitted call. Raises WebhookError."""
        path = request.path.rstrip("/")
        match request.method, path:
            case "GET", _ if path == f"{PATH}/events":
                return "registration", Response.of(list(KNOWN_NAMES))
            case "GET", _ if path == PATH:
                return "registration", self._show_registration(self._current_registration())
            case "POST", _ if path == PATH:
                return "register", self._create_registration(request)
            case "PUT", _ if path == PATH:
                return "register", self._replace_registration(request)
            case "POST", _ if path == VALIDATIONS:
                return "validation", self._begin_test_event()
            case "GET", _ if path.startswith(f"{VALIDATIONS}/"):
                return "validation", self._show_test_event(path.rpartition("/")[2])
        if path == PATH or path.startswith(f"{PATH}/"):
            raise WebhookError(405, "405", f"{request.method} is not allowed here.")
        raise resource_not_found("such resource")

    def response_headers(self, request: Request) -> dict[str, str]:
        """What every answer of this host carries."""
        return {
            "MS-CorrelationId": request.headers.get("ms-correlationid") or self._random_id(),
            "MS-RequestId": request.headers.get("ms-requestid") or self._random_id(),
            "X-Locale": "en-US",
        }

    # --- the slot

    def _current_registration(self) -> Registration:
        if self._dispatcher.registration is None:
            raise resource_not_found("registration")
        return self._dispatcher.registration

    def _create_registration(self, request: Request) -> Response:
        wanted = self._parse_registration(request)
        if self._dispatcher.registration is not None:
            raise WebhookError(409, "409", "A registration exists already; use PUT to replace it.")
        return self._store_registration(wanted)

    def _replace_registration(self, request: Request) -> Response:
        wanted = self._parse_registration(request)
        self._current_registration()
        return self._store_registration(wanted)

    def _store_registration(self, registration: Registration) -> Response:
        self._dispatcher.registration = registration
        names = self._spell_names(
            SubscriberId=self._subscriber, WebhookUrl=registration.url, WebhookEvents=_sort_events(registration.events)
        )
        return Response.of(names)

    def _show_registration(self, slot: Registration) -> Response:
        """Without SubscriberId, as in the documentation's sample; with what live answers were seen to hold."""
        return Response.of(self._spell_names(
            WebhookUrl=slot.url, WebhookEvents=_sort_events(slot.events),
            SignatureTokenToMsSignatureHeader=slot.x_ms_signature,
            LastModifiedTimestamp=timestamps.format_ticks(slot.at, "Z"),
        ))  # fmt: skip

    def _parse_registration(self, request: Request) -> Registration:
        """The body as a registration, its names in any case. Raises WebhookError."""
        try:
            body = request.json()
        except ValueError:
            raise invalid_input("The body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise invalid_input("The body is no registration.")
        said = {name.lower(): value for name, value in body.items()}
        url, events = said.get("webhookurl"), said.get("webhookevents")
        if not isinstance(url, str) or not _is_https_address(url):
            raise invalid_input("WebhookUrl must be an absolute https address.")
        if not isinstance(events, list) or not (events or self._switches.empty_event_list):
            raise invalid_input("WebhookEvents must be a list of event names.")
        return Registration(
            url, _known_event_names(events), _parse_signature_flag(said), timestamps.to_ticks(self._clock.now())
        )

    # --- test events

    def _begin_test_event(self) -> Response:
        if TEST_EVENT not in self._current_registration().events:
            raise invalid_input(f"The registration does not hold the event {TEST_EVENT}.")
        now = self._clock.now()
        while self._asked and now - self._asked[0] >= WINDOW:
            self._asked.popleft()
        if len(self._asked) >= PER_WINDOW:
            return _throttled_response(self._asked[0] + WINDOW - now)
        self._asked.append(now)
        validation = Validation(self._random_id(), now, self._current_registration().url)
        self._validations[validation.correlation_id] = validation
        self._herald(TEST_EVENT, validation.correlation_id, timestamps.to_ticks(now))
        if self._switches.validation_answer == "string":
            return Response.of(validation.correlation_id)
        return Response.of({"correlationId": validation.correlation_id})

    def _show_test_event(self, correlation_id: str) -> Response:
        found = self._validations.get(correlation_id)
        if found is None or self._clock.now() - found.begun >= KEPT:
            raise resource_not_found("validation event of that correlation id")
        return Response.of({
            "correlationId": found.correlation_id, "partnerId": self._partner_id,
            "status": "completed" if found.done else "pending", "callbackUrl": found.url,
            "results": list(found.results),
        })  # fmt: skip

    def record_attempt(self, delivery: Delivery) -> None:
        """Note an attempt to deliver a test event; the dispatcher tells of every attempt, from its own thread."""
        found = self._validations.get(delivery.referral_id)
        if found is None or delivery.outcome == "lost":
            return
        status = delivery.status
        found.results.append({
            "responseCode": "" if status is None else _status_name(status),
            "responseMessage": "" if status is not None else "Unable to connect to the remote server",
            "systemError": status is None,
            "dateTimeUtc": timestamps.format_ticks(timestamps.to_ticks(self._clock.now()), ""),
        })  # fmt: skip
        found.done = delivery.outcome in ("delivered", "parked")

    # --- values

    def _random_id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _spell_names(self, **values: object) -> dict[str, object]:
        if self._switches.webhook_names == "camel":
            return {name[0].lower() + name[1:]: value for name, value in values.items()}
        return values


def _is_https_address(url: str) -> bool:
    try:
        return check_address(url).lower().startswith("https:")
    except ValueError:
        return False


def _sort_events(events: frozenset[str]) -> list[str]:
    return [name for name in KNOWN_NAMES if name in events]


def _known_event_names(events: list[object]) -> frozenset[str]:
    """The names as the service spells them. Raises WebhookError for one that it does not have."""
    spelled = {name.lower(): name for name in KNOWN_NAMES}
    for name in events:
        if not isinstance(name, str) or name.lower() not in spelled:
            raise invalid_input(f"The event {str(name)[:100]!r} is not known.")
    return frozenset(spelled[str(name).lower()] for name in events)


def _parse_signature_flag(said: Mapping[str, Any]) -> bool:
    """Swagger says boolean, one published connector sends text. Raises WebhookError."""
    value = said.get("signaturetokentomssignatureheader", False)
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower())
    if not isinstance(value, bool):
        raise invalid_input("SignatureTokenToMsSignatureHeader must be true or false.")
    return value


def _status_name(status: int) -> str:
    """As .NET names it: `Accepted`, `NotFound`; a number without a name stays one."""
    try:
        return HTTPStatus(status).phrase.replace(" ", "") if status != HTTPStatus.OK else "OK"
    except ValueError:
        return str(status)


def _throttled_response(wait: timedelta) -> Response:
    seconds = max(1, round(wait.total_seconds()))
    told = f"Rate limit is exceeded. Try again in {seconds} seconds."
    return Response.of({"statusCode": 429, "message": told}, 429, Retry_After=str(seconds))
