"""Defines the ports through which `sync` reaches everything outside, the context that carries them, and the outcomes.

Adapters are in `clients`, `store` and `app`; tests use their own.

Glossary
--------
side          one of the two systems, `Side.PARTNER_CENTER` or `Side.SALESFORCE`
record        one Salesforce record as the API returns it: canonical field names, parent objects nested
referral      one Partner Center referral as the API returns it; keys are in camelCase, whatever the answer had
stamp         the version and the identifying fields of a listed referral
server time   the clock of the far side: its `Date` header less the duration of the call, in whole seconds, UTC. A
              record read at server time T may still change within second T while its stamp stays the same
              (docs/protocol.md#stamps)
entry         a value of the store, with the ETag it was read with and its age by the store's own clock
retry entry   a pair in the retry queue

Every method raises only errors of `foundation.errors`. A client repeats a failed read (docs/protocol.md#within-a-call)
and never repeats a write. A write without a readable answer raises `Ambiguous`.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct, field

from shared.clients.call_pace import Paces
from shared.clients.partner_center.answer_dates import HearDate, ignore_date
from shared.clients.salesforce.records import ALLOW_DUPLICATE, Answer, Json, Node, Page, Write, Written
from shared.clients.salesforce.soql_literals import text_literal, time_literal
from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.inbox import InboxItem
from shared.domain.link import Link
from shared.domain.org_shape import OrgShape
from shared.domain.owner_notice import OwnerNotice
from shared.domain.policy import PULL, PUSH, Mode, Policy
from shared.domain.scope import Scope
from shared.foundation.errors import Cause, NotFound, Rejected
from shared.mapping.inbox_record import KEY, OBJECT, inbox_values, without_refused
from shared.mapping.translation import Translation
from shared.store.store_state import Copied
from shared.store.stored_values import DELETED, HIDDEN, OPERATOR, WAITING, Entry, KnownPath, RetryEntry, SideState
from shared.sync.erasure_ports import ErasureStore
from shared.sync.record_ports import RelatedWrites, SingleRecords
from shared.sync.row_ports import MassStore, OwnWriteStore, PartyStore, PointerStore, QueueStore

__all__ = [
    "ALLOW_DUPLICATE", "DELETED", "HIDDEN", "OPERATOR", "PULL", "PUSH", "WAITING", "Answer", "Entry", "HearDate",
    "Json", "KnownPath", "Mode", "Node", "Page", "Policy", "RetryEntry", "SideState", "Write", "Written",
    "ignore_date", "text_literal", "time_literal",
]  # fmt: skip


class PartnerCenter(Protocol):
    """The referrals API (docs/reference/partner-center.md#operations)."""

    def changed_since(self, since: datetime, hear: HearDate = ignore_date) -> Iterator[Sequence[Json]]:
        """Pages of referral stamps with `updatedDateTime >= since`, newest first. `hear` gets the first page's `Date`.

        Each has id, eTag, organizationId, engagementId, createdDateTime, updatedDateTime, externalReferenceId, target.
        If the service refuses the filter (400), the pages are unfiltered, up to a stamp older than `since`.
        """

    def changed_between(self, since: datetime, until: datetime) -> Iterator[Sequence[Json]]:
        """Pages of whole referrals with `updatedDateTime` in that time, newest first; without the filter, all since."""

    def created_since(self, since: datetime) -> Iterator[Sequence[Json]]:
        """The same as `changed_since`, by `createdDateTime`."""

    def all_referrals(self, until: datetime | None = None) -> Iterator[Sequence[Json]]:
        """Pages of all stamps, the last created first; with `until`, only of referrals that are not younger.

        These stamps also have status, type, qualification and inviteContext, where the list shows them.
        """

    def get(self, referral_id: str) -> Json:
        """One referral. Raises NotFound."""

    def in_engagement(self, engagement_id: str) -> Sequence[Json]:
        """The referrals of an engagement that the list shows, whole. Raises Rejected if the filter is refused."""

    def create(self, body: Json) -> Json:
        """Create a referral and return it as the service stored it. Never repeated. Raises Rejected, Ambiguous."""

    def patch(self, referral_id: str, operations: Sequence[Json], etag: str) -> Json:
        """Apply JSON Patch under `If-Match`; returns the changed referral. Raises Conflict, Rejected, Ambiguous."""


class Salesforce(RelatedWrites, SingleRecords, Protocol):
    """The REST API under one integration user (docs/reference/salesforce.md#composite-requests)."""

    @property
    def met_unknown_column(self) -> bool:
        """Whether Salesforce has refused a call for a column since the org was asked."""

    def organization_id(self) -> str:
        """The 18-character id of the org, known from sign-in without a data call."""

    def user_id(self) -> str:
        """The 18-character id of the user who is signed in, known as `organization_id` is."""

    def api_usage(self) -> tuple[int, int] | None:
        """The calls of the last 24 hours and their limit, from the latest answer; None before the first answer."""

    def query(self, *soql: str, deleted: bool | Collection[str] = False) -> Answer:
        """One Composite call of up to five queries; `deleted`, or those it lists, include the recycle bin."""

    def more(self, next_page: str) -> Answer:
        """The following page of a query: one call, one page."""

    def opportunities(self, ids: Sequence[str], fields: Sequence[str], optional: Sequence[str] = ()) -> Answer:
        """Read up to 2,000 opportunities in one Composite of up to five `IN` queries of 400 ids (more: more calls).

        `fields` are SOQL select items; parent paths and subqueries are allowed. The records come in one page, in any
        order. A record that does not exist, or is not visible, is absent, and so is a hidden `optional` field.
        """

    def update_unmodified(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Conditional PATCHes of opportunities, 24 a Composite, each followed by a read-back of `fields`."""

    def update(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Unconditional collection update of opportunities, 200 a Composite, with read-back of `fields`."""

    def create(self, nodes: Sequence[Node], read: str, fields: Sequence[str]) -> Written:
        """One Composite Graph, all or nothing, that ends with a read of `read`. Raises Rejected, Locked, Ambiguous."""

    def tell_owner(self, notice: OwnerNotice) -> Cause | None:
        """Tell a record's owner of it; returns why Salesforce refuses. Raises Ambiguous."""

    def page_address(self, record_id: str) -> str:
        """The address of a record's page, known from sign-in without a data call."""


class Store(PartyStore, PointerStore, ErasureStore, MassStore, OwnWriteStore, QueueStore, Protocol):
    """The memory of the connector (docs/protocol.md#what-is-stored). Links and pointers change under their ETag.

    Raises StoreConflict if another instance was first, StoreUnavailable, and UnreadableRow for a damaged or later row.
    """

    copied: Copied | None
    """The copy that it was imported from, as it was when the states of the sides were read last; else None."""

    def org_shape(self) -> tuple[OrgShape, datetime] | None:
        """The org's last answer about its shape, and its time."""

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        """The link of an opportunity."""

    def links(self, after: str = "") -> Iterator[Entry[Link]]:
        """All links that can be read, by opportunity id; with `after`, only those behind that one."""

    def insert_link(self, link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None) -> Entry[Link]:
        """Insert a link; StoreConflict if it exists already. Each audit line gets the id of the run."""

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        """Replace the link and add audit lines, in one transaction. Each line gets the id of the run."""

    def delete_link(self, entry: Entry[Link]) -> None:
        """Delete a link that was not used."""

    def side_state(self, side: Side, *, fresh: bool = False) -> SideState:
        """The health of a side, at most 5 seconds old; `fresh` reads it anew, which a change needs."""

    def write_side_state(self, side: Side, state: SideState) -> None:
        """Store the health of a side for every instance."""

    def cursor(self, name: str) -> datetime | None:
        """A cursor or heartbeat."""

    def cursors(self) -> Mapping[str, datetime]:
        """All cursors and heartbeats, in one read."""

    def move_cursor(self, name: str, to: datetime) -> None:
        """Move a cursor or heartbeat."""

    def move_cursors(self, to: Mapping[str, datetime]) -> None:
        """Move several cursors, all or none."""


# --- time, chance, parallel work --------------------------------------------------------------------------------------


class Clock(Protocol):
    """The clock of this machine. Whether another instance's lease has ended is decided by the store's clock."""

    def now(self) -> datetime:
        """The time, UTC, with time zone."""

    def sleep(self, duration: timedelta) -> None:
        """Wait."""


class Workers(Protocol):
    """Parallel work. `at_most` says how many items may be under way, and is asked before each begins."""

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: Callable[[], int]) -> list[R]:
        """Apply `work` to each item and keep the order. An exception of `work` is raised after all items have ended."""


class Log(Protocol):
    """Log events with fixed names and fields (docs/events.md)."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Log one event."""


# --- what every run is given


def random_id() -> str:
    """A random id of 128 bits. The module `uuid` would slow down a cold start."""
    return secrets.token_hex(16)


SEARCHED_AFTER_IMPORT = timedelta(days=30)


class Context(Struct, frozen=True):
    """The ports and rules of one process, and the id of the run that uses them.

    `chance` returns random numbers from 0 up to, but not including, 1. `new_id` returns another id at each call.
    `given` has the deals to which this process gave a value today, by day and count (`mass_change.py`). `paces` are
    shared with the clients.
    """

    partner_center: PartnerCenter
    salesforce: Salesforce
    store: Store
    translation: Translation
    scope: Scope
    clock: Clock
    workers: Workers
    log: Log
    chance: Callable[[], float]
    policy: Policy = field(default_factory=Policy)
    new_id: Callable[[], str] = random_id
    correlation_id: str | None = None
    given: dict[date, dict[str, set[str]]] = field(default_factory=dict)
    paces: Paces = field(default_factory=Paces)

    def begin_run(self, event_id: str | None = None) -> "Context":
        """The context of a new run of a trigger, with the id of the event that caused it, or else one of its own."""
        return replace(self, correlation_id=event_id or self.new_id())

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], to: Side | None = None) -> list[R]:
        """Apply `work` to each item and keep the order; as many at once as a side takes (None: the store)."""
        listed = list(items)
        if len(listed) <= 1 or self.paces.most <= 1:
            return [work(item) for item in listed]
        return self.workers.map(work, listed, at_most=self.paces.width(to))

    def report_in_inbox(self, item: InboxItem, known: str | None) -> str | None:
        """Say in the log and in the inbox that a deal cannot be made; `known` is the fingerprint of what is shown.

        Returns that of what is shown now. An item that is shown already is not written again. What is refused is logged
        and left out, a whole record too. Raises the client's other errors: then nobody knows whether there is a record.
        """
        ids = {"opportunity_id": item.opportunity_id, "referral_id": item.referral_id}
        one, run = item.cause, self.correlation_id
        self.log("deal_not_made", correlation_id=run, **ids, code=one.code, field=one.field)
        if known == item.fingerprint:
            return known
        values: dict[str, Any] | None = inbox_values(item)
        while values is not None:
            try:
                self.salesforce.upsert(OBJECT, (KEY, item.key), values)
            except NotFound:
                self.log("inbox_refused", correlation_id=run, key=item.key, code="no_inbox", field=None)
                return known
            except Rejected as error:
                refused = error.cause
                self.log("inbox_refused", correlation_id=run, key=item.key, code=refused.code, field=refused.field)
                values = without_refused(values, refused.field)
            else:
                return item.fingerprint
        return known

    def remove_from_inbox(self, key: str) -> None:
        """Delete the inbox record of a deal that is made, if there is one. Raises the client's errors."""
        with suppress(NotFound):
            self.salesforce.delete(OBJECT, (KEY, key))

    @property
    def recent_copy(self) -> Copied | None:
        """The copy that the store was imported from within 30 days: what was made after it is looked for."""
        copied = self.store.copied
        is_recent = copied and copied.imported and self.clock.now() - copied.imported < SEARCHED_AFTER_IMPORT
        return copied if is_recent else None

    def is_time_up(self, started: datetime) -> bool:
        """Whether 80 % of a run's time has passed (docs/protocol.md#the-time-limit-of-a-run)."""
        return self.clock.now() - started > self.policy.run_time * 0.8


# --- how work ends


class Result(StrEnum):
    """The kinds of outcomes of the work on a pair. The values are field names of the log events of a run."""

    RECONCILED = "settled"
    HELD = "held"
    PARKED = "parked"
    RETRY = "due"


class Outcome(Struct, frozen=True):
    """The end of the work on one pair. A pair that is tried again has a cause and, where it is known, a time.

    `unsure` says that a write may have taken effect although it failed: its intent stays in the store, so that
    recovery looks for the effect. `pushed` is the opportunity with which a push goes on: all of the referral is known.
    """

    result: Result
    cause: str = ""
    at: datetime | None = None
    unsure: bool = False
    pushed: str | None = None


RECONCILED = Outcome(Result.RECONCILED)
BUSY = Outcome(Result.RETRY, "busy")
"""Another instance holds the lease of the pair."""

Outcomes = Mapping[str, Outcome]
"""Outcomes by opportunity id or referral id."""
