"""The Salesforce port (`shared.sync.ports.Salesforce`) on the REST API, reference/salesforce.md section 2."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path

import requests

from shared.clients.salesforce import composite
from shared.clients.salesforce.error_codes import ApiError, exception_for
from shared.clients.salesforce.records import Answer, Json, Node, Page, Write, Written
from shared.clients.salesforce.request import ApiConnection, Call, Reply, UnreadableAnswer
from shared.clients.salesforce.sign_in import Identity, SignIn
from shared.clients.salesforce.soql_literals import full_id, in_list, is_id
from shared.clients.vault_ports import Vault
from shared.foundation.errors import ConfigurationError
from shared.transport.session import open_session

MAX_QUERIES = 5
MAX_IDS_PER_QUERY = 400
MAX_CONDITIONAL_UPDATES = 24
MAX_COLLECTION_RECORDS = 200
_API_VERSION = re.compile(r"\d\d\.0")
_NEXT_PAGE_ADDRESS = re.compile(r"/services/data/v(\d+\.\d)/(query(?:All)?/[\w-]+)")
_OBJECT_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_BASE_PATH_LENGTH = len("/services/data/v66.0/")
_ID_LENGTH_IN_ADDRESS = len(composite.query_path("'006000000000000AAA',")) - len(composite.query_path(""))


class SalesforceClient:
    """The REST API under one integration user. Safe for threads; every call raises only errors of `errors`."""

    def __init__(self, wire: ApiConnection) -> None:
        """`open_salesforce` makes the wire."""
        self._wire = wire

    @property
    def connection(self) -> ApiConnection:
        """What carries the calls, for the other APIs of the same org under the same session."""
        return self._wire

    def organization_id(self) -> str:
        """The 18-character id of the org, from the token's answer; costs no data call."""
        return self._wire.current_token().organization

    def api_usage(self) -> tuple[int, int] | None:
        """Calls of the last 24 hours and their limit, as the latest answer told (`Sforce-Limit-Info`)."""
        return self._wire.usage

    def describe(self, sobject: str) -> Json:
        """The object's description as the integration user sees it. Raises NotFound."""
        if not _OBJECT_NAME.fullmatch(sobject):
            raise ValueError("the name of an object is letters, digits and underscores")
        return self._wire.read(
            Call("describe", f"sobjects/{sobject}/describe"), lambda reply: composite.as_record(reply.value)
        )

    # --- reading

    def query(self, *soql: str, deleted: bool = False) -> Answer:
        """One Composite call of one to five queries; `deleted` includes soft-deleted rows (queryAll).

        The first query that fails raises: Rejected for an unknown field or object, which is a fault of configuration.
        """
        if not 1 <= len(soql) <= MAX_QUERIES:
            raise ValueError(f"one call carries 1 to {MAX_QUERIES} queries")
        parts = [composite.query_subrequest(number, text, deleted=deleted) for number, text in enumerate(soql)]
        return self._wire.read(self._composite_call("query", parts), lambda reply: _answer_of_queries(reply, parts))

    def more(self, next_page: str) -> Answer:
        """The following page of a query: one call, one page. A locator that expired (2 days) raises Unavailable."""
        found = _NEXT_PAGE_ADDRESS.fullmatch(next_page)
        if not found or found[1] != self._wire.version:
            raise ValueError("the address of a further page comes from the page before")
        return self._wire.read(Call("more", found[2]), lambda reply: Answer((_page_in(reply.value),), reply.at))

    def opportunities(self, ids: Sequence[str], fields: Sequence[str]) -> Answer:
        """Read opportunities by id, 2,000 a Composite, all pages and all pages of subqueries.

        `fields` are SOQL select items. Very long ones make for fewer ids a query, whose address is limited to 16,384
        characters. `at` is the server time of the first call: what was read later counts as read then.
        """
        records: list[Json] = []
        server_times: list[datetime] = []
        for queries in batched(_queries_by_id(ids, fields), MAX_QUERIES, strict=False):
            answer = self.query(*queries)
            server_times.append(answer.at)
            records += (row for page in answer.pages for row in self._records_of_all_pages(page))
        now = min(server_times) if server_times else self._wire.now()
        return Answer((Page(tuple(self._with_all_subquery_pages(row) for row in records), None),), now)

    def _records_of_all_pages(self, page: Page) -> Iterator[Json]:
        """The rows of a page and of all that follow."""
        yield from page.rows
        while page.next is not None:
            page = self.more(page.next).pages[0]
            yield from page.rows

    def _with_all_subquery_pages(self, row: Json) -> Json:
        """The row with the further pages of its subqueries."""
        cut = {name: value for name, value in row.items() if isinstance(value, Mapping) and value.get("done") is False}
        whole = {
            name: {**value, "done": True, "records": list(self._records_of_all_pages(_page_in(value)))}
            for name, value in cut.items()
        }
        return {**row, **whole} if whole else row

    # --- writing

    def update_unmodified(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Conditional PATCHes of opportunities, 24 a Composite, each followed by a read-back of `fields`.

        The read-back is a collection retrieve: of `fields` it knows those of the record itself, not parent paths and
        subqueries. `locked` stands for a row lock and for any passing trouble of that record. An error of a later
        Composite hides the outcomes of the earlier ones: send 24 at a time where that matters.
        """
        _check_ids(writes)
        return [
            done
            for some in batched(writes, MAX_CONDITIONAL_UPDATES, strict=False)
            for done in self._update_conditionally(some, fields)
        ]

    def update(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Unconditional collection update of opportunities, 200 a Composite, with read-back as `update_unmodified`."""
        _check_ids(writes)
        if any(write.unmodified_since for write in writes):
            raise ValueError("a collection update knows no condition: use update_unmodified")
        return [
            done
            for some in batched(writes, MAX_COLLECTION_RECORDS, strict=False)
            for done in self._update_collection(some, fields)
        ]

    def create(self, nodes: Sequence[Node], read: str, fields: Sequence[str]) -> Written:
        """One Composite Graph, all or nothing, that ends with a read of node `read` (its own fields only).

        Raises Conflict if a unique value is taken, Rejected (with the ids a duplicate rule found in the remedy),
        Locked, Unavailable if the graph was rolled back for a passing trouble, Ambiguous if its outcome is unknown.
        """
        parts = composite.graph_subrequests(nodes, read, fields)
        call = Call("a graph", "composite/graph", "POST", composite.graph_body(parts, self._wire.version))
        return self._wire.write(call, lambda reply: _created_record(reply, parts))

    def _update_conditionally(self, writes: Sequence[Write], fields: Sequence[str]) -> list[Written]:
        parts = [composite.conditional_update_subrequest(number, write) for number, write in enumerate(writes)]
        parts.append(composite.retrieve_subrequest([write.id for write in writes], fields))

        def decode(reply: Reply) -> list[Written]:
            *fates, last = composite.subrequest_results(reply.value, parts)
            rows = composite.records_read_back(last)
            pairs = zip(fates, writes, strict=True)
            return [
                composite.outcome_of_conditional_update(fate, write, rows.get(full_id(write.id)), reply.at)
                for fate, write in pairs
            ]

        return self._wire.write(self._composite_call("conditional updates", parts), decode)

    def _update_collection(self, writes: Sequence[Write], fields: Sequence[str]) -> list[Written]:
        parts = [
            composite.collection_update_subrequest(writes),
            composite.retrieve_subrequest([write.id for write in writes], fields),
        ]

        def decode(reply: Reply) -> list[Written]:
            update, last = composite.subrequest_results(reply.value, parts)
            rows = composite.records_read_back(last)
            told = zip(writes, composite.outcomes_of_collection_update(update, writes), strict=True)
            return [_outcome_of_collected(write, *fate, rows.get(full_id(write.id)), reply.at) for write, fate in told]

        return self._wire.write(self._composite_call("a collection update", parts), decode)

    def _composite_call(self, what: str, parts: Sequence[composite.Subrequest]) -> Call:
        return Call(what, "composite", "POST", composite.composite_body(parts, self._wire.version))


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
    pool: int = 32,
    session: requests.Session | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Callable[[], float] = time.monotonic,
) -> SalesforceClient:
    """A client that signs in at its first call. `deadline` is the total time of a call in seconds.

    `key_name` is the vault's name of the private key (RSA, PEM). `session` replaces our own, for tests. Raises
    ConfigurationError for an address that is not https or a version that is no API version.
    """
    if not _API_VERSION.fullmatch(version):
        raise ConfigurationError(f"the Salesforce API version is a number such as 66.0, not {version[:20]!r}")
    session = session or open_session(ca_bundle, seconds=deadline, pool=pool)
    identity = Identity(login_url, client_id, username, key_name, audience)
    sign_in = SignIn(identity, vault, session, now=now, monotonic=monotonic)
    wire = ApiConnection(sign_in, session, version=version, seconds=deadline, now=now, monotonic=monotonic)
    return SalesforceClient(wire)


def _answer_of_queries(reply: Reply, parts: Sequence[composite.Subrequest]) -> Answer:
    fates = composite.subrequest_results(reply.value, parts)
    failed = next((fate for fate in fates if fate.is_failure), None)
    if failed is not None:
        raise exception_for(failed.status, failed.body, "a query", write=False)
    return Answer(tuple(_page_in(fate.body) for fate in fates), reply.at)


def _page_in(body: object) -> Page:
    answer = composite.as_record(body)
    rows, following, done = answer.get("records"), answer.get("nextRecordsUrl"), answer.get("done")
    if not isinstance(rows, list) or done is not (following is None):
        raise UnreadableAnswer("a page has records, and says whether it is the last")
    return Page(tuple(composite.as_record(row) for row in rows), following if following is None else str(following))


def _queries_by_id(ids: Sequence[str], fields: Sequence[str]) -> Iterator[str]:
    """Queries of up to 400 ids each, fewer if `fields` leave no room in the address."""
    unique_ids = dict.fromkeys(map(full_id, ids))
    select = f"SELECT {','.join(dict.fromkeys(['Id', *fields]))} FROM {composite.OPPORTUNITY} WHERE Id IN "  # noqa: S608 - fields are the mapping's, ids are checked
    ids_per_query = (
        composite.MAX_URL_LENGTH - 1 - _BASE_PATH_LENGTH - len(composite.query_path(f"{select}()"))
    ) // _ID_LENGTH_IN_ADDRESS
    if unique_ids and ids_per_query < 1:
        raise ValueError("the fields alone fill the address of a query")
    for some in batched(unique_ids, min(MAX_IDS_PER_QUERY, ids_per_query), strict=False):
        yield select + in_list(some)


def _check_ids(writes: Sequence[Write]) -> None:
    if not all(is_id(write.id) for write in writes):
        raise ValueError("a record id has 15 or 18 letters and digits")
    if len({full_id(write.id) for write in writes}) != len(writes):
        raise ValueError("one call writes a record once")


def _outcome_of_collected(write: Write, status: int, fault: ApiError | None, row: Json | None, at: datetime) -> Written:
    return (
        Written(write.id, row, at)
        if fault is None
        else composite.outcome_of_failed_write(status, fault, write, row, at)
    )


def _created_record(reply: Reply, parts: Sequence[composite.Subrequest]) -> Written:
    success, fates = composite.graph_results(reply.value, parts)
    if not success:
        raise composite.graph_error(fates)
    row = composite.as_record(fates[-1].body)
    identifier = row.get("Id")
    if not isinstance(identifier, str) or not is_id(identifier):
        raise UnreadableAnswer("the record read back has an Id")
    return Written(full_id(identifier), row, reply.at)
