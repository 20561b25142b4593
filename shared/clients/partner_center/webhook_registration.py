"""Register for events of Partner Center, check the registration daily, and send test events.

Sources: docs/reference/partner-center.md#webhook-registration and docs/reference/partner-center.md#test-events.
A tenant has one registration, and other tools of the tenant need it, too. A PUT replaces address and events as a whole,
so a write without a check could stop the events of another tool. Therefore a foreign registration is replaced only if a
person demands it, and our own registration keeps its further events.

>>> webhooks = app.webhooks
>>> registration = webhooks.register("https://func-cosell.azurewebsites.net/api/events")
>>> webhooks.read_registration().url
'https://func-cosell.azurewebsites.net/api/events'
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import replace
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from urllib.parse import quote
from uuid import uuid4

import httpx

from shared.clients.exact_json import json_bytes
from shared.clients.partner_center import webhook_bodies
from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.request import OutgoingRequest, RequestSender, Token, open_service, resource_url
from shared.clients.partner_center.webhook_bodies import EVENTS, Registration, Validation
from shared.foundation.errors import (
    Ambiguous,
    Cause,
    Conflict,
    ConsentNeeded,
    MfaRequired,
    NotFound,
    Rejected,
    SignInFailed,
    Throttled,
)
from shared.transport.exchange import Service

BASE_URL = "https://api.partnercenter.microsoft.com/webhooks/v1"
CALL_SECONDS = 60.0
"""For one call, with its tries and waits (docs/protocol.md#time-and-deadlines)."""
FOLLOW_SECONDS, PAUSE_SECONDS = 120.0, 2.0
"""Longest time to follow a test event, and the pause between two reads."""
REGISTRATION_CURSOR = "registration"
"""The cursor with the time at which the registration was last ours."""

_WRITE_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
_TEST_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})


def open_webhooks(
    base_url: str, token: Token, *, ca_bundle: Path | str | None = None, deadline: float = CALL_SECONDS
) -> "Webhooks":
    """A client for the registration API with its own connections; call `close` at the end.

    Raises ConfigurationError for a wrong address.
    """
    return Webhooks(base_url, token, service=open_service(_address(base_url), ca_bundle, deadline), deadline=deadline)


def _address(base_url: str) -> httpx.URL:
    return resource_url(base_url, "registration", "The webhook host's address", BASE_URL)


class Webhooks:
    """The registration API. Threads can share one object.

    Every method raises only errors of `shared.foundation.errors`: Throttled and Unavailable (try again later),
    SignInFailed, NotFound, Conflict, Rejected; a write also raises Ambiguous.
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        service: Service,
        deadline: float = CALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Send only to `base_url`. `token` returns tokens of the webhook host's audience. Raises ConfigurationError."""
        self._path = _address(base_url).raw_path.decode()
        self._service = service
        self._clock, self._sleep = clock, sleep
        self._sender = RequestSender(
            token, service, deadline=deadline, new_id=lambda: str(uuid4()), clock=clock, chance=random.Random()  # noqa: S311 - jitter is not a secret
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    # --- the registration

    def read_registration(self) -> Registration | None:
        """The tenant's registration, whoever made it; None if the tenant has none."""
        with _remedies_for_webhook_host():
            try:
                return self._sender.read(
                    OutgoingRequest("GET", self._path, _SUBJECT), webhook_bodies.parse_registration
                )
            except NotFound:
                return None

    def register(self, url: str, events: Sequence[str] = EVENTS, *, overwrite: bool = False) -> Registration:
        """Register `url` for `events`, and return the registration. Further events of our own registration stay.

        Raises Rejected (`foreignRegistration`) if events go to another address and `overwrite` is false, and Conflict
        if another program registers at the same time.
        """
        current = self.read_registration()
        if current is None:
            return self._write_registration("POST", url, tuple(events))
        if current.is_at(url):
            return self._write_registration("PUT", url, (*current.events, *current.missing_events(events)))
        if not overwrite:
            raise Rejected(foreign_registration_cause(current))
        return self._write_registration("PUT", url, tuple(events))

    def _write_registration(self, method: str, url: str, events: tuple[str, ...]) -> Registration:
        body = {"WebhookUrl": url, "WebhookEvents": events, "SignatureTokenToMsSignatureHeader": True}
        request = OutgoingRequest(method, self._path, _SUBJECT, _WRITE_STATUSES, json_bytes(body))
        with _remedies_for_webhook_host():
            try:
                with self._sender.one_deadline() as deadline:
                    return self._sender.exchange(request, webhook_bodies.parse_registration, deadline)
            except Ambiguous:
                # A write replaces the whole registration, so a read shows whether it happened.
                if (current := self.read_registration()) and current.is_at(url) and not current.missing_events(events):
                    return current
                raise

    # --- test events

    def send_test_event(self) -> str:
        """Request a test event to the registered address; return its correlation id. At most two a minute are allowed.

        Raises Rejected if the registration does not contain `test-created`, and Throttled.
        """
        request = OutgoingRequest("POST", self._validation_path(), "test event", _TEST_STATUSES)
        with _remedies_for_webhook_host():
            try:
                with self._sender.one_deadline() as deadline:
                    return self._sender.exchange(request, webhook_bodies.parse_correlation_id, deadline)
            except Throttled as error:
                wait = "in a minute" if error.after is None else f"in {error.after:.0f} seconds"
                text = f"Partner Center sends at most two test events a minute. Request the next one {wait}"
                raise Throttled(text, after=error.after) from None

    def read_validation(self, correlation_id: str) -> Validation:
        """The state of a test event. The service keeps it for seven days, then this raises NotFound."""
        request = OutgoingRequest("GET", self._validation_path(correlation_id), f"test event {correlation_id}")

        def decode(reply: Reply) -> Validation:
            return webhook_bodies.parse_validation(reply, correlation_id)

        with _remedies_for_webhook_host():
            return self._sender.read(request, decode)

    def follow_test_event(
        self,
        correlation_id: str,
        report: Callable[[Validation], None] = lambda _: None,
        *,
        seconds: float = FOLLOW_SECONDS,
    ) -> Validation:
        """Read the state until the event has arrived, no attempt will follow, or `seconds` are over.

        `report` gets each state that was read. Returns the last one.
        """
        end, state = self._clock() + seconds, Validation(correlation_id)
        while True:
            with suppress(NotFound):  # the request was made just now, and the service may not know it yet
                state = self.read_validation(correlation_id)
            report(state)
            if state.is_over or self._clock() >= end:
                return state
            self._sleep(PAUSE_SECONDS)

    def _validation_path(self, correlation_id: str | None = None) -> str:
        path = f"{self._path}/validationEvents"
        return path if correlation_id is None else f"{path}/{quote(correlation_id, safe='')}"


# --- the daily check


class RegistrationMemory(Protocol):
    """The memory of our registration, which the store keeps."""

    def cursor(self, name: str) -> datetime | None:
        """Return the time when the registration was last ours; None if it never was."""

    def move_cursor(self, name: str, to: datetime) -> None:
        """Note that the registration is ours at the time `to`."""


class RegistrationOutcome(StrEnum):
    """The outcome of the daily check. The values are written to log events."""

    FINE = "fine"
    REPAIRED = "repaired"
    REGISTERED = "registered"
    FOREIGN = "foreign"
    MISSING = "missing"


def keep_registration(
    webhooks: Webhooks,
    url: str,
    *,
    memory: RegistrationMemory,
    log: Callable[..., None],
    may_register: bool,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> RegistrationOutcome:
    """Check the registration, and repair it if it is ours. A foreign one is logged and never replaced.

    If there is none, it is made if `may_register` is true or if it was ours before. Two instances may run this at once:
    the slower one then reads what the faster one made. Raises what `Webhooks` raises.
    """
    current, outcome = webhooks.read_registration(), RegistrationOutcome.FINE
    if current is None:
        if not may_register and memory.cursor(REGISTRATION_CURSOR) is None:
            log("registration_missing")
            return RegistrationOutcome.MISSING
        current, outcome = _register_or_read(webhooks, url)
    if not current.is_at(url):
        log("registration_foreign", host=current.host)
        return RegistrationOutcome.FOREIGN
    if not current.is_complete:
        webhooks.register(url)
        outcome = RegistrationOutcome.REPAIRED
    memory.move_cursor(REGISTRATION_CURSOR, now())
    log("registration_kept", outcome=outcome)
    return outcome


def _register_or_read(webhooks: Webhooks, url: str) -> tuple[Registration, RegistrationOutcome]:
    try:
        return webhooks.register(url), RegistrationOutcome.REGISTERED
    except (Conflict, Rejected):
        # Another instance or another tool was faster.
        if current := webhooks.read_registration():
            return current, RegistrationOutcome.FINE
        raise


# --- texts


def foreign_registration_cause(registration: Registration) -> Cause:
    """Return the cause that explains why a foreign registration is not replaced."""
    return Cause(
        "foreignRegistration",
        "webhookUrl",
        f"Partner Center sends this tenant's events to another address, at {registration.host}",
        "Find out which tool of your company uses those events. If it no longer needs them, run "
        "`cosell webhook register --overwrite`.",
    )


@contextmanager
def _remedies_for_webhook_host() -> Iterator[None]:
    """Replace the remedies in errors by those for the webhook host: the usual ones are about the referrals API."""
    try:
        yield
    except Rejected as error:
        raise Rejected(replace(error.cause, remedy=_CHECK_ADDRESS)) from None
    except (MfaRequired, ConsentNeeded):
        raise
    except SignInFailed as error:
        remedy = _REMEDIES.get(error.code, error.remedy)
        raise SignInFailed(str(error), code=error.code, remedy=remedy) from None


_SUBJECT = "the registration for events"
_CHECK_ADDRESS = (
    "Check that EVENTS_URL is a public https address, and read the registration with `cosell webhook show`."
)
_REMEDIES = {
    # docs/reference/partner-center.md#roles-for-webhooks
    "accessDenied": "Give the integration account one of these roles in Partner Center: Billing admin, Admin agent,"
    " Sales agent, Helpdesk agent. Referrals admin is not enough for events. If it has one, check conditional access.",
    "unauthenticated": "Check that the app has consent for Microsoft Partner Center"
    " (https://api.partnercenter.microsoft.com), then sign in again.",
}
