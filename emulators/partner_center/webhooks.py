"""Answer the registration of webhooks and the requests for test events.

A tenant has one registration, which is replaced as a whole. The documentation leaves some points open: three are
switches (`webhook_names`, `validation_answer`, `empty_event_list`), the others are made up and listed in
docs/reference/emulator-of-partner-center.md. Sources: docs/reference/partner-center.md#webhook-registration,
docs/reference/partner-center.md#test-events
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
RETENTION = timedelta(days=7)
WINDOW, PER_WINDOW = timedelta(minutes=1), 2  # two test events a minute


@dataclass
class Validation:
    """One test event and the results of its attempts."""

    correlation_id: str
    begun: datetime
    url: str
    done: bool = False
    results: list[dict[str, object]] = field(default_factory=list)


class Webhooks:
    """The webhook API of one tenant. The dispatcher holds the registration itself."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        clock: EmulatedClock,
        switches: Switches,
        partner_id: str,
        seed: int,
        announce: Callable[[str, str, int], None],
    ) -> None:
        """`announce` receives the name of an event, the id of its resource and the time in ticks."""
        self._dispatcher, self._clock, self._switches, self._announce = dispatcher, clock, switches, announce
        self._partner_id = partner_id
        self._chance = random.Random(f"{seed}/webhooks")
        self._validations: dict[str, Validation] = {}
        self._requested_at: deque[datetime] = deque()
        self._subscriber = self._random_id()
        dispatcher.on_delivery = self.record_attempt

    def respond(self, request: Request) -> tuple[str, Response]:
        """Answer a call whose token was accepted. Return a tag for the journal and the answer. Raises WebhookError."""
        path = request.path.rstrip("/")
        match request.method, path:
            case "GET", _ if path == f"{PATH}/events":
                return "registration", Response.of(list(KNOWN_NAMES))
            case "GET", _ if path == PATH:
                return "registration", self._registration_response(self._current_registration())
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
        """Return the headers that every answer of this host has."""
        return {
            "MS-CorrelationId": request.headers.get("ms-correlationid") or self._random_id(),
            "MS-RequestId": request.headers.get("ms-requestid") or self._random_id(),
            "X-Locale": "en-US",
        }

    # --- registration

    def _current_registration(self) -> Registration:
        if self._dispatcher.registration is None:
            raise resource_not_found("registration")
        return self._dispatcher.registration

    def _create_registration(self, request: Request) -> Response:
        registration = self._parse_registration(request)
        if self._dispatcher.registration is not None:
            raise WebhookError(409, "409", "A registration exists already; use PUT to replace it.")
        return self._store_registration(registration)

    def _replace_registration(self, request: Request) -> Response:
        registration = self._parse_registration(request)
        self._current_registration()
        return self._store_registration(registration)

    def _store_registration(self, registration: Registration) -> Response:
        self._dispatcher.registration = registration
        body = self._spell_names(
            SubscriberId=self._subscriber, WebhookUrl=registration.url, WebhookEvents=_sort_events(registration.events)
        )
        return Response.of(body)

    def _registration_response(self, registration: Registration) -> Response:
        """Leave SubscriberId out, as the documented sample does. Add what observed answers hold."""
        return Response.of(self._spell_names(
            WebhookUrl=registration.url, WebhookEvents=_sort_events(registration.events),
            SignatureTokenToMsSignatureHeader=registration.x_ms_signature,
            LastModifiedTimestamp=timestamps.format_ticks(registration.at, "Z"),
        ))  # fmt: skip

    def _parse_registration(self, request: Request) -> Registration:
        """Return the body as a registration. The case of its names does not matter. Raises WebhookError."""
        try:
            body = request.json()
        except ValueError:
            raise invalid_input("The body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise invalid_input("The body is not a registration.")
        properties = {name.lower(): value for name, value in body.items()}
        url, events = properties.get("webhookurl"), properties.get("webhookevents")
        if not isinstance(url, str) or not _is_https_address(url):
            raise invalid_input("WebhookUrl must be an absolute https address.")
        if not isinstance(events, list) or not (events or self._switches.empty_event_list):
            raise invalid_input("WebhookEvents must be a list of event names.")
        return Registration(
            url, _known_event_names(events), _parse_signature_flag(properties), timestamps.to_ticks(self._clock.now())
        )

    # --- test events

    def _begin_test_event(self) -> Response:
        if TEST_EVENT not in self._current_registration().events:
            raise invalid_input(f"The registration does not have the event {TEST_EVENT}.")
        now = self._clock.now()
        while self._requested_at and now - self._requested_at[0] >= WINDOW:
            self._requested_at.popleft()
        if len(self._requested_at) >= PER_WINDOW:
            return _throttled_response(self._requested_at[0] + WINDOW - now)
        self._requested_at.append(now)
        validation = Validation(self._random_id(), now, self._current_registration().url)
        self._validations[validation.correlation_id] = validation
        self._announce(TEST_EVENT, validation.correlation_id, timestamps.to_ticks(now))
        if self._switches.validation_answer == "string":
            return Response.of(validation.correlation_id)
        return Response.of({"correlationId": validation.correlation_id})

    def _show_test_event(self, correlation_id: str) -> Response:
        validation = self._validations.get(correlation_id)
        if validation is None or self._clock.now() - validation.begun >= RETENTION:
            raise resource_not_found("validation event of that correlation id")
        return Response.of({
            "correlationId": validation.correlation_id, "partnerId": self._partner_id,
            "status": "completed" if validation.done else "pending", "callbackUrl": validation.url,
            "results": list(validation.results),
        })  # fmt: skip

    def record_attempt(self, delivery: Delivery) -> None:
        """Record an attempt if it belongs to a test event. The dispatcher's thread calls this for every attempt."""
        validation = self._validations.get(delivery.referral_id)
        if validation is None or delivery.outcome == "lost":
            return
        status = delivery.status
        validation.results.append({
            "responseCode": "" if status is None else _status_name(status),
            "responseMessage": "" if status is not None else "Unable to connect to the remote server",
            "systemError": status is None,
            "dateTimeUtc": timestamps.format_ticks(timestamps.to_ticks(self._clock.now()), ""),
        })  # fmt: skip
        validation.done = delivery.outcome in ("delivered", "parked")

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
    """Return the names as the service spells them. Raises WebhookError for an unknown name."""
    spelled = {name.lower(): name for name in KNOWN_NAMES}
    for name in events:
        if not isinstance(name, str) or name.lower() not in spelled:
            raise invalid_input(f"The event {str(name)[:100]!r} is not known.")
    return frozenset(spelled[str(name).lower()] for name in events)


def _parse_signature_flag(properties: Mapping[str, Any]) -> bool:
    """Return the flag. It is a boolean in the swagger, and text in one connector. Raises WebhookError."""
    value = properties.get("signaturetokentomssignatureheader", False)
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower())
    if not isinstance(value, bool):
        raise invalid_input("SignatureTokenToMsSignatureHeader must be true or false.")
    return value


def _status_name(status: int) -> str:
    """Return the status as .NET names it, such as `NotFound`, or the number if it has no name."""
    try:
        return HTTPStatus(status).phrase.replace(" ", "") if status != HTTPStatus.OK else "OK"
    except ValueError:
        return str(status)


def _throttled_response(wait: timedelta) -> Response:
    seconds = max(1, round(wait.total_seconds()))
    message = f"Rate limit is exceeded. Try again in {seconds} seconds."
    return Response.of({"statusCode": 429, "message": message}, 429, Retry_After=str(seconds))
