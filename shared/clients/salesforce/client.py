"""Implement the port `shared.sync.ports.Salesforce` on the REST API (docs/reference/salesforce.md)."""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import batched, chain
from pathlib import Path

import requests

from shared.clients.salesforce import composite
from shared.clients.salesforce.error_codes import exception_for
from shared.clients.salesforce.object_descriptions import ObjectDescriptions
from shared.clients.salesforce.owner_notices import OwnerNotices
from shared.clients.salesforce.records import Answer, Json, Node, Page, Write, Written
from shared.clients.salesforce.request import ApiConnection, Call, Reply, UnreadableAnswer, log_refusals
from shared.clients.salesforce.sign_in import Identity, SignIn
from shared.clients.salesforce.single_records import SingleRecords
from shared.clients.salesforce.soql_literals import full_id, full_ids, in_list, is_id, short_id
from shared.clients.vault_ports import Vault
from shared.foundation.errors import ConfigurationError, Rejected
from shared.foundation.logs import log
from shared.transport.session import open_session

MAX_QUERIES = 5
MAX_IDS_PER_QUERY = 400
MAX_CONDITIONAL_UPDATES = 24
MAX_COLLECTION_RECORDS = 200
_API_VERSION = re.compile(r"\d\d\.0")
_NEXT_PAGE_ADDRESS = re.compile(r"/services/data/v(\d+\.\d)/(query(?:All)?/[\w-]+)")
_BASE_PATH_LENGTH = len("/services/data/v66.0/")
_ID_LENGTH_IN_ADDRESS = len(composite.query_path("'006000000000000AAA',")) - len(composite.query_path(""))


class SalesforceClient(SingleRecords, ObjectDescriptions, OwnerNotices):
    """The REST API under one integration user, for many threads. Raises only errors of `shared.foundation.errors`."""

    def __init__(self, connection: ApiConnection) -> None:
        """Use `open_salesforce`, which makes the connection."""
        super().__init__(connection)
        self._hidden: set[str] = set()

    @property
    def connection(self) -> ApiConnection:
        """The connection that sends the calls. Other APIs of the same org use it too, under the same session."""
        return self._connection

    def organization_id(self) -> str:
        """Return the 18-character id of the org. It comes with the token and costs no data call."""
        return self._connection.current_token().organization

    def user_id(self) -> str:
        """Return the 18-character id of the user who is signed in. It comes with the token and costs no data call."""
        return self._connection.current_token().user

    def api_usage(self) -> tuple[int, int] | None:
        """Return the calls of the last 24 hours and their limit, as the last answer gave them; None before the first.

        Source: the header `Sforce-Limit-Info`, docs/reference/salesforce.md#headers-of-a-call.
        """
        return self._connection.usage

    # --- reading

    def query(self, *soql: str, deleted: bool | Collection[str] = False) -> Answer:
        """Send one to five queries in one Composite call.

        `deleted` includes soft-deleted records (queryAll): in all queries, or only in those of a collection.
        The first query that fails raises its error. An unknown field or object raises Rejected: the configuration or
        the user's permissions are wrong.
        """
        if not 1 <= len(soql) <= MAX_QUERIES:
            raise ValueError(f"one call carries 1 to {MAX_QUERIES} queries")
        return self._connection.read(*self._query_call(soql, deleted=deleted))

    def more(self, next_page: str) -> Answer:
        """Return the following page of a query: one call, one page.

        Raises Unavailable if the page's address has expired, after two days
        (docs/reference/salesforce.md#query-pages).
        """
        return self._connection.read(self._page_call(next_page), _answer_of_page)

    def opportunities(self, ids: Sequence[str], fields: Sequence[str], optional: Collection[str] = ()) -> Answer:
        """Read opportunities by id, 2,000 in one Composite, with all pages and all pages of subqueries.

        One of the `optional` fields that does not exist, or that the user may not see, is left out from then on.

        `fields` are SOQL select items. If they are very long, a query holds fewer ids, because its address is limited
        to 16,384 characters. The answer's `at` is the server time of the first call, also for records that a later
        call read.
        """
        visible = [name for name in fields if name not in self._hidden]
        lists: list[list[Json]] = []
        unfinished: list[_Unfinished] = []
        server_times: list[datetime] = []
        for queries in batched(_queries_by_id(ids, visible), MAX_QUERIES, strict=False):
            try:
                answer = self._connection.read(*self._query_call(queries, deleted=False))
            except Rejected as error:
                self._leave_out_hidden(error, optional)
                return self.opportunities(ids, fields, optional)
            server_times.append(answer.at)
            for page in answer.pages:
                lists.append([])
                unfinished += _append_page(page, lists[-1])
        while unfinished:
            records, next_page = unfinished.pop(0)
            answer = self._connection.read(self._page_call(next_page), _answer_of_page)
            unfinished += _append_page(answer.pages[0], records)
        now = min(server_times) if server_times else self._connection.now()
        return Answer((Page(tuple(chain.from_iterable(lists)), None),), now)

    def _leave_out_hidden(self, error: Rejected, optional: Collection[str]) -> None:
        """Leave out the field that Salesforce does not know. Raises the error again if it is not an optional one."""
        hidden = _field_named_by(error, optional)
        if hidden is None or hidden in self._hidden:
            raise error
        self._hidden.add(hidden)
        log("column_hidden", column=hidden)

    def _query_call(
        self, soql: Sequence[str], *, deleted: bool | Collection[str]
    ) -> tuple[Call, Callable[[Reply], Answer]]:
        """Return the call that sends the queries, and what decodes its answer."""
        also = deleted if not isinstance(deleted, bool) else soql if deleted else ()
        subrequests = [composite.query_subrequest(n, text, deleted=text in also) for n, text in enumerate(soql)]
        return self._composite_call("query", subrequests), partial(_answer_of_queries, subrequests)

    def _page_call(self, next_page: str) -> Call:
        match = _NEXT_PAGE_ADDRESS.fullmatch(next_page)
        if not match or match[1] != self._connection.version:
            raise ValueError("the address of a further page must come from the page before")
        return Call("more", match[2])

    # --- writing

    def update_unmodified(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Send conditional PATCHes of opportunities, 24 in one Composite, and read `fields` back in the same call.

        The read-back is a collection retrieve. It returns the record's own fields only, no parent paths and no
        subqueries. `locked` means a record lock, or another temporary error of that record. If a later Composite raises
        an error, the outcomes of the earlier ones are lost: send 24 at a time where that matters.
        Source: docs/protocol.md#writing-values-that-people-edit.
        """
        composite.check_ids(writes)
        return [
            outcome
            for batch in batched(writes, MAX_CONDITIONAL_UPDATES, strict=False)
            for outcome in self._connection.write(*self._conditional_updates(batch, fields))
        ]

    def update(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Send unconditional updates of opportunities, 200 in one Composite, with a read-back as `update_unmodified`.

        Source: docs/protocol.md#writing-the-connectors-own-fields.
        """
        composite.check_ids(writes)
        if any(write.unmodified_since for write in writes):
            raise ValueError("a collection update cannot carry a condition: use update_unmodified")
        return [
            outcome
            for batch in batched(writes, MAX_COLLECTION_RECORDS, strict=False)
            for outcome in self._connection.write(*self._collection_update(batch, fields))
        ]

    def create(self, nodes: Sequence[Node], read: str, fields: Sequence[str]) -> Written:
        """Send one Composite Graph, all or nothing, that ends with a read of node `read` (its own fields only).

        Raises Conflict if a unique value is taken; Rejected, with the ids that a duplicate rule found in the remedy;
        Locked; Unavailable if the graph was rolled back because of a temporary error; Ambiguous if its outcome is
        unknown.
        """
        subrequests = composite.graph_subrequests(nodes, read, fields)
        body = composite.graph_body(subrequests, self._connection.version)
        keys = tuple(node.external[1] for node in nodes if node.external)
        call = Call("a graph", "composite/graph", "POST", body, keys=keys)
        return self._connection.write(call, partial(_created_record, subrequests))

    def _conditional_updates(
        self, writes: Sequence[Write], fields: Sequence[str]
    ) -> tuple[Call, Callable[[Reply], list[Written]]]:
        """Return the call that sends conditional PATCHes, and what decodes its answer."""
        subrequests = [composite.conditional_update_subrequest(number, write) for number, write in enumerate(writes)]
        subrequests.append(composite.retrieve_subrequest([write.id for write in writes], fields))
        call = self._composite_call("conditional updates", subrequests, writes)
        return call, partial(_outcomes_of_conditional_updates, subrequests, writes)

    def _collection_update(
        self, writes: Sequence[Write], fields: Sequence[str]
    ) -> tuple[Call, Callable[[Reply], list[Written]]]:
        """Return the call that sends unconditional updates, and what decodes its answer."""
        subrequests = [
            composite.collection_update_subrequest(writes),
            composite.retrieve_subrequest([write.id for write in writes], fields),
        ]
        call = self._composite_call("a collection update", subrequests, writes)
        return call, partial(_outcomes_of_collection_update, subrequests, writes)

    def _composite_call(
        self, description: str, subrequests: Sequence[composite.Subrequest], writes: Sequence[Write] = ()
    ) -> Call:
        body, keys = (
            composite.composite_body(subrequests, self._connection.version),
            tuple(write.id for write in writes),
        )
        return Call(description, "composite", "POST", body, keys=keys)


def open_salesforce(  # noqa: PLR0913 - the builder's parameters are the settings, one each
    *,
    login_url: str,
    client_id: str,
    username: str,
    key_name: str,
    vault: Vault,
    audience: str = "https://login.salesforce.com",
    version: str = "66.0",
    ca_bundle: Path | str | None = None,
    deadline: float = 60.0,
    session: requests.Session | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Callable[[], float] = time.monotonic,
) -> SalesforceClient:
    """Return a client that signs in at its first call. `deadline` is the total time of a call, in seconds.

    `key_name` is the name of the private key (RSA, PEM) in the vault. Tests pass a `session` of their own. Raises
    ConfigurationError if an address is not https, or if `version` is not an API version.
    """
    if not _API_VERSION.fullmatch(version):
        raise ConfigurationError(f"the Salesforce API version is a number such as 66.0, not {version[:20]!r}")
    session = session or open_session(ca_bundle, seconds=deadline)
    identity = Identity(login_url, client_id, username, key_name, audience)
    sign_in = SignIn(identity, vault, session, now=now, monotonic=monotonic)
    connection = ApiConnection(sign_in, session, version=version, seconds=deadline, now=now, monotonic=monotonic)
    return SalesforceClient(connection)


def _field_named_by(error: Rejected, fields: Collection[str]) -> str | None:
    """Return which of the fields Salesforce does not know; it names the column without the path to its record."""
    named = error.cause.field if error.cause.code == "INVALID_FIELD" else None
    return next((name for name in fields if named in (name, name.rpartition(".")[2])), None)


def _answer_of_queries(subrequests: Sequence[composite.Subrequest], reply: Reply) -> Answer:
    """Return the pages of all queries. Raises the error of the first query that failed, and UnreadableAnswer."""
    results = composite.subrequest_results(reply.value, subrequests)
    failed = next((result for result in results if result.is_failure), None)
    if failed is not None:
        raise exception_for(failed.status, failed.body, "a query", write=False)
    return Answer(tuple(_page_in(result.body) for result in results), reply.at)


def _answer_of_page(reply: Reply) -> Answer:
    return Answer((_page_in(reply.value),), reply.at)


type _Unfinished = tuple[list[Json], str]
"""A list of records that has further pages, and the address of the next one."""


def _append_page(page: Page, records: list[Json]) -> list[_Unfinished]:
    """Append the records of a page, and return the lists that are unfinished then: this one, and those of subqueries.

    A record whose subquery has further pages gets a list of its own in its place.
    """
    unfinished = [(records, page.next)] if page.next is not None else []
    for record in page.records:
        completed: dict[str, Json] = {}
        for name, value in record.items():
            if isinstance(value, Mapping) and value.get("done") is False:
                children: list[Json] = []
                unfinished += _append_page(_page_in(value), children)
                completed[name] = {**value, "done": True, "records": children}
        records.append({**record, **completed} if completed else record)
    return unfinished


def _page_in(body: object) -> Page:
    """Return the page that a body holds. Raises UnreadableAnswer."""
    answer = composite.as_record(body)
    records, following, done = answer.get("records"), answer.get("nextRecordsUrl"), answer.get("done")
    if not isinstance(records, list) or done is not (following is None):
        raise UnreadableAnswer("a page has records, and says whether it is the last one")
    return Page(
        tuple(composite.as_record(record) for record in records), following if following is None else str(following)
    )


def _queries_by_id(ids: Sequence[str], fields: Sequence[str]) -> Iterator[str]:
    """Yield queries of up to 400 ids each; of fewer, if `fields` are so long that the address has no room for more.

    Source: docs/reference/salesforce.md#size-limits-of-a-request.
    """
    unique_ids = dict.fromkeys(full_ids(ids))
    select = f"SELECT {','.join(dict.fromkeys(['Id', *fields]))} FROM {composite.OPPORTUNITY} WHERE Id IN "  # noqa: S608 - the fields come from the mapping, and the ids are checked
    ids_per_query = (
        composite.MAX_URL_LENGTH - 1 - _BASE_PATH_LENGTH - len(composite.query_path(f"{select}()"))
    ) // _ID_LENGTH_IN_ADDRESS
    if unique_ids and ids_per_query < 1:
        raise ValueError("the fields alone are longer than the address of a query may be")
    for batch in batched(unique_ids, min(MAX_IDS_PER_QUERY, ids_per_query), strict=False):
        yield select + in_list(batch)


def _outcomes_of_conditional_updates(
    subrequests: Sequence[composite.Subrequest], writes: Sequence[Write], reply: Reply
) -> list[Written]:
    """Return the outcome of each write. Raises Ambiguous, UnreadableAnswer."""
    *results, read_back = composite.subrequest_results(reply.value, subrequests)
    records = composite.records_read_back(read_back)
    outcomes = (
        composite.outcome_of_conditional_update(result, write, records.get(short_id(write.id)), reply.at)
        for result, write in zip(results, writes, strict=True)
    )
    return log_refusals(outcomes, reply)


def _outcomes_of_collection_update(
    subrequests: Sequence[composite.Subrequest], writes: Sequence[Write], reply: Reply
) -> list[Written]:
    """Return the outcome of each write. Raises the error of the whole update, Ambiguous, UnreadableAnswer."""
    update, read_back = composite.subrequest_results(reply.value, subrequests)
    records = composite.records_read_back(read_back)
    errors = composite.errors_of_collection_update(update, writes)
    outcomes = (
        composite.outcome_of_update(update.status, error, write, records.get(short_id(write.id)), reply.at)
        for write, error in zip(writes, errors, strict=True)
    )
    return log_refusals(outcomes, reply)


def _created_record(subrequests: Sequence[composite.Subrequest], reply: Reply) -> Written:
    """Return the record that the graph read back. Raises the error of a graph that failed, and UnreadableAnswer."""
    success, results = composite.graph_results(reply.value, subrequests)
    if not success:
        raise composite.graph_error(results, subrequests)
    record = composite.as_record(results[-1].body)
    identifier = record.get("Id")
    if not isinstance(identifier, str) or not is_id(identifier):
        raise UnreadableAnswer("a record that is read back has an Id")
    return Written(full_id(identifier), record, reply.at)
