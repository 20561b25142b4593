"""The Salesforce port (`shared.sync.ports.Salesforce`) on the REST API, reference/salesforce.md section 2."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path

import requests

from shared.clients.salesforce import composite as c
from shared.clients.salesforce.error_codes import Fault, error_of
from shared.clients.salesforce.records import Answer, Json, Node, Page, Write, Written
from shared.clients.salesforce.request import Call, Reply, Unreadable, Wire
from shared.clients.salesforce.sign_in import Identity, SignIn
from shared.clients.salesforce.soql_literals import full_id, in_list, is_id
from shared.clients.vault_ports import Vault
from shared.foundation.errors import ConfigurationError
from shared.transport.session import open_session

QUERIES = 5
IDS_A_QUERY = 400
PATCHES = 24
COLLECTION = 200
_VERSION = re.compile(r"\d\d\.0")
_NEXT = re.compile(r"/services/data/v(\d+\.\d)/(query(?:All)?/[\w-]+)")
_OBJECT = re.compile(r"[A-Za-z]\w*", re.ASCII)
_BASE = len("/services/data/v66.0/")
_ID_LENGTH = len(c.query_path("'006000000000000AAA',")) - len(c.query_path(""))


class SalesforceClient:
    """The REST API under one integration user. Safe for threads; every call raises only errors of `errors`."""

    def __init__(self, wire: Wire) -> None:
        """`open_salesforce` makes the wire."""
        self._wire = wire

    @property
    def wire(self) -> Wire:
        """What carries the calls, for the other APIs of the same org under the same session."""
        return self._wire

    def organization_id(self) -> str:
        """The 18-character id of the org, from the token's answer; costs no data call."""
        return self._wire.token().organization

    def api_usage(self) -> tuple[int, int] | None:
        """Calls of the last 24 hours and their limit, as the latest answer told (`Sforce-Limit-Info`)."""
        return self._wire.usage

    def describe(self, sobject: str) -> Json:
        """The object's description as the integration user sees it. Raises NotFound."""
        if not _OBJECT.fullmatch(sobject):
            raise ValueError("the name of an object is letters, digits and underscores")
        return self._wire.read(Call("describe", f"sobjects/{sobject}/describe"), lambda reply: c.record(reply.value))

    # --- reading

    def query(self, *soql: str, deleted: bool = False) -> Answer:
        """One Composite call of one to five queries; `deleted` includes soft-deleted rows (queryAll).

        The first query that fails raises: Rejected for an unknown field or object, which is a fault of configuration.
        """
        if not 1 <= len(soql) <= QUERIES:
            raise ValueError(f"one call carries 1 to {QUERIES} queries")
        parts = [c.query_part(number, text, deleted=deleted) for number, text in enumerate(soql)]
        return self._wire.read(self._composite("query", parts), lambda reply: _answer(reply, parts))

    def more(self, next_page: str) -> Answer:
        """The following page of a query: one call, one page. A locator that expired (2 days) raises Unavailable."""
        found = _NEXT.fullmatch(next_page)
        if not found or found[1] != self._wire.version:
            raise ValueError("the address of a further page comes from the page before")
        return self._wire.read(Call("more", found[2]), lambda reply: Answer((_page(reply.value),), reply.at))

    def opportunities(self, ids: Sequence[str], fields: Sequence[str]) -> Answer:
        """Read opportunities by id, 2,000 a Composite, all pages and all pages of subqueries.

        `fields` are SOQL select items. Very long ones make for fewer ids a query, whose address is limited to 16,384
        characters. `at` is the server time of the first call: what was read later counts as read then.
        """
        rows: list[Json] = []
        moments: list[datetime] = []
        for queries in batched(_by_id(ids, fields), QUERIES, strict=False):
            answer = self.query(*queries)
            moments.append(answer.at)
            rows += (row for page in answer.pages for row in self._rest(page))
        now = min(moments) if moments else self._wire.now()
        return Answer((Page(tuple(self._whole(row) for row in rows), None),), now)

    def _rest(self, page: Page) -> Iterator[Json]:
        """The rows of a page and of all that follow."""
        yield from page.rows
        while page.next is not None:
            page = self.more(page.next).pages[0]
            yield from page.rows

    def _whole(self, row: Json) -> Json:
        """The row with the further pages of its subqueries."""
        cut = {name: value for name, value in row.items() if isinstance(value, Mapping) and value.get("done") is False}
        whole = {
            name: {**value, "done": True, "records": list(self._rest(_page(value)))} for name, value in cut.items()
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
        return [done for some in batched(writes, PATCHES, strict=False) for done in self._patch(some, fields)]

    def update(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Unconditional collection update of opportunities, 200 a Composite, with read-back as `update_unmodified`."""
        _check_ids(writes)
        if any(write.unmodified_since for write in writes):
            raise ValueError("a collection update knows no condition: use update_unmodified")
        return [done for some in batched(writes, COLLECTION, strict=False) for done in self._collect(some, fields)]

    def create(self, nodes: Sequence[Node], read: str, fields: Sequence[str]) -> Written:
        """One Composite Graph, all or nothing, that ends with a read of node `read` (its own fields only).

        Raises Conflict if a unique value is taken, Rejected (with the ids a duplicate rule found in the remedy),
        Locked, Unavailable if the graph was rolled back for a passing trouble, Ambiguous if its outcome is unknown.
        """
        parts = c.node_parts(nodes, read, fields)
        call = Call("a graph", "composite/graph", "POST", c.graph(parts, self._wire.version))
        return self._wire.write(call, lambda reply: _created(reply, parts))

    def _patch(self, writes: Sequence[Write], fields: Sequence[str]) -> list[Written]:
        parts = [c.conditional_part(number, write) for number, write in enumerate(writes)]
        parts.append(c.retrieve_part([write.id for write in writes], fields))

        def decode(reply: Reply) -> list[Written]:
            *fates, last = c.fates(reply.value, parts)
            rows = c.read_back(last)
            pairs = zip(fates, writes, strict=True)
            return [c.patched(fate, write, rows.get(full_id(write.id)), reply.at) for fate, write in pairs]

        return self._wire.write(self._composite("conditional updates", parts), decode)

    def _collect(self, writes: Sequence[Write], fields: Sequence[str]) -> list[Written]:
        parts = [c.collection_part(writes), c.retrieve_part([write.id for write in writes], fields)]

        def decode(reply: Reply) -> list[Written]:
            update, last = c.fates(reply.value, parts)
            rows = c.read_back(last)
            told = zip(writes, c.collected(update, writes), strict=True)
            return [_collected(write, *fate, rows.get(full_id(write.id)), reply.at) for write, fate in told]

        return self._wire.write(self._composite("a collection update", parts), decode)

    def _composite(self, what: str, parts: Sequence[c.Part]) -> Call:
        return Call(what, "composite", "POST", c.composite(parts, self._wire.version))


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
    if not _VERSION.fullmatch(version):
        raise ConfigurationError(f"the Salesforce API version is a number such as 66.0, not {version[:20]!r}")
    session = session or open_session(ca_bundle, seconds=deadline, pool=pool)
    identity = Identity(login_url, client_id, username, key_name, audience)
    sign_in = SignIn(identity, vault, session, now=now, monotonic=monotonic)
    wire = Wire(sign_in, session, version=version, seconds=deadline, now=now, monotonic=monotonic)
    return SalesforceClient(wire)


def _answer(reply: Reply, parts: Sequence[c.Part]) -> Answer:
    fates = c.fates(reply.value, parts)
    failed = next((fate for fate in fates if fate.failed), None)
    if failed is not None:
        raise error_of(failed.status, failed.body, "a query", write=False)
    return Answer(tuple(_page(fate.body) for fate in fates), reply.at)


def _page(body: object) -> Page:
    answer = c.record(body)
    rows, following, done = answer.get("records"), answer.get("nextRecordsUrl"), answer.get("done")
    if not isinstance(rows, list) or done is not (following is None):
        raise Unreadable("a page has records, and says whether it is the last")
    return Page(tuple(c.record(row) for row in rows), following if following is None else str(following))


def _by_id(ids: Sequence[str], fields: Sequence[str]) -> Iterator[str]:
    """Queries of up to 400 ids each, fewer if `fields` leave no room in the address."""
    wanted = dict.fromkeys(map(full_id, ids))
    select = f"SELECT {','.join(dict.fromkeys(['Id', *fields]))} FROM {c.OBJECT} WHERE Id IN "  # noqa: S608 - fields are the mapping's, ids are checked
    room = (c.URL_LIMIT - 1 - _BASE - len(c.query_path(f"{select}()"))) // _ID_LENGTH
    if wanted and room < 1:
        raise ValueError("the fields alone fill the address of a query")
    for some in batched(wanted, min(IDS_A_QUERY, room), strict=False):
        yield select + in_list(some)


def _check_ids(writes: Sequence[Write]) -> None:
    if not all(is_id(write.id) for write in writes):
        raise ValueError("a record id has 15 or 18 letters and digits")
    if len({full_id(write.id) for write in writes}) != len(writes):
        raise ValueError("one call writes a record once")


def _collected(write: Write, status: int, fault: Fault | None, row: Json | None, at: datetime) -> Written:
    return Written(write.id, row, at) if fault is None else c.refused(status, fault, write, row, at)


def _created(reply: Reply, parts: Sequence[c.Part]) -> Written:
    success, fates = c.graph_fates(reply.value, parts)
    if not success:
        raise c.graph_error(fates)
    row = c.record(fates[-1].body)
    identifier = row.get("Id")
    if not isinstance(identifier, str) or not is_id(identifier):
        raise Unreadable("the record read back has an Id")
    return Written(full_id(identifier), row, reply.at)
