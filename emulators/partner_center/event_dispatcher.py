"""Deliver events to the registered address: signed, up to ten attempts, then parked for good.

Source: docs/reference/partner-center.md#event-delivery
"""

import heapq
import itertools
import random
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from emulators.base.clock import EmulatedClock
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.event_faults import EventFault, EventFaultKind
from emulators.partner_center.events import Event, Registration, sign_event

ATTEMPTS = 10
_SCHEDULED = frozenset({EventFaultKind.DELAY, EventFaultKind.REORDER})
_BREAKING = frozenset({EventFaultKind.WRONG_SIGNATURE, EventFaultKind.WRONG_CERTIFICATE, EventFaultKind.TAMPERED_BODY})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver an event.

    `outcome` is delivered, failed (another attempt follows), parked (none follows) or lost (a fault). `status` is None
    if nothing was sent or nothing answered. `at` is the emulated time. `defect` is an error of the dispatcher itself.
    """

    event: str
    referral_id: str
    attempt: int
    status: int | None
    at: str
    outcome: str
    fault: str | None = None
    defect: str | None = None


@dataclass(order=True, slots=True)
class Job:
    """One event that waits for its next attempt."""

    due: float  # monotonic seconds
    number: int
    event: Event = field(compare=False)
    registration: Registration = field(compare=False)
    fault: EventFaultKind | None = field(compare=False, default=None)
    attempt: int = field(compare=False, default=1)


class Dispatcher:
    """Accepts events without waiting, and sends them one after the other from its own thread."""

    def __init__(
        self,
        certificates: CertificateHost,
        *,
        clock: EmulatedClock,
        chance: random.Random,
        ca_bundle: Path | None = None,
        spacing: float | Sequence[float] = 1.0,
        timeout: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`spacing` is the seconds between attempts: one number, or one for each attempt.

        `ca_bundle` holds the roots that are trusted for the receiver's TLS certificate.
        """
        self.registration: Registration | None = None
        self.faults: list[EventFault] = []
        self.journal: list[Delivery] = []
        self.parked: list[Event] = []
        self.spacing, self.ca_bundle = spacing, ca_bundle
        self.on_delivery: Callable[[Delivery], None] = lambda _: None  # called with every attempt
        self._certificates, self._clock, self._chance, self._timeout = certificates, clock, chance, timeout
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._held_back: list[Job] = []
        self._numbers = itertools.count()
        self._busy = 0
        self._thread: threading.Thread | None = None
        self._closing = False
        self._http: httpx.Client | None = None

    # --- called by the emulator

    def announce(self, event: Event, *, early: bool = False) -> list[Job]:
        """Accept an event. Return the jobs that must be delivered before the call that caused the event is answered.

        `early` makes it such a job, unless a fault says when the event is sent.
        """
        registration = self.registration
        if registration is None or event.name not in registration.events:
            return []
        fault = next((f for f in self.faults if f.applies_to(event.name, self._chance)), None)
        kind = fault.kind if fault else None
        if kind is EventFaultKind.LOSE:
            self._add_to_journal(event, 0, None, "lost", kind)
            return []
        job = Job(self._monotonic(), next(self._numbers), event, registration, kind)
        if kind is EventFaultKind.BEFORE or (early and kind not in _SCHEDULED):
            return [job, self._second_job(job)] if kind is EventFaultKind.DUPLICATE else [job]
        if fault is not None and kind in _SCHEDULED:
            job.due += fault.seconds
        self._enqueue(job, twice=kind is EventFaultKind.DUPLICATE)
        return []

    def deliver_now(self, jobs: list[Job]) -> None:
        """Make one attempt for each job in the calling thread. Further attempts follow in the dispatcher's thread."""
        for job in jobs:
            with self._changed:
                self._busy += 1
            self._attempt_delivery(job)

    def forget_all(self) -> None:
        """Drop the waiting events, the journal, the faults and the registration."""
        with self._changed:
            self._jobs, self._held_back = [], []
            self.journal, self.parked, self.faults = [], [], []
            self.registration = None
            self._changed.notify_all()

    # --- for tests and the local run

    @property
    def is_idle(self) -> bool:
        """Whether no event waits or is being sent. Parked events do not count."""
        with self._changed:
            return self._nothing_waits()

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no event waits or is being sent, at most `timeout` seconds. Return whether that came true."""
        with self._changed:
            return self._changed.wait_for(self._nothing_waits, timeout)

    def close(self) -> None:
        """Stop the thread and close the connections. Waiting events are dropped."""
        with self._changed:
            self._closing = True
            self._jobs, self._held_back = [], []
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(self._timeout + 1)
        if self._http is not None:
            self._http.close()

    # --- the thread

    def _nothing_waits(self) -> bool:
        return not self._jobs and not self._held_back and not self._busy

    def _enqueue(self, job: Job, *, twice: bool = False) -> None:
        with self._changed:
            if self._closing or self.registration is None:  # after a reset no further attempt is made
                return
            queue = self._held_back if job.fault is EventFaultKind.REORDER and job.attempt == 1 else self._jobs
            heapq.heappush(queue, job)
            if twice:
                heapq.heappush(self._jobs, self._second_job(job))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run_until_closed, name="event-dispatcher", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _second_job(self, job: Job) -> Job:
        return Job(job.due, next(self._numbers), job.event, job.registration, job.fault)

    def _run_until_closed(self) -> None:
        while (job := self._wait_for_next_job()) is not None:
            self._attempt_delivery(job)
            self._release_held_back()

    def _wait_for_next_job(self) -> Job | None:
        """Wait for the next job that is due and return it, or return None when the dispatcher closes."""
        with self._changed:
            while not self._closing:
                now = self._monotonic()
                ready = next((q for q in (self._jobs, self._held_back) if q and q[0].due <= now), None)
                if ready is not None:
                    self._busy += 1
                    return heapq.heappop(ready)
                soonest = min((q[0].due for q in (self._jobs, self._held_back) if q), default=None)
                self._changed.wait(None if soonest is None else soonest - now)
            return None

    def _release_held_back(self) -> None:
        """Make the reordered events due, because an event was sent before them."""
        with self._changed:
            for job in self._held_back:
                job.due = min(job.due, self._monotonic())

    def _attempt_delivery(self, job: Job) -> None:
        """Send once and record the outcome. Until then the dispatcher is not idle."""
        try:
            self._record_outcome(job, self._send_event(job))
        except Exception as defect:  # noqa: BLE001 - a defect with one event must not stop the deliveries of all others
            self.journal.append(self._make_delivery(job.event, job.attempt, None, "parked", job.fault, repr(defect)))
            self.parked.append(job.event)
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _record_outcome(self, job: Job, status: int | None) -> None:
        """Record the attempt as delivered, failed or parked, and plan the next attempt after a failure."""
        fault = job.fault
        if status is not None and httpx.codes.is_success(status):
            self._add_to_journal(job.event, job.attempt, status, "delivered", fault)
        elif job.attempt < ATTEMPTS:
            self._add_to_journal(job.event, job.attempt, status, "failed", fault)
            job.due = self._monotonic() + self._pause_after(job.attempt)
            job.attempt += 1
            self._enqueue(job)
        else:
            self._add_to_journal(job.event, job.attempt, status, "parked", fault)
            self.parked.append(job.event)

    def _pause_after(self, attempt: int) -> float:
        spacing = self.spacing
        return spacing if isinstance(spacing, int | float) else spacing[min(attempt, len(spacing)) - 1]

    def _send_event(self, job: Job) -> int | None:
        fault = job.fault if job.fault in _BREAKING else None
        headers, body = sign_event(
            job.event, self._certificates, x_ms_signature=job.registration.x_ms_signature, fault=fault
        )
        try:
            return self._open_client().post(job.registration.url, content=body, headers=headers).status_code
        except httpx.HTTPError:
            return None

    def _open_client(self) -> httpx.Client:
        with self._changed:
            if self._http is None:
                context = ssl.create_default_context(cafile=self.ca_bundle)
                self._http = httpx.Client(verify=context, trust_env=False, timeout=self._timeout)
            return self._http

    def _add_to_journal(
        self, event: Event, attempt: int, status: int | None, outcome: str, fault: EventFaultKind | None
    ) -> None:
        delivery = self._make_delivery(event, attempt, status, outcome, fault)
        self.journal.append(delivery)
        self.on_delivery(delivery)

    def _make_delivery(
        self,
        event: Event,
        attempt: int,
        status: int | None,
        outcome: str,
        fault: EventFaultKind | None,
        defect: str | None = None,
    ) -> Delivery:
        at = self._clock.now().isoformat()
        return Delivery(event.name, event.referral_id, attempt, status, at, outcome, fault, defect)
