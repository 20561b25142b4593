"""The world of the end-to-end tests: the emulated systems, the local host with the app, and the app's log events."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from emulators.base.clock import EmulatedClock
from local.host.functions_host import Host
from local.host.queues import EmbeddedQueues
from local.systems import REST_SECONDS, Systems

WAIT_SECONDS = 60.0
"""A wait fails after these seconds. Normally it takes a tenth of a second."""


@dataclass(frozen=True)
class World:
    """The systems, the host with the app, and an HTTP client of the host. `clock` is the clock of the host."""

    systems: Systems
    host: Host
    queues: EmbeddedQueues
    clock: EmulatedClock
    client: httpx.Client

    def post_event(self, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        """Post an event to the webhook."""
        return self.client.post("/api/events", headers=dict(headers), content=body)

    def count_queued(self, name: str = "referral-events") -> int:
        return self.queues.count_messages(name)

    def let_records_rest(self) -> None:
        """Move Salesforce's clock on until no save of a record can still be open."""
        self.systems.salesforce.clock.advance(REST_SECONDS)

    def wait_for_events(self) -> None:
        """Wait until every event is delivered and applied."""
        assert self.systems.partner_center.dispatcher.wait_idle(WAIT_SECONDS)
        self.host.wait_idle(WAIT_SECONDS)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds and no function runs."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition() or self.host._invocations.activity.running:
            assert time.monotonic() < deadline, "the condition did not become true in time"
            time.sleep(0.002)

    def opportunities_by_referral(self) -> dict[str | None, dict[str, Any]]:
        """The opportunities in Salesforce by referral id."""
        return {record["Referral_Identifier__c"]: record for record in self.systems.salesforce.records("Opportunity")}

    def seller_creates(self, **values: object) -> str:
        """Create a complete, ticked opportunity with an account of its own; returns its id."""
        return self.systems.seller_creates("Big deal", country="US", **values)

    def count_remote_calls(self) -> int:
        """The number of calls that the app made to all systems since the last reset."""
        return sum(len(emulator.journal) for emulator in self.systems.emulators_by_name.values())


class LogEvents(logging.Handler):
    """The connector's log events, oldest first."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.all: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(json.loads(record.getMessage()))

    def events_named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.all if event["event"] == name]
