"""Simulates part of a day at a given load: runs the connector on the emulators in one process, and counts all calls.

Time is virtual. In each minute people and Microsoft change deals, every event is applied, and the push runs. The sweep
runs every quarter of an hour. As in Partner Center, every change of a referral causes an event, also the connector's
own changes.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from emulators.base.clock import EmulatedClock
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import LOCATION, ORGANIZATION, PartnerCenterEmulator
from emulators.salesforce.emulator import SalesforceEmulator
from local.in_process_transport import EmulatorAccessToken, EmulatorService, EmulatorSession, EmulatorSignIn
from shared.clients.partner_center.referrals import Referrals
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_shape import ask_shape
from shared.clients.salesforce.request import ApiConnection
from shared.domain.scope import Scope
from shared.foundation.logs import LOGGER, log
from shared.mapping.new_referral import ReferralConstants
from shared.mapping.translation import Translation
from shared.store.link_store import LinkStore
from shared.store.rows import Row
from shared.store.sqlite_rows import SqliteRows
from shared.sync.ports import Context, Policy
from shared.sync.runs import pull_event, run_push, run_sweep

START = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
SALESFORCE_URL = "https://acme.my.salesforce.com"
PARTNER_CENTER_URL = "https://api.partner.example/v1.0/engagements"
CHANGE_MIX = "SPSPNSPSPA"
"""Of ten changes, four are edits in Salesforce (S) and four in Partner Center (P). One is a new opportunity (N), and
one is a new referral from Microsoft (A)."""
MINUTES_PER_DAY, QUARTER_HOUR = 1440, 15  # minutes
ROWS_PER_PAGE = 1000
"""Rows in one answer of Table Storage, at most: docs/reference/azure.md#limits-of-table-storage."""
CALL_SECONDS, MINIMUM_SECONDS, INSTANCE_GIGABYTES = 0.3, 1.0, 2.0
"""Assumed seconds of a remote call, minimum seconds billed for an execution, and memory of an instance in GB."""
QUEUE_OPERATIONS_PER_EVENT = 3
"""Each event is put into the queue, received from it, and deleted."""


class CountedRows:
    """Passes every call on to `rows`, and counts the operations that Table Storage would charge for."""

    def __init__(self, rows: SqliteRows, counts: Counter[str]) -> None:
        """Add the operations to `counts`."""
        self._rows, self._counts = rows, counts

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of the rows
        """The method, counted as one operation for each call; a list counts one for each page."""
        method = getattr(self._rows, name)

        def count_and_call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
            answer = method(*args, **kwargs)
            rows: Sequence[Row] = answer if isinstance(answer, list) and name == "list" else ()
            self._counts["table operations"] += 1 + len(rows) // ROWS_PER_PAGE
            return answer

        return count_and_call


class _LogLineCounter(logging.Handler):
    def __init__(self, counts: Counter[str]) -> None:
        super().__init__()
        self._counts = counts

    def emit(self, record: logging.LogRecord) -> None:
        self._counts["log lines"] += 1
        self._counts["log bytes"] += len(record.getMessage().encode())


class _VirtualClock:
    def __init__(self, now: Callable[[], datetime], later: Callable[[float], None]) -> None:
        self.now, self._pass_time = now, later

    def sleep(self, duration: timedelta) -> None:
        self._pass_time(duration.total_seconds())


class _SerialParallel:
    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: Callable[[], int]) -> list[R]:
        del at_most
        return [work(item) for item in items]


class Simulation:
    """Both emulated systems, one instance of the connector, and the counts."""

    def __init__(self, stack: ExitStack) -> None:
        """Build everything; closing `stack` closes it."""
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
        self.context = self._build_context(stack, entra)
        self.salesforce.backdate_users(START - timedelta(days=1))
        self.deals: list[str] = []
        self._known_etags: dict[str, str] = {}
        self._change_number = 0

    def _build_context(self, stack: ExitStack, entra: EntraEmulator) -> Context:
        service = EmulatorService(self.partner_center.handle, PARTNER_CENTER_URL)
        session = stack.enter_context(EmulatorSession(self.salesforce.handle))
        rows = SqliteRows(":memory:", clock=self.now)
        stack.callback(rows.close)
        sign_in = EmulatorSignIn(self.salesforce, SALESFORCE_URL)
        wire = ApiConnection(
            sign_in, session, version="66.0", seconds=60.0, now=self.now, monotonic=self._epoch_seconds
        )
        salesforce, translation = SalesforceClient(wire), Translation(ReferralConstants(LOCATION))
        return Context(
            Referrals(PARTNER_CENTER_URL, EmulatorAccessToken(entra), service=service, clock=self._epoch_seconds),
            salesforce,
            LinkStore(CountedRows(rows, self.counts), self._epoch_seconds),
            translation.for_org(ask_shape(salesforce, translation.file.question)),
            Scope(ORGANIZATION, None, START - timedelta(hours=1)),
            _VirtualClock(self.now, self.pass_time),
            _SerialParallel(),
            log,
            lambda: 0.5,
            Policy(mass_change_limit=1_000_000),
        )

    def now(self) -> datetime:
        """The virtual time, UTC, which all systems share."""
        return self.clocks[0].now()

    def _epoch_seconds(self) -> float:
        return self.now().timestamp()

    def pass_time(self, seconds: float) -> None:
        """Move the clock of every system forward by `seconds`."""
        for clock in self.clocks:
            clock.advance(seconds)

    # --- executions

    def count_execution(self, name: str, work: Callable[[], object]) -> None:
        """Do `work`, and count it as one execution of the function `name` with the GB-seconds that are billed."""
        before = self._count_calls()
        work()
        self.counts[name] += 1
        self.gigabyte_seconds += INSTANCE_GIGABYTES * max(
            MINIMUM_SECONDS, CALL_SECONDS * (self._count_calls() - before)
        )

    def _count_calls(self) -> int:
        return len(self.salesforce.journal) + len(self.partner_center.journal)

    def apply_events(self) -> None:
        """Apply one event for each changed referral, until no referral changes any more."""
        while changed := list(self._changed_referrals()):
            for referral_id in changed:
                self.counts["queue operations"] += QUEUE_OPERATIONS_PER_EVENT
                self.count_execution("receive_event", lambda: None)
                self.count_execution("apply_event", partial(pull_event, self.context, referral_id))

    def _changed_referrals(self) -> Iterator[str]:
        for referral in self.partner_center.referrals(ORGANIZATION):
            if self._known_etags.get(referral["id"]) != referral["eTag"]:
                self._known_etags[referral["id"]] = referral["eTag"]
                yield referral["id"]

    # --- acting

    def create_opportunity(self) -> None:
        """A seller creates an opportunity and ticks it for the sync."""
        name = f"Deal {len(self.deals)}"
        account = {"Name": name, "BillingStreet": "1 Main Street", "BillingCity": "Seattle", "BillingCountry": "US"}
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

    def make_next_change(self) -> None:
        """Make the next change of `CHANGE_MIX`, each time to another deal."""
        kind, number = CHANGE_MIX[self._change_number % len(CHANGE_MIX)], self._change_number
        self._change_number += 1
        deal = self.deals[number % len(self.deals)]
        if kind == "N":
            self.create_opportunity()
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

    def run_minute(self, number: int, changes: int) -> None:
        """Simulate one minute: the changes, their events, the push, and the sweep if this minute is due for one."""
        for _ in range(changes):
            self.make_next_change()
        self.apply_events()
        self.pass_time(60)
        self.count_execution("push_opportunities", lambda: run_push(self.context))
        self.apply_events()
        if number % QUARTER_HOUR == 0:
            self.count_execution("sweep_referrals", lambda: run_sweep(self.context))
            self.apply_events()


@contextmanager
def _count_log_lines(counts: Counter[str]) -> Iterator[None]:
    handler, level, propagates = _LogLineCounter(counts), LOGGER.level, LOGGER.propagate
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)
        LOGGER.propagate = propagates


def count_operations(changes_a_day: int, minutes: int) -> Counter[str]:
    """Count everything that happens in `minutes` minutes at this load, after a quarter of an hour to warm up."""
    with ExitStack() as stack:
        world = Simulation(stack)
        stack.enter_context(_count_log_lines(world.counts))
        for _ in range(max(20, changes_a_day * (minutes + QUARTER_HOUR) // MINUTES_PER_DAY)):
            world.create_opportunity()
        for number in range(1, QUARTER_HOUR + 1):
            world.run_minute(number, 0)
        done = _run_minutes(world, changes_a_day, range(1, QUARTER_HOUR + 1), 0)
        before, seconds = _all_counts(world), world.gigabyte_seconds
        _run_minutes(world, changes_a_day, range(QUARTER_HOUR + 1, QUARTER_HOUR + minutes + 1), done)
        counts = _all_counts(world) - before
        counts["thousandths of a GB-second"] = round(1000 * (world.gigabyte_seconds - seconds))
        return counts


def _run_minutes(world: Simulation, changes_a_day: int, minutes: range, done: int) -> int:
    for number in minutes:
        changes_by_then = changes_a_day * number // MINUTES_PER_DAY
        world.run_minute(number, changes_by_then - done)
        done = changes_by_then
    return done


def _all_counts(world: Simulation) -> Counter[str]:
    sides = {
        "Salesforce calls": len(world.salesforce.journal),
        "Partner Center calls": len(world.partner_center.journal),
    }
    return world.counts + Counter(sides)
