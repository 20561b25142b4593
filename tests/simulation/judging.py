"""Shows the judges what happens while a seed runs: requests with their answers, stored links, lines of the log.

This module knows the product and hands over plain values. The judges (`judges/`) know nothing of the product.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from emulators.base.server import Request, Response
from shared.domain.link import Link
from shared.foundation.logs import LOGGER
from tests.simulation.held_values import FIELDS, Record, Values
from tests.simulation.judges.agreed_values import AgreedValues
from tests.simulation.judges.foreign_records import judge_foreign_write
from tests.simulation.judges.logs import judge_event, judge_host, judge_text, texts_of
from tests.simulation.judges.mass_changes import MassChanges, changes_for_partner_center, changes_for_salesforce
from tests.simulation.judges.owned import FLAG, IDENTIFIER
from tests.simulation.judges.partner_center_writes import PartnerCenterWrites
from tests.simulation.judges.salesforce_writes import SalesforceWrites
from tests.simulation.judges.sent_to_salesforce import done_parts, written_records
from tests.simulation.lists import IN_ROWS
from tests.simulation.people import People
from tests.unit.sync.harness import PARTNER_CENTER_URL, SALESFORCE_URL, Harness

RequestHandler = Callable[[Request], Response]
HOSTS = {urlsplit(url).hostname or "" for url in (SALESFORCE_URL, PARTNER_CENTER_URL)}
NO_LIMIT = 1_000_000
TAKEN = range(200, 300)


@dataclass
class Judging:
    """All judges of one seed, and what they have found.

    versions   each referral by its versions
    touched    the referrals whose version has moved without an edit: a write to one that was interrupted looks as if a
               person had set it back (docs/protocol.md#recovery-of-interrupted-work)
    """

    people: People
    versions: Mapping[str, Record]
    shown: Collection[str] = ()
    findings: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    """The opportunities that are, or were, to be synced."""
    touched: Collection[str] = ()

    def __post_init__(self) -> None:
        self.salesforce, self.partner_center = SalesforceWrites(self.shown), PartnerCenterWrites()
        self.agreed, self.mass, self.log = (
            AgreedValues(),
            MassChanges(NO_LIMIT, approvals=self.people.approved),
            _Lines(self.lines),
        )
        self.harness.rows = _JudgedRows(self.harness, self._judge_link)  # type: ignore[assignment]  # has the methods

    @property
    def harness(self) -> Harness:
        """Both systems."""
        return self.people.harness

    def find(self, findings: Iterable[str]) -> None:
        """Keep what is wrong, each thing once."""
        self.findings += [one for one in dict.fromkeys(findings) if one not in self.findings]

    def count_changes(self, limit: int) -> None:
        """Judge that no more changes of a kind are sent in a day."""
        self.mass.limit = limit

    # --- requests

    def of_partner_center(self, handle: RequestHandler) -> RequestHandler:
        """The same handler: each request is judged before it arrives."""

        def judged(request: Request) -> Response:
            referral, version = request.path.rpartition("/")[2], self.versions.get(request.headers.get("if-match", ""))
            self.find(self.partner_center.judge(request.method, referral, version, request.body))
            if request.method != "GET":
                deals = {str(one["engagementId"]): str(one["externalReferenceId"]) for one in self.people.referrals()}
                self._count(changes_for_partner_center(request.method, referral, request.body, deals))
                self.find(judge_foreign_write(referral, self.people.foreign))
            self._look()
            response = self._answer(handle, request)
            if request.method == "PATCH":
                self.partner_center.keep(request.body, response.status)
            return response

        return judged

    def of_salesforce(self, handle: RequestHandler) -> RequestHandler:
        """The same for Salesforce."""

        def judged(request: Request) -> Response:
            self.find(self.salesforce.judge(request.method, request.path, request.body))
            self._count(changes_for_salesforce(request.method, request.path, request.body))
            for write in written_records(request.method, request.path, request.body):
                if write.sobject == "Opportunity" and write.record and write.record not in self.wanted:
                    self.find([f"touched: nobody has ticked {write.record}"])
            self._look()
            response = self._answer(handle, request)
            if not response.close:
                self.salesforce.keep(response.body)
            self._confirm(request, response)
            return response

        return judged

    def _answer(self, handle: RequestHandler, request: Request) -> Response:
        self.find(judge_host(request.headers.get("host", ""), request.headers, HOSTS))
        self.tokens.add(request.headers.get("authorization", "").removeprefix("Bearer "))
        response = handle(request)
        self._look()
        return response

    def _count(self, changes: Iterator[tuple[str, str]]) -> None:
        if self.mass.limit != NO_LIMIT:
            self.find(self.mass.judge(self.harness.now(), changes))

    # --- what both sides and the store hold

    def _look(self) -> None:
        org = self.harness.salesforce.org
        for record in org._records["Opportunity"].values():
            self.agreed.look_at_opportunity(record)
        # A read shows no save that is still open, so a deal that was unticked is read as ticked for a while.
        shown = org.stored_records("Opportunity")
        self.wanted.update(one["Id"] for one in shown if one[FLAG] or one[IDENTIFIER])
        for referral in self.people.referrals():
            self.agreed.look_at_referral(referral)
        self.agreed.look_at_edits(self.people.edits)

    def _confirm(self, request: Request, response: Response) -> None:
        """What a write has set counts as held, although a flow of the org may have made another value of it."""
        records, done = self.harness.salesforce.org._records["Opportunity"], done_parts(response.body)
        for write in written_records(request.method, request.path, request.body):
            named = write.external[1].lower() if write.external and write.sobject == "Opportunity" else None
            made = [one for one in records.values() if named and str(one[IDENTIFIER]).lower() == named]
            changed = [records[write.record]] if write.record in records and write.name in done else []
            for record in [*made, *changed]:
                self.agreed.confirm_opportunity(record, _known_columns(record, write.values))

    def _judge_link(self, link: Link) -> None:
        referral = link.referral_id if link.intent is None or not link.is_creating else None
        if referral not in self.touched:
            self.find(self.agreed.judge(link.opportunity_id, referral, base_of(link)))

    # --- the log

    def judge_events(self, events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Judge the log events of a run that is over, and what the clients have logged meanwhile."""
        for name, fields in events:
            self.find(judge_event(name, fields))
            self.lines.append(json.dumps([name, fields], default=str))
            if name == "row_unreadable":
                for row in self.people.unreadable.values():
                    row.told.add(fields["key"])
        if self.lines:
            values = set(self._texts())
            for line in self.lines:
                self.find(judge_text(line, values, self.tokens - {""}))
            self.lines.clear()

    def _texts(self) -> Iterator[str]:
        salesforce = self.harness.salesforce
        for sobject in ("Opportunity", "Account", "Contact", "User"):
            yield from texts_of(salesforce.records(sobject))
        yield from texts_of(list(self.harness.partner_center.referrals()))

    def listen(self) -> None:
        """Hear whatever is logged, also lines of the level INFO."""
        self.level = LOGGER.level, logging.root.manager.disable
        LOGGER.setLevel(logging.INFO)
        logging.disable(logging.NOTSET)
        logging.root.addHandler(self.log)

    def leave(self) -> None:
        """Stop hearing."""
        logging.root.removeHandler(self.log)
        LOGGER.setLevel(self.level[0])
        logging.disable(self.level[1])


def shown_columns(traits: Collection[str]) -> Collection[str]:
    """The columns that the connector owns in a seed beside its own: where rows are read, the text only shows them."""
    return ("Products__c",) if IN_ROWS in traits else ()


def base_of(link: Link) -> Values:
    """The base as texts, without what only one mapping compares."""
    return {name: None if link.base[name] is None else str(link.base[name]) for name in FIELDS if name in link.base}


def _known_columns(record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a write sets: the amount of a deal with line items is ignored."""
    ignored = {"Amount"} if record["HasOpportunityLineItem"] else set[str]()
    return {column: value for column, value in values.items() if column in record and column not in ignored}


class _JudgedRows:
    """The rows of the store; each link that was written is judged."""

    def __init__(self, harness: Harness, judge: Callable[[Link], None]) -> None:
        self._rows, self._store, self._judge = harness.rows, harness.store, judge

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for every method of the rows
        return getattr(self._rows, name)

    def write(self, partition: str, changes: Sequence[Any]) -> Sequence[str | None]:
        """Write, and judge the link that was written."""
        written = self._rows.write(partition, changes)
        if partition.startswith("O|") and any(change.key == "link" for change in changes):
            entry = self._store.link(partition[2:])
            if entry is not None:
                self._judge(entry.value)
        return written


class _Lines(logging.Handler):
    """Keeps what is logged by whomever."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.INFO)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())
