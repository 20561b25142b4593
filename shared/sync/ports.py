"""What `sync` needs from outside. Adapters live in `clients`, `store` and `app`; tests and the simulation stand in.

Glossary
--------
side        one of the two systems, `Side.PARTNER_CENTER` or `Side.SALESFORCE`.
row         one Salesforce record as the API returns it (canonical field names, parent objects nested).
referral    one Partner Center referral as the API returns it, keys in camelCase whatever the wire said.
server time the far side's clock: its `Date` header less the duration of the call, in whole seconds, UTC. A row read at
            server time T may still change within second T without its stamp moving (protocol.md section 8).
entry       one row of the store, with the ETag it was read with and its age by the store's own clock.

Every method raises only errors of `foundation.errors`. A client repeats reads by itself (three tries, full jitter,
`Retry-After` wins) and never repeats a write; a write without a readable answer raises `Ambiguous`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.clients.salesforce.records import Answer, Json, Node, Page, Write, Written
from shared.clients.salesforce.soql_literals import literal, moment
from shared.domain.deal import Side
from shared.domain.link import Link, Pointer
from shared.store.entries import Entry, Line, RetryEntry, SideState

__all__ = [
    "Answer",
    "Clock",
    "Entry",
    "Json",
    "Line",
    "Log",
    "Node",
    "Page",
    "PartnerCenter",
    "RetryEntry",
    "Salesforce",
    "Side",
    "SideState",
    "Store",
    "Workers",
    "Write",
    "Written",
    "literal",
    "moment",
]  # fmt: skip


# --- Partner Center ---------------------------------------------------------------------------------------------------


class PartnerCenter(Protocol):
    """The referrals API (reference/partner-center.md sections 1, 2, 5)."""

    def changed_since(self, since: datetime) -> Iterator[Sequence[Json]]:
        """Pages of referral stamps with `updatedDateTime >= since`, newest first.

        Each stamp has id, eTag, organizationId, engagementId, createdDateTime, updatedDateTime, externalReferenceId
        and target. Where the service refuses the filter (400), pages unfiltered until a stamp is older than `since`.
        """

    def created_since(self, since: datetime) -> Iterator[Sequence[Json]]:
        """As `changed_since`, by `createdDateTime`."""

    def get(self, referral_id: str) -> Json:
        """One referral. Raises NotFound."""

    def create(self, body: Json) -> Json:
        """Create a referral and return its representation. Never repeated. Raises Rejected, Ambiguous."""

    def patch(self, referral_id: str, operations: Sequence[Json], etag: str) -> Json:
        """Apply JSON Patch operations under `If-Match`; return the new representation.

        Raises Conflict on 412, Rejected on 400, NotFound, Ambiguous.
        """


# --- Salesforce -------------------------------------------------------------------------------------------------------


class Salesforce(Protocol):
    """The REST API under one integration user (reference/salesforce.md section 2)."""

    def organization_id(self) -> str:
        """The 18-character id of the org, known from sign-in; costs no data call."""

    def api_usage(self) -> tuple[int, int] | None:
        """Calls of the last 24 hours and their limit, as the latest answer told; None before the first."""

    def query(self, *soql: str, deleted: bool = False) -> Answer:
        """One Composite call of up to five queries; `deleted` includes soft-deleted rows (queryAll)."""

    def more(self, next_page: str) -> Answer:
        """The following page of a query: one call, one page."""

    def opportunities(self, ids: Sequence[str], fields: Sequence[str]) -> Answer:
        """Read up to 2,000 opportunities in one Composite of up to five `IN` queries of 400 ids (more: more calls).

        `fields` are SOQL select items (parent paths and subqueries allowed). Rows come in one page, any order;
        a missing id is simply absent.
        """

    def update_unmodified(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Conditional PATCHes of opportunities, 24 a Composite, each followed by a read-back of `fields`."""

    def update(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Unconditional collection update of opportunities, 200 a Composite, with read-back of `fields`."""

    def create(self, nodes: Sequence[Node], read: str, fields: Sequence[str]) -> Written:
        """One Composite Graph, all or nothing, that ends with a read of node `read`.

        Raises Rejected, Locked, Ambiguous.
        """


# --- the store --------------------------------------------------------------------------------------------------------


class Store(Protocol):
    """What is remembered (protocol.md section 2). Every change of a link or pointer is under its ETag.

    Raises StoreConflict where another instance was first, StoreUnavailable where storage does not answer.
    """

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        """The link of an opportunity."""

    def links(self) -> Iterator[Entry[Link]]:
        """All links."""

    def insert_link(self, link: Link, lines: Sequence[Line] = ()) -> Entry[Link]:
        """Make the link that must not exist yet."""

    def replace_link(self, entry: Entry[Link], link: Link, lines: Sequence[Line] = ()) -> Entry[Link]:
        """Change the link and add audit lines, in one transaction."""

    def delete_link(self, entry: Entry[Link]) -> None:
        """Forget a link that came to nothing."""

    def audit(self, opportunity_id: str) -> Sequence[Line]:
        """The audit lines, newest first."""

    def pointer(self, referral_id: str) -> Entry[Pointer] | None:
        """Where a referral leads."""

    def insert_pointer(self, referral_id: str, pointer: Pointer) -> Entry[Pointer]:
        """Claim a referral that nobody has."""

    def replace_pointer(self, referral_id: str, entry: Entry[Pointer], pointer: Pointer) -> Entry[Pointer]:
        """Change a pointer."""

    def delete_pointer(self, referral_id: str, entry: Entry[Pointer]) -> None:
        """Let go of a claim that came to nothing."""

    def claim_account(self, key: str, lease: timedelta) -> Entry[None] | None:
        """Claim an account's match key while it is looked up and made; None while another claim is alive."""

    def release_account(self, key: str, claim: Entry[None]) -> None:
        """Let go of the claim."""

    def retry_entries(self, side: Side, until: datetime, limit: int) -> Sequence[RetryEntry]:
        """Pairs whose next attempt is not later than `until`."""

    def retry_entry(self, side: Side, key: str) -> RetryEntry | None:
        """The due row of one pair."""

    def put_retry_entry(self, due: RetryEntry) -> None:
        """Make or replace a pair's due row."""

    def remove_retry_entry(self, due: RetryEntry) -> None:
        """Remove a due row under the ETag it was read with; a row that changed since stays."""

    def side_state(self, side: Side, *, fresh: bool = False) -> SideState:
        """How a side is doing: as it was at most 5 seconds ago, or `fresh`, for who is to change it."""

    def write_side_state(self, side: Side, state: SideState) -> None:
        """Tell every instance how a side is doing."""

    def cursor(self, name: str) -> datetime | None:
        """A cursor or heartbeat."""

    def cursors(self) -> Mapping[str, datetime]:
        """All cursors and heartbeats, in one read."""

    def move_cursor(self, name: str, to: datetime) -> None:
        """Move a cursor or heartbeat."""

    def move_cursors(self, to: Mapping[str, datetime]) -> None:
        """Move several, all or none."""

    def owner(self, organization_id: str) -> str:
        """The Salesforce organisation this store belongs to: the one given at the very first call."""


# --- time, chance, parallel work --------------------------------------------------------------------------------------


class Clock(Protocol):
    """Our own clock. Leases never use it: they live by the store's."""

    def now(self) -> datetime:
        """The time, UTC, aware."""

    def sleep(self, duration: timedelta) -> None:
        """Wait."""


class Workers(Protocol):
    """Parallel work, bounded by the side's parallelism."""

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: int) -> list[R]:
        """Apply `work` to each item, keeping the order. An exception of `work` is raised after all have ended."""


class Log(Protocol):
    """Named events with fixed fields (docs/events.md)."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Write one event."""
