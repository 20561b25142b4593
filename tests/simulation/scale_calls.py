"""Counts the calls to both services, and the least calls that the work needs (docs/protocol.md#call-floors)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

from emulators.base.emulator import Emulator
from emulators.base.server import Request, Response
from shared.domain.deal import Side
from tests.simulation.held_values import PARTNER_CENTER, SALESFORCE
from tests.unit.sync.call_counter import CallCounter
from tests.unit.sync.harness import Harness

RequestHandler = Callable[[Request], Response]
READ, PULLED, WRITE_BACK, CONDITIONAL, QUERY_PAGE, LIST_PAGE = 2_000, 240, 200, 24, 2_000, 100
"""Records in one call, at most."""
WRITES = frozenset({"partner_center.patch", "partner_center.create", "salesforce.write_back", "salesforce.conditional"})
"""The kinds of calls that change one of the two sides."""


@dataclass
class Calls:
    """The calls up to now by kind, and how many of them met a fault, by side.

    The journals are emptied, because those of a million calls would need more memory than everything else.
    """

    harness: Harness
    kinds: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    faulty: Counter[str] = field(default_factory=Counter)

    def around(self, side: Side, emulator: Emulator, before: Callable[[Side], None]) -> RequestHandler:
        """The handler of an emulator that counts each call. `before` is called before each of them."""

        def counted(request: Request) -> Response:
            before(side)
            response = emulator.handle(request)
            self.made[side] += 1
            self.faulty[side] += emulator.journal[-1].fault is not None
            return response

        return counted

    @property
    def total(self) -> int:
        """All calls up to now."""
        return self.made.total()

    def empty_journals(self) -> None:
        """Count the kinds of the calls in the journals, and forget these."""
        journals = self.harness.salesforce.journal, self.harness.partner_center.journal
        self.kinds += CallCounter(*journals).new_calls()
        for journal in journals:
            journal.clear()

    def forget(self) -> None:
        """Forget all calls up to now."""
        self.empty_journals()
        for counts in (self.kinds, self.made, self.faulty):
            counts.clear()

    def writes(self) -> int:
        """How many calls up to now were to change something."""
        self.empty_journals()
        return sum(count for kind, count in self.kinds.items() if kind in WRITES)


@dataclass
class Floor:
    """The least calls for what happened up to now, by what needs them."""

    harness: Harness
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All of them."""
        return self.calls.total()

    def add_edits(self, edited: dict[str, int]) -> None:
        """So many deals have edits of a side that have to travel."""
        ours, theirs = edited.get(SALESFORCE, 0), edited.get(PARTNER_CENTER, 0)
        # A poll shows the connector's own writes once more, and their records are read again.
        self.calls["reads of opportunities"] += 2 * ceil(ours / READ) + ceil(theirs / PULLED) + ceil(theirs / READ)
        self.calls["PATCHes of referrals"] += ours
        self.calls["write-backs"] += ceil(ours / WRITE_BACK)
        self.calls["GETs of referrals"] += theirs
        self.calls["conditional writes"] += ceil(theirs / CONDITIONAL)

    def add_push(self) -> None:
        """A push polls, page by page."""
        cursor = self.harness.store.cursors().get(f"push_{self.harness.translation.polls[0].name}")
        since = cursor - timedelta(minutes=10) if cursor else self.harness.scope.begin
        first = f"{since:%Y-%m-%dT%H:%M:%S}"
        stored = self.harness.salesforce.org.stored_records("Opportunity")
        changed = sum(record["SystemModstamp"] >= first for record in stored)
        self.calls["polls"] += max(1, ceil(changed / QUERY_PAGE))

    def add_sweep(self) -> None:
        """A sweep lists what has changed, page by page."""
        cursor = self.harness.store.cursor("sweep")
        since = cursor - timedelta(minutes=30) if cursor else self.harness.scope.begin
        first = f"{since:%Y-%m-%dT%H:%M:%S}"
        changed = sum(record["updatedDateTime"] >= first for record in self.harness.our_referrals())
        self.calls["pages of lists"] += max(1, ceil(changed / LIST_PAGE))

    def leave_out_unlisted(self, listed: int) -> None:
        """Count no more pages of lists than were asked for: a sweep that failed or was paused needed no further one."""
        self.calls["pages of lists"] = min(self.calls["pages of lists"], listed)

    def add_events(self, count: int) -> None:
        """Each event costs a GET at least."""
        self.calls["events"] += count
