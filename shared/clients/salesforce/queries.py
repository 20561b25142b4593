"""Send queries, and read all pages of their answers.

Sources: docs/reference/salesforce.md#query-pages, docs/reference/salesforce.md#size-limits-of-a-request.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import batched, chain

from shared.clients.salesforce import composite
from shared.clients.salesforce.error_codes import exception_for
from shared.clients.salesforce.records import Answer, Json, Page, Write
from shared.clients.salesforce.request import ApiConnection, Call, Reply, UnreadableAnswer
from shared.clients.salesforce.soql_literals import full_ids, in_list
from shared.foundation.errors import Rejected
from shared.foundation.logs import log

MAX_QUERIES = 5
MAX_IDS_PER_QUERY = 400
_NEXT_PAGE_ADDRESS = re.compile(r"/services/data/v(\d+\.\d)/(query(?:All)?/[\w-]+)")
_BASE_PATH_LENGTH = len("/services/data/v66.0/")
_ID_LENGTH_IN_ADDRESS = len(composite.query_path("'006000000000000AAA',")) - len(composite.query_path(""))

type _Unfinished = tuple[list[Json], str]
"""A list of records that has further pages, and the address of the next one."""


class Queries:
    """The calls that read records. `SalesforceClient` has them too."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection
        self._hidden: set[str] = set()

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

        One of the `optional` fields that does not exist, or that the user may not see, is left out until the org is
        asked again.

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
                unfinished += append_page(page, lists[-1])
        while unfinished:  # here and not in `_read_rest`: one function less stands above each call
            records, next_page = unfinished.pop(0)
            answer = self._connection.read(self._page_call(next_page), _answer_of_page)
            unfinished += append_page(answer.pages[0], records)
        now = min(server_times) if server_times else self._connection.now()
        return Answer((Page(tuple(chain.from_iterable(lists)), None),), now)

    def _read_rest(self, unfinished: list[_Unfinished]) -> None:
        """Read all further pages of unfinished lists."""
        while unfinished:
            records, next_page = unfinished.pop(0)
            answer = self._connection.read(self._page_call(next_page), _answer_of_page)
            unfinished += append_page(answer.pages[0], records)

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

    def _composite_call(
        self,
        description: str,
        subrequests: Sequence[composite.Subrequest],
        writes: Sequence[Write] = (),
        *,
        is_whole: bool = False,
    ) -> Call:
        body = composite.composite_body(subrequests, self._connection.version, is_whole=is_whole)
        keys = tuple(write.id for write in writes)
        return Call(description, "composite", "POST", body, keys=keys)


def _field_named_by(error: Rejected, fields: Collection[str]) -> str | None:
    """Return which of the fields Salesforce does not know; it names the column without the path to its record.

    Of a subquery it names the related list, which a feature of the org may have taken along.
    """
    if error.cause.code == "INVALID_TYPE":
        return next((name for name in fields if name[0] == "(" and _list_of(name) == error.cause.field), None)
    named = error.cause.field if error.cause.code == "INVALID_FIELD" else None
    return next((name for name in fields if named in (name, name.rpartition(".")[2])), None)


def _list_of(subquery: str) -> str:
    return subquery.rpartition(" FROM ")[2].rstrip(")")


def _answer_of_queries(subrequests: Sequence[composite.Subrequest], reply: Reply) -> Answer:
    """Return the pages of all queries. Raises the error of the first query that failed, and UnreadableAnswer."""
    results = composite.subrequest_results(reply.value, subrequests)
    failed = next((result for result in results if result.is_failure), None)
    if failed is not None:
        raise exception_for(failed.status, failed.body, "a query", write=False)
    return Answer(tuple(page_in(result.body) for result in results), reply.at)


def _answer_of_page(reply: Reply) -> Answer:
    return Answer((page_in(reply.value),), reply.at)


def append_page(page: Page, records: list[Json]) -> list[_Unfinished]:
    """Append the records of a page, and return the lists that are unfinished then: this one, and those of subqueries.

    A record whose subquery has further pages gets a list of its own in its place.
    """
    unfinished = [(records, page.next)] if page.next is not None else []
    for record in page.records:
        completed: dict[str, Json] = {}
        for name, value in record.items():
            if isinstance(value, Mapping) and value.get("done") is False:
                children: list[Json] = []
                unfinished += append_page(page_in(value), children)
                completed[name] = {**value, "done": True, "records": children}
        records.append({**record, **completed} if completed else record)
    return unfinished


def page_in(body: object) -> Page:
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
