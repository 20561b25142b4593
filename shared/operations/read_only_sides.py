"""Both sides for a preview: they can be read, each call is counted, and whoever wants to write is stopped.

A write raises `NotCarriedOutError`, which is no `CosellError`, so that no error policy of the engine takes it for an
answer of the service. It ends the work on that pair.
"""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NoReturn, override

from shared.domain.cause import Cause
from shared.domain.clones import Twin
from shared.domain.deal import Side
from shared.domain.owner_notice import OwnerNotice
from shared.sync.ports import Answer, HearDate, Json, Node, PartnerCenter, Salesforce, Write, Written, ignore_date
from shared.sync.record_ports import Removal

IDS_OF_A_CALL, NAMES_OF_A_CALL = 2000, 200
"""So many opportunities are read by one call, and so many new ones compared with others."""


class NotCarriedOutError(Exception):
    """The engine was about to write: `call` is the method of the port, and `nodes` the records that it would create."""

    def __init__(self, call: str, nodes: Sequence[Node] = ()) -> None:
        super().__init__(f"a preview does not carry out {call}")
        self.call = call
        self.nodes = nodes


class Calls:
    """The calls of each side: those that were made to read, and those that would follow to write."""

    def __init__(self) -> None:
        """Begin at none."""
        self.reads = dict.fromkeys(Side, 0)
        self.writes = dict.fromkeys(Side, 0)
        self._counting = threading.Lock()

    def count(self, side: Side, number: int = 1) -> None:
        """Count calls that read."""
        with self._counting:
            self.reads[side] += number


class ReadOnlyPartnerCenter(PartnerCenter):
    """Implements `shared.sync.ports.PartnerCenter` on another one. `read` has the referrals that were read last."""

    def __init__(self, partner_center: PartnerCenter, calls: Calls) -> None:
        """Read by `partner_center`."""
        self._partner_center, self._calls = partner_center, calls
        self.read: dict[str, Json] = {}

    def changed_since(self, since: datetime, hear: HearDate = ignore_date) -> Iterator[Sequence[Json]]:
        """See the port."""
        return self._counted(self._partner_center.changed_since(since, hear))

    def changed_between(self, since: datetime, until: datetime) -> Iterator[Sequence[Json]]:
        """See the port."""
        return self._counted(self._partner_center.changed_between(since, until))

    def created_since(self, since: datetime) -> Iterator[Sequence[Json]]:
        """See the port."""
        return self._counted(self._partner_center.created_since(since))

    def all_referrals(self, until: datetime | None = None) -> Iterator[Sequence[Json]]:
        """See the port."""
        return self._counted(self._partner_center.all_referrals(until))

    def _counted(self, pages: Iterator[Sequence[Json]]) -> Iterator[Sequence[Json]]:
        for page in pages:
            self._calls.count(Side.PARTNER_CENTER)
            yield page

    def get(self, referral_id: str) -> Json:
        """See the port."""
        self._calls.count(Side.PARTNER_CENTER)
        found = self._partner_center.get(referral_id)
        self.read[referral_id.lower()] = found
        return found

    def in_engagement(self, engagement_id: str) -> Sequence[Json]:
        """See the port."""
        self._calls.count(Side.PARTNER_CENTER)
        return self._partner_center.in_engagement(engagement_id)

    @override
    def create(self, body: Json) -> NoReturn:
        """Refuse to write."""
        raise NotCarriedOutError("create")

    @override
    def patch(self, referral_id: str, operations: Sequence[Json], etag: str) -> NoReturn:
        """Refuse to write."""
        raise NotCarriedOutError("patch")


class ReadOnlySalesforce(Salesforce):
    """Implements `shared.sync.ports.Salesforce` on another one. `inbox` has the records that were to be shown there."""

    def __init__(self, salesforce: Salesforce, calls: Calls) -> None:
        """Read by `salesforce`."""
        self._salesforce, self._calls = salesforce, calls
        self.inbox: dict[str, Json] = {}

    @property
    def met_unknown_column(self) -> bool:
        """See the port."""
        return self._salesforce.met_unknown_column

    def organization_id(self) -> str:
        """See the port."""
        return self._salesforce.organization_id()

    def user_id(self) -> str:
        """See the port."""
        return self._salesforce.user_id()

    def api_usage(self) -> tuple[int, int] | None:
        """See the port."""
        return self._salesforce.api_usage()

    def page_address(self, record_id: str) -> str:
        """See the port."""
        return self._salesforce.page_address(record_id)

    def query(self, *soql: str, deleted: bool | Collection[str] = False) -> Answer:
        """See the port."""
        self._calls.count(Side.SALESFORCE)
        return self._salesforce.query(*soql, deleted=deleted)

    def more(self, next_page: str) -> Answer:
        """See the port."""
        self._calls.count(Side.SALESFORCE)
        return self._salesforce.more(next_page)

    def opportunities(self, ids: Sequence[str], fields: Sequence[str], optional: Sequence[str] = ()) -> Answer:
        """See the port."""
        self._calls.count(Side.SALESFORCE, -(-len(ids) // IDS_OF_A_CALL))
        return self._salesforce.opportunities(ids, fields, optional)

    def twins(self, names: Mapping[str, str], flag: str, identifier: str, *, with_marks: bool) -> Sequence[Twin]:
        """See the port."""
        self._calls.count(Side.SALESFORCE, -(-len(names) // NAMES_OF_A_CALL))
        return self._salesforce.twins(names, flag, identifier, with_marks=with_marks)

    @override
    def update_unmodified(self, writes: Sequence[Write], fields: Sequence[str]) -> NoReturn:
        """Refuse to write."""
        raise NotCarriedOutError("update_unmodified")

    @override
    def update(self, writes: Sequence[Write], fields: Sequence[str]) -> NoReturn:
        """Refuse to write."""
        raise NotCarriedOutError("update")

    @override
    def update_with_rows(
        self,
        writes: Sequence[Write],
        fields: Sequence[str],
        *,
        steps: Sequence[Node | Removal],
        further: Sequence[str] = (),
        optional: Sequence[str] = (),
    ) -> Sequence[Written]:
        """Refuse to write."""
        raise NotCarriedOutError("update_with_rows")

    @override
    def create(self, nodes: Sequence[Node], read: str, fields: Sequence[str]) -> NoReturn:
        """Refuse to write, and say what would be created."""
        raise NotCarriedOutError("create", nodes)

    @override
    def update_one(self, sobject: str, record_id: str, values: Json, unmodified_since: datetime) -> NoReturn:
        """Refuse to write."""
        raise NotCarriedOutError("update_one")

    @override
    def tell_owner(self, notice: OwnerNotice) -> Cause | None:
        """Tell nobody."""

    @override
    def upsert(self, sobject: str, key: tuple[str, str], values: Json) -> None:
        """Take a record of the inbox: the work goes on as if it were shown."""
        self.inbox[key[1]] = values

    @override
    def delete(self, sobject: str, key: tuple[str, str]) -> None:
        """Take the end of a record of the inbox."""
