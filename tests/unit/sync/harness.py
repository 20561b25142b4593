"""A harness for `shared.sync`: it connects the real clients to the real emulators, in one process and with one clock.

Nothing waits, and no code is patched. The clock moves only by `advance_time`, and when the code under test sleeps.
In these tests, `deal` is the id of a deal's opportunity.

>>> with Harness() as harness:
...     deal = harness.seller_creates(Amount=5000)
...     report = harness.push()
...     harness.referral_of(deal)["details"]["dealValue"]
5000
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Self

from emulators.base.faults import Fault
from emulators.partner_center.emulator import ORGANIZATION, PartnerCenterEmulator
from emulators.salesforce.data.hooks import Lock, ValidationRule
from emulators.salesforce.emulator import SalesforceEmulator
from emulators.salesforce.metadata.source_project import PROJECT
from local.in_process_transport import EmulatorAccessToken, EmulatorService, EmulatorSession, EmulatorSignIn
from shared.clients.call_pace import CallPace, Paces
from shared.clients.partner_center.referrals import Referrals
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.request import ApiConnection
from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.records import Opportunity, Referral
from shared.domain.scope import Scope
from shared.mapping.schema import DEFAULT
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from shared.sync.ports import WAITING, Context, Outcome, PartnerCenter, Policy, RetryEntry
from shared.sync.runs import Report, pull_event, run_push, run_sweep
from tests.unit.sync.agreement import differing_fields
from tests.unit.sync.call_counter import CallCounter
from tests.unit.sync.emulated_systems import asked, asked_first, emulators_with_keys, stopped_clocks, translation_of
from tests.unit.sync.instances import Crash, CrashableClock, CrashablePort, ProcessState, RecordedLog, SerialWorkers
from tests.unit.sync.new_deal import new_deal

START = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SALESFORCE_URL = "https://acme.my.salesforce.com"
PARTNER_CENTER_URL = "https://api.partner.example/v1.0/engagements"
RESTED, MINUTE, QUARTER, HOUR = 31.0, 60.0, 900.0, 3600.0
AFTER_LEASE, AFTER_SETTLE_TIME = 301.0, 301.0 + 600.0
"""Seconds: a little more than a lease, and than both; once a record has `RESTED`, no save of it is open."""
A_WEEK = timedelta(days=7)
"""A time that only the first warning of an unanswered deal is away."""


@dataclass(slots=True)
class Instance:
    """One connector process. Every run first lets `after` seconds pass."""

    harness: "Harness"
    ctx: Context
    process: ProcessState
    log: RecordedLog

    def push(self, after: float = MINUTE) -> Report:
        """Run the minute timer."""
        self.harness.advance_time(after)
        return run_push(self.ctx)

    def sweep(self, after: float = MINUTE) -> Report:
        """Run the sweep's timer."""
        self.harness.advance_time(after)
        return run_sweep(self.ctx)

    def pull_event(
        self, referral_id: str, after: float = RESTED, *, is_related: bool = False, is_of_burst: bool = False
    ) -> Outcome | None:
        """Work on the queue message of one event; a related one is about another party of the engagement."""
        self.harness.advance_time(after)
        return pull_event(self.ctx, referral_id, is_related=is_related, is_of_burst=is_of_burst)

    def crashes_during(self, run: Callable[["Instance"], object]) -> bool:
        """Whether this instance crashes during a run."""
        try:
            run(self)
        except Crash:
            return True
        return False


class Harness:
    """Both systems, one store, a seller, colleagues in the portal, and any number of instances."""

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        tag: str | None = None,
        mapping: Path = DEFAULT,
        multi_currency: bool = True,
        package: Path = PROJECT,
        begin: timedelta = timedelta(hours=-1),
    ) -> None:
        entra, certificates = emulators_with_keys()
        entra.reset_state()
        self.salesforce = SalesforceEmulator(metadata=package, multi_currency=multi_currency, public_url=SALESFORCE_URL)
        self.entra, self.partner_center = entra, PartnerCenterEmulator(entra=entra, certificates=certificates)
        self.clocks = stopped_clocks(START, self.salesforce, self.partner_center, entra)
        self._adapter = EmulatorSession(self.salesforce.handle)
        self._service = EmulatorService(self.partner_center.handle, PARTNER_CENTER_URL)
        self.rows = SqliteRows(":memory:", clock=self.now)
        self.store = LinkStore(self.rows, self._timestamp)
        self.policy, self.scope = policy or Policy(hold_win=timedelta()), Scope(ORGANIZATION, tag, START + begin)
        self.access_token = EmulatorAccessToken(entra)
        self.sign_in = EmulatorSignIn(self.salesforce, SALESFORCE_URL)
        self.salesforce.backdate_users(START - timedelta(days=1))
        self.accounts: dict[str, str] = {}
        self._run_numbers = count(1)
        self._call_counter = CallCounter(self.salesforce.journal, self.partner_center.journal)
        self.translation = asked_first(self.salesforce, self._salesforce_client(), translation_of(mapping))
        self.first = self.new_instance()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._adapter.close()
        self.rows.close()
        self.partner_center.close()

    # --- time

    def now(self) -> datetime:
        """The time of every clock."""
        return self.clocks[0].now()

    def advance_time(self, seconds: float) -> None:
        """Let time pass, in seconds."""
        for clock in self.clocks:
            clock.advance(seconds)

    # --- instances

    def new_instance(self, policy: Policy | None = None, chance: float = 0.5) -> Instance:
        """A new process on the same store and systems. Its `chance` is the random number that it always gets."""
        process = ProcessState()
        clock = CrashableClock(self.now, self.advance_time, process)
        log = RecordedLog(clock)
        store = CrashablePort("store", LinkStore(self.rows, self._timestamp, log), process)
        paces = Paces()
        context = Context(
            self._crashable_partner_center(process, paces), self._crashable_salesforce(process, paces), store,
            self.translation, self.scope, clock, SerialWorkers(), log, lambda: chance, policy or self.policy,
            self._new_id, paces=paces,
        )  # fmt: skip
        return Instance(self, context, process, log)

    def ask_org_again(self) -> None:
        """A new first instance knows the currencies that the org has now."""
        self.translation = asked(self.salesforce, self._salesforce_client(), self.translation)
        self.first = self.new_instance()

    def _crashable_partner_center(self, process: ProcessState, paces: Paces) -> PartnerCenter:
        pace, clock = paces.of(Side.PARTNER_CENTER), self._timestamp
        client = Referrals(PARTNER_CENTER_URL, self.access_token, service=self._service, clock=clock, pace=pace)
        return CrashablePort("partner_center", client, process)

    def _crashable_salesforce(self, process: ProcessState, paces: Paces) -> CrashablePort:
        return CrashablePort("salesforce", self._salesforce_client(paces.of(Side.SALESFORCE)), process)

    def _salesforce_client(self, pace: CallPace | None = None) -> SalesforceClient:
        connection = ApiConnection(
            self.sign_in, self._adapter, version="66.0", seconds=60.0, now=self.now, monotonic=self._timestamp,
            pace=pace,
        )  # fmt: skip
        return SalesforceClient(connection)

    def _new_id(self) -> str:
        return f"run-{next(self._run_numbers)}"

    def _timestamp(self) -> float:
        return self.now().timestamp()

    def push(self, after: float = MINUTE) -> Report:
        """Run the minute timer of the first instance."""
        return self.first.push(after)

    def sweep(self, after: float = MINUTE) -> Report:
        """Run the sweep's timer of the first instance."""
        return self.first.sweep(after)

    def pull_event(self, referral_id: str, after: float = RESTED) -> Outcome | None:
        """Work on the queue message of one event, in the first instance."""
        return self.first.pull_event(referral_id, after)

    def run_rounds(self, count: int = 3, by: Instance | None = None, after: float = QUARTER) -> None:
        """Run rounds of push and sweep, by a new instance unless one is given."""
        worker = by or self.new_instance()
        for _ in range(count):
            worker.push(after)
            worker.sweep(MINUTE)

    # --- the seller

    def account_id(self, name: str = "Northwind Traders", country: str | None = "US") -> str:
        """The id of a customer's account, which is created at the first call for its name."""
        if name not in self.accounts:
            address = {"BillingCity": "Seattle", "BillingStreet": "1 Main Street", "BillingCountry": country}
            self.accounts[name] = self.salesforce.insert("Account", {"Name": name, **address})
        return self.accounts[name]

    def seller_creates(self, **values: object) -> str:
        """The seller creates a complete opportunity and ticks it; `values` override. Returns the opportunity's id."""
        if "AccountId" not in values:
            values["AccountId"] = self.account_id()
        return self.salesforce.insert("Opportunity", new_deal(self.salesforce, values))

    def seller_edits(self, opportunity_id: str, **values: object) -> None:
        """The seller changes the opportunity."""
        self.salesforce.edit("Opportunity", opportunity_id, values)

    def shared_deal(self, **values: object) -> str:
        """The id of a new opportunity that has its referral and nothing left to do. Its calls are forgotten."""
        deal = self.seller_creates(**values)
        self.push_until_quiet()
        return deal

    def push_until_quiet(self) -> None:
        """Push until nothing is left to do, and forget the calls."""
        self.push()
        self.push()
        self.push()
        self.forget_calls()

    def opportunity(self, opportunity_id: str) -> dict[str, Any]:
        """The opportunity as Salesforce stores it."""
        return self.salesforce.record("Opportunity", opportunity_id)

    def audit_texts(self, opportunity_id: str) -> list[str]:
        """The lines of the audit field, newest first, without their times."""
        text = self.opportunity(opportunity_id)["Audit__c"] or ""
        return [line.partition(" UTC - ")[2] for line in text.splitlines()]

    def count_in_audit(self, opportunity_id: str, text: str) -> int:
        """How many lines of the audit field contain a text."""
        return sum(text in line for line in self.audit_texts(opportunity_id))

    # --- Partner Center

    def referral_of(self, opportunity_id: str) -> dict[str, Any]:
        """The one referral that carries the opportunity's reference. Fails if there is none, or more than one."""
        reference = self.scope.reference(opportunity_id)
        matches = [referral for referral in self.our_referrals() if referral["externalReferenceId"] == reference]
        assert len(matches) == 1, f"{len(matches)} referrals of {opportunity_id}"
        return matches[0]

    def our_referrals(self) -> list[dict[str, Any]]:
        """All referrals of our organisation, oldest first."""
        return [dict(referral) for referral in self.partner_center.referrals(ORGANIZATION)]

    def colleague_edits(self, referral_id: str, **values: object) -> None:
        """A colleague changes the referral in the portal: `details_dealValue=5` sets `/details/dealValue`."""
        operations = [
            {"op": "replace", "path": f"/{path.replace('_', '/')}", "value": value} for path, value in values.items()
        ]
        self.partner_center.portal_edits(referral_id, operations)

    # --- faults

    def inject_fault(self, side: Side, fault: Fault) -> None:
        """Let the next matching request to a side fail."""
        emulator = self.salesforce if side is Side.SALESFORCE else self.partner_center
        emulator.faults.append(fault)

    def clear_faults(self) -> None:
        """Remove all faults, validation rules, flows and record locks."""
        self.partner_center.faults.clear()
        self.salesforce.faults.clear()
        self.salesforce.org.hooks.clear()

    def refuse_writes_of(self, column: str, deal: str | None = None, times: int | None = None) -> None:
        """Let Salesforce refuse writes of a field: of one opportunity or of all, `times` times or always."""
        self.salesforce.org.hooks.rules.append(ValidationRule("Opportunity", column, "Not so.", deal, times=times))

    def lock_record(self, opportunity_id: str, times: int | None = 1, code: str = "UNABLE_TO_LOCK_ROW") -> None:
        """Let Salesforce answer writes of a record with a lock error, `times` times or always."""
        self.salesforce.org.hooks.locks[opportunity_id] = Lock(code, times)

    # --- what happened

    def new_calls(self) -> Counter[str]:
        """Calls by system and kind since the last count, such as {"salesforce.query": 1, "partner_center.patch": 2}."""
        return self._call_counter.new_calls()

    def forget_calls(self) -> None:
        """Leave the calls up to now out of the next count."""
        self._call_counter.new_calls()

    def stored_link(self, opportunity_id: str) -> Link:
        """The link of an opportunity. Fails if the store has none."""
        entry = self.store.link(opportunity_id)
        assert entry is not None, "no link"
        return entry.value

    def retry_entries(self, side: Side) -> list[RetryEntry]:
        """The entries of a side's retry queue, without those that only wait to warn of an unanswered deal in days."""
        until = self.now() + A_WEEK
        return [entry for entry in self.all_retry_entries(side) if entry.cause != WAITING or entry.at < until]

    def all_retry_entries(self, side: Side) -> list[RetryEntry]:
        """All entries of a side's retry queue, whatever their time."""
        return list(self.store.retry_entries(side, datetime.max.replace(tzinfo=UTC), 10_000))

    def only_retry_entry(self, side: Side) -> RetryEntry:
        """The one entry of a side's retry queue. Raises ValueError if the queue is empty or has several."""
        (entry,) = self.retry_entries(side)
        return entry

    def all_versions(self) -> Mapping[str, object]:
        """The stamp of every opportunity and the ETag of every referral: any write of one of them changes it."""
        stamps = {record["Id"]: record["SystemModstamp"] for record in self.salesforce.records("Opportunity")}
        return {**stamps, **{referral["id"]: referral["eTag"] for referral in self.partner_center.referrals()}}

    # --- agreement

    def read_both_sides(self, opportunity_id: str) -> tuple[Opportunity, Referral]:
        """Both sides as the domain's records, read by the clients and the mapping as the sync reads them."""
        context = self.new_instance().ctx
        answer = context.salesforce.opportunities([opportunity_id], self.translation.selects)
        opportunity = self.translation.opportunity(answer.pages[0].records[0], answer.at)
        referral_id = opportunity.referral_id or self.referral_of(opportunity_id)["id"]
        return opportunity, self.translation.referral(context.partner_center.get(referral_id))

    def differences(self, opportunity_id: str) -> list[str]:
        """The fields in which the two sides do not agree."""
        with self._call_counter.uncounted():  # these reads are the test's, not the connector's
            opportunity, referral = self.read_both_sides(opportunity_id)
        entry, rules = self.store.link(opportunity_id), self.translation.rules.updatable
        return differing_fields(rules, opportunity.deal, referral.deal, entry.value if entry else None)
