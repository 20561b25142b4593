"""A harness for `shared.sync`: the real clients on the real emulators, in one process, on one clock that stands still.

Nothing waits and nothing is patched; time passes by `later` alone (and when the code under test sleeps).

>>> with Harness() as harness:
...     deal = harness.seller_creates(Amount=5000)
...     report = harness.push()
...     harness.referral_of(deal)["details"]["dealValue"]
5000
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

import requests

from emulators.base.clock import EmulatedClock
from emulators.base.faults import Fault
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import LOCATION, ORGANIZATION, PartnerCenterEmulator
from emulators.salesforce.data.hooks import Lock, ValidationRule
from emulators.salesforce.emulator import SalesforceEmulator
from local.in_process_transport import EmulatorAccessToken, EmulatorAdapter, EmulatorSignIn, httpx_client
from shared.clients.partner_center.referrals import Referrals
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.request import ApiConnection
from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.records import Opportunity, Referral
from shared.domain.scope import Scope
from shared.mapping.schema import DEFAULT
from shared.mapping.translation import Constants, Translation
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from shared.sync.context import Context, Policy
from shared.sync.outcome import Outcome, Report
from shared.sync.ports import PartnerCenter, RetryEntry, Salesforce, Store
from shared.sync.runs.pull import pull_event
from shared.sync.timers import run_push, run_sweep
from tests.unit.sync.call_counter import CallCounter
from tests.unit.sync.instances import Crash, CrashableClock, CrashablePort, ProcessState, RecordedLog, SerialWorkers

START = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SALESFORCE_URL = "https://acme.my.salesforce.com"
PARTNER_CENTER_URL = "https://api.partner.example/v1.0/engagements"
MINUTE, QUARTER, HOUR = 60.0, 900.0, 3600.0
LEASE = 301.0
"""A little more than a lease."""
SETTLED = 301.0 + 600.0
"""A little more than lease and settle time."""


@cache
def translation(path: Path = DEFAULT) -> Translation:
    """A mapping file, read once."""
    return Translation(Constants(LOCATION), path)


@cache
def _keys() -> tuple[EntraEmulator, CertificateHost]:
    """What has RSA keys, made once."""
    return EntraEmulator(), CertificateHost()


@dataclass(slots=True)
class Instance:
    """One process of the connector."""

    harness: "Harness"
    ctx: Context
    life: ProcessState
    log: RecordedLog

    def push(self, after: float = MINUTE) -> Report:
        """The minute timer, `after` seconds later."""
        self.harness.later(after)
        return run_push(self.ctx)

    def sweep(self, after: float = MINUTE) -> Report:
        """The sweep's timer, `after` seconds later."""
        self.harness.later(after)
        return run_sweep(self.ctx)

    def event(self, referral_id: str, after: float = 1.0) -> Outcome | None:
        """The queue's message of one event, `after` seconds later."""
        self.harness.later(after)
        return pull_event(self.ctx, referral_id)

    def crashes_during(self, run: Callable[["Instance"], object]) -> bool:
        """Whether this instance died during a run."""
        try:
            run(self)
        except Crash:
            return True
        return False


class Harness:
    """Both systems, a store, a seller, colleagues in the portal, and any number of instances."""

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        tag: str | None = None,
        mapping: Path = DEFAULT,
        multi_currency: bool = True,
        begin: timedelta = timedelta(hours=-1),
    ) -> None:
        entra, certificates = _keys()
        entra.reset_state()
        self.salesforce = SalesforceEmulator(multi_currency=multi_currency, public_url=SALESFORCE_URL)
        self.partner_center = PartnerCenterEmulator(entra=entra, certificates=certificates)
        self.entra = entra
        self.clocks: list[EmulatedClock] = [self.salesforce.clock, self.partner_center.clock, entra.clock]
        for clock in self.clocks:
            clock.freeze()
            clock.set(START)
        self._adapter = requests.Session()
        self._adapter.mount("https://", EmulatorAdapter(self.salesforce.handle))
        self._http = httpx_client(self.partner_center.handle)
        self.rows = SqliteRows(":memory:", clock=self.now)
        self.store = LinkStore(self.rows, self._seconds)
        self.translation, self.policy = translation(mapping), policy or Policy()
        self.scope = Scope(ORGANIZATION, tag, START + begin)
        self.badge = EmulatorAccessToken(entra)
        self.door = EmulatorSignIn(self.salesforce, SALESFORCE_URL)
        self.accounts: dict[str, str] = {}
        self._books = CallCounter(self.salesforce.journal, self.partner_center.journal)
        self.one = self.instance()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._adapter.close()
        self._http.close()
        self.rows.close()
        self.partner_center.close()

    # --- time

    def now(self) -> datetime:
        """The one time everywhere."""
        return self.clocks[0].now()

    def later(self, seconds: float) -> None:
        """Time passes."""
        for clock in self.clocks:
            clock.advance(seconds)

    # --- instances

    def instance(self, policy: Policy | None = None, chance: float = 0.5) -> Instance:
        """A further process on the same store and systems."""
        life = ProcessState()
        clock = CrashableClock(self.now, self.later, life)
        log = RecordedLog(clock)
        context = Context(
            self._mortal_partner_center(life), self._mortal_salesforce(life), self._mortal_store(life),
            self.translation, self.scope, clock, SerialWorkers(), log, lambda: chance, policy or self.policy,
        )  # fmt: skip
        return Instance(self, context, life, log)

    def _mortal_partner_center(self, life: ProcessState) -> PartnerCenter:
        client = Referrals(PARTNER_CENTER_URL, self.badge, client=self._http, clock=self._seconds)
        return CrashablePort("partner_center", client, life)

    def _mortal_salesforce(self, life: ProcessState) -> Salesforce:
        connection = ApiConnection(
            self.door, self._adapter, version="66.0", seconds=60.0, now=self.now, monotonic=self._seconds
        )
        return CrashablePort("salesforce", SalesforceClient(connection), life)

    def _mortal_store(self, life: ProcessState) -> Store:
        return CrashablePort("store", LinkStore(self.rows, self._seconds), life)

    def _seconds(self) -> float:
        return self.now().timestamp()

    def push(self, after: float = MINUTE) -> Report:
        """The first instance's minute timer."""
        return self.one.push(after)

    def sweep(self, after: float = MINUTE) -> Report:
        """The first instance's sweep."""
        return self.one.sweep(after)

    def event(self, referral_id: str, after: float = 1.0) -> Outcome | None:
        """An event for the first instance."""
        return self.one.event(referral_id, after)

    def run_rounds(self, count: int = 3, by: Instance | None = None, after: float = QUARTER) -> None:
        """Some rounds of push and sweep."""
        worker = by or self.instance()
        for _ in range(count):
            worker.push(after)
            worker.sweep(MINUTE)

    # --- the seller

    def account_id(self, name: str = "Northwind Traders", country: str | None = "US") -> str:
        """The customer's account, made once."""
        if name not in self.accounts:
            address = {"BillingCity": "Seattle", "BillingStreet": "1 Main Street", "BillingCountry": country}
            self.accounts[name] = self.salesforce.insert("Account", {"Name": name, **address})
        return self.accounts[name]

    def seller_creates(self, **values: object) -> str:
        """A complete, flagged opportunity; `values` override. Returns its id."""
        whole = {
            "Name": "ERP renewal",
            "StageName": "Qualification",
            "CloseDate": "2026-12-31",
            "Amount": 10000,
            "Products__c": "SOL-10001",
            "Description": "First call went well.",
            "Sync_with_Partner_Center__c": True,
        }
        if self.salesforce.org.model.get("Opportunity").find_field("CurrencyIsoCode"):
            whole["CurrencyIsoCode"] = "USD"
        whole |= values
        whole.setdefault("AccountId", self.account_id())
        return self.salesforce.insert("Opportunity", whole)

    def seller_edits(self, opportunity_id: str, **values: object) -> None:
        """The seller changes the opportunity."""
        self.salesforce.edit("Opportunity", opportunity_id, values)

    def shared(self, **values: object) -> str:
        """An opportunity that is in Partner Center and quiet; the journals are read up to here."""
        deal = self.seller_creates(**values)
        self.quiet()
        return deal

    def quiet(self) -> None:
        """Push until everything is known, and forget the calls."""
        self.push()
        self.push()
        self.push()
        self.calls()

    def opportunity(self, opportunity_id: str) -> dict[str, Any]:
        """The opportunity as Salesforce has it."""
        return self.salesforce.record("Opportunity", opportunity_id)

    def audit_texts(self, opportunity_id: str) -> list[str]:
        """The audit field's lines, newest first, without their times."""
        text = self.opportunity(opportunity_id)["Audit__c"] or ""
        return [line.partition(" UTC - ")[2] for line in text.splitlines()]

    def count_in_audit(self, opportunity_id: str, words: str) -> int:
        """How many lines of the audit field say something."""
        return sum(words in line for line in self.audit_texts(opportunity_id))

    # --- Partner Center

    def referral_of(self, opportunity_id: str) -> dict[str, Any]:
        """The one referral that carries the opportunity's reference. Fails where there are none or several."""
        reference = self.scope.reference(opportunity_id)
        found = [referral for referral in self.referrals() if referral["externalReferenceId"] == reference]
        assert len(found) == 1, f"{len(found)} referrals of {opportunity_id}"
        return found[0]

    def referrals(self) -> list[dict[str, Any]]:
        """All of ours, oldest first."""
        return [dict(referral) for referral in self.partner_center.referrals(ORGANIZATION)]

    def colleague_edits(self, referral_id: str, **values: object) -> None:
        """A colleague changes the referral in the portal: `details_dealValue=5` sets `/details/dealValue`."""
        operations = [
            {"op": "replace", "path": f"/{path.replace('_', '/')}", "value": value} for path, value in values.items()
        ]
        self.partner_center.portal_edits(referral_id, operations)

    # --- faults

    def inject_fault(self, side: Side, fault: Fault) -> None:
        """Let the next matching request to a side go wrong."""
        emulator = self.salesforce if side is Side.SALESFORCE else self.partner_center
        emulator.faults.append(fault)

    def clear_faults(self) -> None:
        """No faults, rules and locks any more."""
        self.partner_center.faults.clear()
        self.salesforce.faults.clear()
        self.salesforce.org.hooks.rules.clear()
        self.salesforce.org.hooks.locks.clear()

    def refuse_writes_of(self, column: str, deal: str | None = None, times: int | None = None) -> None:
        """Salesforce refuses writes of a column (of one opportunity, so many times)."""
        self.salesforce.org.hooks.rules.append(ValidationRule("Opportunity", column, "Not so.", deal, times=times))

    def lock_record(self, opportunity_id: str, times: int | None = 1, code: str = "UNABLE_TO_LOCK_ROW") -> None:
        """Somebody holds the row."""
        self.salesforce.org.hooks.locks[opportunity_id] = Lock(code, times)

    # --- what happened

    def calls(self) -> Counter[str]:
        """Calls by system and kind since last asked, for example {"salesforce.query": 1, "partner_center.patch": 2}."""
        return self._books.calls()

    def link(self, opportunity_id: str) -> Link:
        """What the store knows."""
        entry = self.store.link(opportunity_id)
        assert entry is not None, "no link"
        return entry.value

    def retry_entries(self, side: Side) -> list[RetryEntry]:
        """All that waits."""
        return list(self.store.retry_entries(side, datetime.max.replace(tzinfo=UTC), 10_000))

    def all_versions(self) -> Mapping[str, object]:
        """Everything that would differ if anybody wrote anything."""
        rows = {row["Id"]: row["SystemModstamp"] for row in self.salesforce.records("Opportunity")}
        return {**rows, **{referral["id"]: referral["eTag"] for referral in self.partner_center.referrals()}}

    # --- agreement

    def read_both_sides(self, opportunity_id: str) -> tuple[Opportunity, Referral]:
        """Both sides in the domain's words, read as the code under test reads them."""
        context = self.instance().ctx
        answer = context.salesforce.opportunities([opportunity_id], self.translation.selects)
        row = self.translation.opportunity(answer.pages[0].rows[0], answer.at)
        referral_id = row.referral_id or self.referral_of(opportunity_id)["id"]
        return row, self.translation.referral(context.partner_center.get(referral_id))

    def differences(self, opportunity_id: str) -> list[str]:
        """The fields in which the two sides do not agree."""
        with self._books.not_counted():  # a look of ours is no call of theirs
            row, referral = self.read_both_sides(opportunity_id)
        names: Iterable[str] = (rule.field for rule in self.translation.rules.updatable)
        return [name for name in names if row.deal.get(name) != referral.deal.get(name)]
