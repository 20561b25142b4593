"""Part of a day at a given load: the connector's own runs on the emulators in one process, everything counted.

Time is virtual: each minute sellers, colleagues and Microsoft act, each event is applied, the push runs, and the sweep
every quarter of an hour. Every change of a referral makes an event, our own changes too, as in Partner Center.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import requests

from emulators.base.emulator import EmulatedClock
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import LOCATION, ORGANIZATION, PartnerCenterEmulator
from emulators.salesforce.emulator import SalesforceEmulator
from local.in_process_transport import Badge, EmulatorAdapter, OpenDoor, httpx_client
from shared.clients.partner_center.referrals import Referrals
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.request import ApiConnection
from shared.domain.scope import Scope
from shared.foundation.logs import LOGGER, log
from shared.mapping.translation import Constants, Translation
from shared.store.link_store import LinkStore
from shared.store.rows import Row
from shared.store.sqlite_rows import SqliteRows
from shared.sync.context import Context, Policy
from shared.sync.runs.pull import pull_event
from shared.sync.timers import run_push, run_sweep

START = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
SALESFORCE_URL = "https://acme.my.salesforce.com"
PARTNER_CENTER_URL = "https://api.partner.example/v1.0/engagements"
MIX = "SPSPNSPSPA"
"""Of ten changes: four edits by sellers (S), four by colleagues (P), one new opportunity (N), one arrival (A)."""
DAY, QUARTER = 1440, 15  # minutes
PAGE = 1000
"""Rows that one answer of Table Storage holds."""
CALL_SECONDS, LEAST_SECONDS, GIGABYTES = 0.3, 1.0, 2.0
"""What a remote call is taken to last, the least that an execution is billed for, and the memory of an instance."""
QUEUE_OPERATIONS = 3
"""Of an event: put, got, deleted."""


class CountedRows:
    """Rows that count what Table Storage would be asked."""

    def __init__(self, rows: SqliteRows, counts: Counter[str]) -> None:
        """Counts go to `counts`."""
        self._rows, self._counts = rows, counts

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of the rows
        """Every method is one operation; a list is one for each page."""
        method = getattr(self._rows, name)

        def called(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
            answer = method(*given, **named)
            rows: Sequence[Row] = answer if isinstance(answer, list) and name == "list" else ()
            self._counts["table operations"] += 1 + len(rows) // PAGE
            return answer

        return called


class _Counting(logging.Handler):
    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self._counts = counts

    def emit(self, record: logging.LogRecord) -> None:
        self._counts["log lines"] += 1
        self._counts["log bytes"] += len(record.getMessage().encode())


class _Clock:
    def __init__(self, now: Callable[[], datetime], later: Callable[[float], None]) -> None:
        self.now, self._later = now, later

    def sleep(self, duration: timedelta) -> None:
        self._later(duration.total_seconds())


class _OneByOne:
    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: int) -> list[R]:
        del at_most
        return [work(item) for item in items]


class World:
    """Both systems, one instance of the connector, and the counts."""

    def __init__(self, stack: ExitStack) -> None:
        """Everything is closed with `stack`."""
        self.counts: Counter[str] = Counter()
        self.gigabyte_seconds = 0.0
        entra, certificates = EntraEmulator(), CertificateHost()
        self.salesforce = SalesforceEmulator(multi_currency=True, public_url=SALESFORCE_URL)
        self.partner_center = PartnerCenterEmulator(entra=entra, certificates=certificates)
        stack.callback(self.partner_center.close)
        self.clocks: list[EmulatedClock] = [self.salesforce.clock, self.partner_center.clock, entra.clock]
        for clock in self.clocks:
            clock.freeze()
            clock.set(START)
        self.context = self._context(stack, entra)
        self.deals: list[str] = []
        self._known: dict[str, str] = {}
        self._turn = 0

    def _context(self, stack: ExitStack, entra: EntraEmulator) -> Context:
        http = stack.enter_context(httpx_client(self.partner_center.handle))
        session = stack.enter_context(requests.Session())
        session.mount("https://", EmulatorAdapter(self.salesforce.handle))
        rows = SqliteRows(":memory:", clock=self.now)
        stack.callback(rows.close)
        door = OpenDoor(self.salesforce, SALESFORCE_URL)
        wire = ApiConnection(door, session, version="66.0", seconds=60.0, now=self.now, monotonic=self._seconds)
        return Context(
            Referrals(PARTNER_CENTER_URL, Badge(entra), client=http, clock=self._seconds), SalesforceClient(wire),
            LinkStore(CountedRows(rows, self.counts), self._seconds), Translation(Constants(LOCATION)),
            Scope(ORGANIZATION, None, START - timedelta(hours=1)), _Clock(self.now, self.later), _OneByOne(), log,
            lambda: 0.5, Policy(),
        )  # fmt: skip

    def now(self) -> datetime:
        """The one time everywhere."""
        return self.clocks[0].now()

    def _seconds(self) -> float:
        return self.now().timestamp()

    def later(self, seconds: float) -> None:
        """Time passes."""
        for clock in self.clocks:
            clock.advance(seconds)

    # --- executions

    def execute(self, name: str, work: Callable[[], object]) -> None:
        """One execution of a function: its calls, and what it is billed for."""
        before = self._calls()
        work()
        self.counts[name] += 1
        self.gigabyte_seconds += GIGABYTES * max(LEAST_SECONDS, CALL_SECONDS * (self._calls() - before))

    def _calls(self) -> int:
        return len(self.salesforce.journal) + len(self.partner_center.journal)

    def events(self) -> None:
        """Every referral that changed is told of, until none changes any more."""
        while changed := list(self._changed()):
            for referral_id in changed:
                self.counts["queue operations"] += QUEUE_OPERATIONS
                self.execute("receive_event", lambda: None)
                self.execute("apply_event", partial(pull_event, self.context, referral_id))

    def _changed(self) -> Iterator[str]:
        for referral in self.partner_center.referrals(ORGANIZATION):
            if self._known.get(referral["id"]) != referral["eTag"]:
                self._known[referral["id"]] = referral["eTag"]
                yield referral["id"]

    # --- acting

    def new(self) -> None:
        """A seller ticks a new opportunity."""
        name = f"Deal {len(self.deals)}"
        account = {"Name": name, "BillingCity": "Seattle", "BillingCountry": "US"}
        self.deals.append(
            self.salesforce.insert(
                "Opportunity",
                {
                    "Name": name, "AccountId": self.salesforce.insert("Account", account), "Amount": 10_000,
                    "StageName": "Qualification", "CloseDate": "2027-03-31", "CurrencyIsoCode": "USD",
                    "Products__c": "SOL-12345-ABC", "Sync_with_Partner_Center__c": True,
                },
            )
        )  # fmt: skip

    def change(self) -> None:
        """The next change of the mix, each of another deal."""
        kind, number = MIX[self._turn % len(MIX)], self._turn
        self._turn += 1
        deal = self.deals[number % len(self.deals)]
        if kind == "N":
            self.new()
        elif kind == "A":
            self.partner_center.microsoft_sends()
        elif kind == "S":
            self.salesforce.edit("Opportunity", deal, {"Amount": 20_000 + number})
        else:
            referral = self.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
            day = f"{START.year + 1}-{1 + number % 12:02}-{1 + number % 28:02}T00:00:00Z"
            self.partner_center.portal_edits(
                referral, [{"op": "replace", "path": "/details/closingDateTime", "value": day}]
            )

    def minute(self, number: int, changes: int) -> None:
        """One minute: what people do, the events, the push, and the sweep when its time has come."""
        for _ in range(changes):
            self.change()
        self.events()
        self.later(60)
        self.execute("push_opportunities", lambda: run_push(self.context))
        self.events()
        if number % QUARTER == 0:
            self.execute("sweep_referrals", lambda: run_sweep(self.context))
            self.events()


@contextmanager
def _counted_logs(counts: Counter[str]) -> Iterator[None]:
    handler, level, propagates = _Counting(counts), LOGGER.level, LOGGER.propagate
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)
        LOGGER.propagate = propagates


def counted(changes_a_day: int, minutes: int) -> Counter[str]:
    """What happens in `minutes` of a day with so many changes, after a quarter of an hour of the same load."""
    with ExitStack() as stack:
        world = World(stack)
        stack.enter_context(_counted_logs(world.counts))
        for _ in range(max(20, changes_a_day * (minutes + QUARTER) // DAY)):
            world.new()
        for number in range(1, QUARTER + 1):
            world.minute(number, 0)
        done = _load(world, changes_a_day, range(1, QUARTER + 1), 0)
        before, seconds = _all(world), world.gigabyte_seconds
        _load(world, changes_a_day, range(QUARTER + 1, QUARTER + minutes + 1), done)
        counts = _all(world) - before
        counts["thousandths of a GB-second"] = round(1000 * (world.gigabyte_seconds - seconds))
        return counts


def _load(world: World, changes_a_day: int, minutes: range, done: int) -> int:
    for number in minutes:
        until = changes_a_day * number // DAY
        world.minute(number, until - done)
        done = until
    return done


def _all(world: World) -> Counter[str]:
    sides = {
        "Salesforce calls": len(world.salesforce.journal),
        "Partner Center calls": len(world.partner_center.journal),
    }
    return world.counts + Counter(sides)
