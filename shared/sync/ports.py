"""What `sync` needs from outside. Adapters live in `clients`, `store` and `app`; tests and the simulation stand in.

Glossary
--------
side        one of the two systems, `Side.PARTNER_CENTER` or `Side.SALESFORCE`.
row         one Salesforce record as the API returns it (canonical field names, parent objects nested).
referral    one Partner Center referral as the API returns it, keys in camelCase whatever the wire said.
server time the far side's clock: its `Date` header less the duration of the call, in whole seconds, UTC. A row read at
            server time T may still change within second T without its stamp moving (protocol.md section 8).
entry       one row of the store, with the ETag it was read with and its age by the store's own clock.

Every method raises only errors of `shared.errors`. A client repeats reads by itself (three tries, full jitter,
`Retry-After` wins) and never repeats a write; a write without a readable answer raises `Ambiguous`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.domain.cause import Cause
from shared.domain.deal import Side as Side  # noqa: PLC0414 - part of the ports

Json = Mapping[str, Any]


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


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query; `next` is the address of the following page, None on the last."""

    rows: tuple[Json, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Pages in the order of the queries asked, and the server time at which they were read."""

    pages: tuple[Page, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Write:
    """Values for one record; `unmodified_since` is the LastModifiedDate the decision was based on (None: always)."""

    id: str
    values: Json
    unmodified_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one write: the row read back in the same call, and how the write itself was answered.

    `outcome` None means success; `changed` means 412; `locked` a row lock. `row` is None if it could not be read.
    """

    id: str
    row: Json | None
    at: datetime
    changed: bool = False
    locked: bool = False
    refused: Cause | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a Composite Graph: POST to `sobject`, or PATCH by external id when `external` is (field, value).

    `values` may refer to earlier nodes as `@{name.id}`.
    """

    name: str
    sobject: str
    values: Json
    external: tuple[str, str] | None = None


class Salesforce(Protocol):
    """The REST API under one integration user (reference/salesforce.md section 2)."""

    def organization_id(self) -> str:
        """The 18-character id of the org, known from sign-in; costs no data call."""

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
