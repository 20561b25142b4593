"""Registration for events: one per tenant, which other tools want too (reference/partner-center.md 11.1, 11.5).

A PUT replaces address and events as a whole, so whoever writes without looking silences somebody else: a foreign
registration is taken only where a person says so, and one of our own keeps what it holds.

>>> webhooks = app.webhooks
>>> registration = webhooks.register("https://func-cosell.azurewebsites.net/api/events")
>>> webhooks.registration().url
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
from uuid import uuid4

import httpx

from shared.clients.exact_json import json_text
from shared.clients.partner_center import webhook_bodies
from shared.clients.partner_center.error_mapping import Reply
from shared.clients.partner_center.request import OutgoingRequest, RequestSender, Token, resource_url
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
from shared.transport.client import open_client

BASE_URL = "https://api.partnercenter.microsoft.com/webhooks/v1"
CALL_SECONDS = 60.0
"""Seconds for one call, tries and waits included."""
FOLLOW_SECONDS, PAUSE_SECONDS = 120.0, 2.0
"""Seconds to follow a test event at most, and between two looks."""
REGISTRATION_CURSOR = "registration"
"""The cursor that says when the registration was last seen to be ours."""

_WRITE_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
_TEST_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})


def open_webhooks(
    base_url: str, token: Token, *, ca_bundle: Path | str | None = None, deadline: float = CALL_SECONDS
) -> "Webhooks":
    """Webhooks on a client of their own, to be closed with `close`. Raises ConfigurationError for the address."""
    return Webhooks(base_url, token, client=open_client(ca_bundle), deadline=deadline)


class Webhooks:
    """The registration API. Safe to share between threads.

    Every method raises errors of `errors` only: Throttled and Unavailable (come again), SignInFailed, NotFound,
    Conflict, Rejected, and those that write also Ambiguous.
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        client: httpx.Client,
        deadline: float = CALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Talk to `base_url` alone; `token` gives tokens of the webhook host's audience. Raises ConfigurationError."""
        self._url = resource_url(base_url, "registration", "The webhook host's address", BASE_URL)
        self._client = client
        self._clock, self._sleep = clock, sleep
        self._sender = RequestSender(
            token, client, deadline=deadline, new_id=lambda: str(uuid4()), clock=clock, chance=random.Random()  # noqa: S311 - jitter, no secret
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # --- the registration

    def read_registration(self) -> Registration | None:
        """The tenant's registration, whoever made it; None where there is none."""
        with _remedies_for_webhook_host():
            try:
                return self._sender.read(OutgoingRequest("GET", self._url, _SUBJECT), webhook_bodies.parse_registration)
            except NotFound:
                return None

    def register(self, url: str, events: Sequence[str] = EVENTS, *, overwrite: bool = False) -> Registration:
        """Have `events` sent to `url`; what a registration of our own holds beyond them stays.

        Raises Rejected (`foreignRegistration`) where events go to another address and `overwrite` was not said, and
        Conflict where somebody registered in the same moment.
        """
        found = self.read_registration()
        if found is None:
            return self._write_registration("POST", url, tuple(events))
        if found.is_at(url):
            return self._write_registration("PUT", url, (*found.events, *found.missing_events(events)))
        if not overwrite:
            raise Rejected(foreign_registration_cause(found))
        return self._write_registration("PUT", url, tuple(events))

    def _write_registration(self, method: str, url: str, events: tuple[str, ...]) -> Registration:
        wanted = {"WebhookUrl": url, "WebhookEvents": events, "SignatureTokenToMsSignatureHeader": True}
        request = OutgoingRequest(method, self._url, _SUBJECT, _WRITE_STATUSES, json_text(wanted).encode())
        with _remedies_for_webhook_host():
            try:
                return self._sender.write(request, webhook_bodies.parse_registration)
            except Ambiguous:
                # The whole slot is written, so that looking tells what became of it.
                if (found := self.read_registration()) and found.is_at(url) and not found.missing_events(events):
                    return found
                raise

    # --- test events

    def send_test_event(self) -> str:
        """Have a test event sent to the registered address; return its correlation id. Twice a minute at most.

        Raises Rejected where the registration does not hold `test-created`, Throttled.
        """
        request = OutgoingRequest("POST", self._validation_url(), "test event", _TEST_STATUSES)
        with _remedies_for_webhook_host():
            try:
                return self._sender.write(request, webhook_bodies.parse_correlation_id)
            except Throttled as error:
                wait = "in a minute" if error.after is None else f"in {error.after:.0f} seconds"
                told = f"Partner Center sends two test events a minute at most; ask for the next one {wait}"
                raise Throttled(told, after=error.after) from None

    def read_validation(self, correlation_id: str) -> Validation:
        """How far a test event has come. Raises NotFound: the service keeps it for seven days."""
        request = OutgoingRequest("GET", self._validation_url(correlation_id), f"test event {correlation_id}")

        def decoded(reply: Reply) -> Validation:
            return webhook_bodies.parse_validation(reply, correlation_id)

        with _remedies_for_webhook_host():
            return self._sender.read(request, decoded)

    def follow_test_event(
        self,
        correlation_id: str,
        report: Callable[[Validation], None] = lambda _: None,
        *,
        seconds: float = FOLLOW_SECONDS,
    ) -> Validation:
        """Look until the test event has arrived, or will not, or `patience` seconds are over; `tell` each look."""
        end, found = self._clock() + seconds, Validation(correlation_id)
        while True:
            with suppress(NotFound):  # it was begun a moment ago: what answers may not know of it yet
                found = self.read_validation(correlation_id)
            report(found)
            if found.is_over or self._clock() >= end:
                return found
            self._sleep(PAUSE_SECONDS)

    def _validation_url(self, correlation_id: str | None = None) -> httpx.URL:
        path = f"{self._url.path}/validationEvents"
        return self._url.copy_with(path=path if correlation_id is None else f"{path}/{correlation_id}")


# --- daily: is it still ours?


class RegistrationMemory(Protocol):
    """What the store keeps of our registration."""

    def cursor(self, name: str) -> datetime | None:
        """When it was last seen to be ours."""

    def move_cursor(self, name: str, to: datetime) -> None:
        """It is ours now."""


class RegistrationOutcome(StrEnum):
    """What a look at the registration found, or did."""

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
    """Look at the registration and repair ours; a foreign one is named in the log and never taken.

    Where there is none, it is made if `may_register` says so, or if it was ours before. Safe with two instances: the
    slower one finds what the faster one made. Raises what `Webhooks` raises.
    """
    found, kept = webhooks.read_registration(), RegistrationOutcome.FINE
    if found is None:
        if not may_register and memory.cursor(REGISTRATION_CURSOR) is None:
            log("registration_missing")
            return RegistrationOutcome.MISSING
        found, kept = _register_or_read(webhooks, url)
    if not found.is_at(url):
        log("registration_foreign", host=found.host)
        return RegistrationOutcome.FOREIGN
    if not found.is_complete:
        webhooks.register(url)
        kept = RegistrationOutcome.REPAIRED
    memory.move_cursor(REGISTRATION_CURSOR, now())
    log("registration_kept", outcome=kept)
    return kept


def _register_or_read(webhooks: Webhooks, url: str) -> tuple[Registration, RegistrationOutcome]:
    try:
        return webhooks.register(url), RegistrationOutcome.REGISTERED
    except (Conflict, Rejected):
        # Somebody was faster: another instance, or another tool.
        if found := webhooks.read_registration():
            return found, RegistrationOutcome.FINE
        raise


# --- words


def foreign_registration_cause(found: Registration) -> Cause:
    """Why a registration is not taken."""
    return Cause(
        "foreignRegistration",
        "webhookUrl",
        f"Partner Center sends this tenant's events to another address, at {found.host}",
        "Find out which tool of yours lives on those events; if it may lose them, register with --overwrite.",
    )


@contextmanager
def _remedies_for_webhook_host() -> Iterator[None]:
    """Remedies that fit this host: what is common to both speaks of deals and of the referrals API."""
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
_CHECK_ADDRESS = "Check EVENTS_URL: a public https address; look at the registration with `cosell webhook show`."
_REMEDIES = {
    "accessDenied": "Give the integration account the Referrals admin role in Partner Center; where that does not help,"
    " the Admin agent role.",
    "unauthenticated": "Check that the app has consent for Microsoft Partner Center"
    " (https://api.partnercenter.microsoft.com), then sign in again.",
}
