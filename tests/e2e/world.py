"""What the end-to-end tests act on: the emulated systems, the local host with the app in it, and what the app logs."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from emulators.base.emulator import EmulatedClock
from local.host.functions_host import Host
from local.host.queues import EmbeddedQueues
from local.systems import Systems

PATIENCE = 20.0
"""Seconds until something that takes a tenth of one has failed."""


@dataclass(frozen=True)
class World:
    """The systems, the host with the app in it, and a client of the host; `clock` is the host's."""

    systems: Systems
    host: Host
    queues: EmbeddedQueues
    clock: EmulatedClock
    client: httpx.Client

    def send(self, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        """Post to the event door."""
        return self.client.post("/api/events", headers=dict(headers), content=body)

    def queued(self, name: str = "referral-events") -> int:
        return self.queues.count(name)

    def settle(self) -> None:
        """Wait until every event is delivered and worked on."""
        assert self.systems.partner_center.dispatcher.wait_idle(PATIENCE)
        self.host.wait_idle(PATIENCE)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds and no function runs."""
        deadline = time.monotonic() + PATIENCE
        while not condition() or self.host._invocations.activity.running:
            assert time.monotonic() < deadline, "it never came to hold"
            time.sleep(0.002)

    def opportunities(self) -> dict[str | None, dict[str, Any]]:
        """What Salesforce has, by referral id."""
        return {row["Referral_Identifier__c"]: row for row in self.systems.salesforce.records("Opportunity")}

    def seller_creates(self, **values: object) -> str:
        """A complete, ticked opportunity of an account of its own."""
        return self.systems.seller_creates("Big deal", country="US", **values)

    def remote_calls(self) -> int:
        """How many calls the app made to any system since the last reset."""
        return sum(len(emulator.journal) for emulator in self.systems.emulators.values())


class Events(logging.Handler):
    """The connector's log events, in their order."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.all: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(json.loads(record.getMessage()))

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.all if event["event"] == name]
