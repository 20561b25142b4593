"""Send requests to one table of Table Storage, or of Azurite, which has the same protocol.

A read is tried three times at most. So is a write that the service has surely not begun: the connection was not opened,
or the service limits the calls. Any other write without an answer is sent once, and its outcome is unknown. After a
write was refused because of the limit, a conflict may be the work of its first try, so that its outcome is unknown too.

Sources: docs/reference/azure.md#behaviour-of-table-storage, docs/protocol.md#within-a-call.
"""

from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from itertools import count
from time import sleep as pause
from time import time
from typing import Protocol
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from shared.foundation.errors import Unavailable
from shared.store.table_batch import CONTENT_TYPE, TableWrite, batch_body, etags_of_batch
from shared.store.table_errors import TEMPORARY, TableRefusal
from shared.transport.deadline import call_deadline
from shared.transport.exchange import Answer, Exchange, NoAnswer
from shared.transport.retry import Backoff, RetryPolicy

RETRIES = RetryPolicy(tries=3, first_wait=0.2, longest_wait=2.0, longest_retry_after=10.0)
MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""A longer answer is refused. A page has a thousand rows at most."""

_UNAUTHORIZED, _SUCCESS, _WRITTEN = 401, range(200, 300), (201, 204)
_COMMON = {
    "x-ms-version": "2019-02-02",
    "DataServiceVersion": "3.0",
    # It has the ETags, which `nometadata` leaves out of a query.
    "Accept": "application/json;odata=minimalmetadata",
}
_WRITE = {"Content-Type": "application/json", "Prefer": "return-no-content"}
_PART = {"Accept": _COMMON["Accept"], "DataServiceVersion": "3.0", **_WRITE}


class Signer(Protocol):
    """Signs requests: `shared.store.shared_key.SharedKey` and `shared.store.azure_sign_in.StorageToken`."""

    def authorization(self, method: str, path: str, content_type: str, date: str) -> str:
        """Return the header Authorization. Raises StoreUnavailable."""

    def renew(self, challenge: str) -> bool:
        """Whether a request that got a 401 with this challenge may be sent again."""

    def close(self) -> None:
        """Close the connections of the sign-in."""


class OutcomeUnknown(Exception):
    """A write was refused for now, and then met a conflict, which may be the work of its first try."""


class _Request(Struct, frozen=True):
    """A request without its signature. `query` begins with a question mark, or is empty."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes | None = None


def key_of_entity(partition: str, key: str) -> str:
    """Return the part of a path that names one entity."""
    return f"(PartitionKey='{_quote(partition)}',RowKey='{_quote(key)}')"


class TableClient:
    """One table. Safe for many threads.

    Each method raises TableRefusal for an answer that is no success, NoAnswer if the network failed, OutcomeUnknown,
    StoreUnavailable if the sign-in failed, and ValueError for an answer that is not whole.
    """

    def __init__(self, endpoint: str, table: str, signer: Signer, *, ca_bundle: str | None, seconds: float) -> None:
        """`endpoint` is the address of the account's table service; `seconds` limit a call with its repeats."""
        parts = urlsplit(endpoint)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._account_path, self._table = parts.path.rstrip("/"), table
        self._path = f"{self._account_path}/{table}"
        self._signer, self._seconds = signer, seconds
        self._exchange = Exchange(self._origin, ca_bundle, seconds=seconds, max_bytes=MAX_ANSWER_BYTES)

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()
        self._signer.close()

    def create(self) -> None:
        """Create the table, which must be missing."""
        body = msgspec.json.encode({"TableName": self._table})
        self._send(_Request("POST", f"{self._account_path}/Tables", "", _WRITE, body), _checked)

    def get(self, partition: str, key: str) -> Answer:
        """Return the answer with one entity."""
        return self._send(_Request("GET", self._path + key_of_entity(partition, key)), _checked)

    def query(self, where: str, top: int | None, mark: Mapping[str, str]) -> Answer:
        """Return the answer with one page of entities. `mark` is that of the page before (`next_page`), or empty."""
        values = {"$filter": where, **({} if top is None else {"$top": str(top)}), **mark}
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
        return self._send(_Request("GET", f"{self._path}()", f"?{query}"), _checked)

    def write(self, writes: Sequence[TableWrite]) -> Sequence[str | None]:
        """Write one entity, or several in one transaction; return the new ETags, None where there is none.

        The path of each write is that below the table.
        """
        if len(writes) == 1:
            one = writes[0]
            request = _Request(one.method, self._path + one.path, "", {**_WRITE, **one.headers}, one.body)
            return [self._send(request, _etag_of, is_write=True)]
        body = batch_body(self._origin + self._path, _PART, writes)
        request = _Request("POST", f"{self._account_path}/$batch", "", {"Content-Type": CONTENT_TYPE}, body)
        return self._send(request, lambda answer: etags_of_batch(_checked(answer), len(writes)), is_write=True)

    def _send[T](self, request: _Request, read: Callable[[Answer], T], *, is_write: bool = False) -> T:
        was_refused = False
        with call_deadline(self._seconds) as deadline:
            backoff = Backoff(RETRIES, deadline)
            for tries in count(1):
                try:
                    return read(self._send_once(request))
                except (TableRefusal, NoAnswer) as error:
                    refusal = error if isinstance(error, TableRefusal) else None
                    if refusal:
                        refusal.method = request.method
                    if is_write and was_refused and refusal and refusal.is_conflict:
                        raise OutcomeUnknown(str(error)) from error
                    may_repeat = tries < RETRIES.tries and _may_repeat(error, is_write=is_write)
                    wait = may_repeat and backoff(Unavailable(str(error), after=refusal.after if refusal else None))
                    if wait is False:
                        raise
                    was_refused |= refusal is not None
                pause(wait)
        raise AssertionError("the last try returns or raises")

    def _send_once(self, request: _Request) -> Answer:
        answer = self._send_signed(request)
        if answer.status == _UNAUTHORIZED and self._signer.renew(answer.headers.get("www-authenticate", "")):
            answer = self._send_signed(request)
        return answer

    def _send_signed(self, request: _Request) -> Answer:
        date, content_type = _date(int(time())), request.headers.get("Content-Type", "")
        signature = self._signer.authorization(request.method, request.path, content_type, date)
        headers = {**_COMMON, **request.headers, "x-ms-date": date, "Authorization": signature}
        return self._exchange.send(request.method, request.path + request.query, headers, request.body)


def next_page(answer: Answer) -> Mapping[str, str]:
    """Return the mark of the page that follows; empty after the last one. A page without entities may have one."""
    names = ("NextPartitionKey", "NextRowKey")
    found = {name: answer.headers.get(f"x-ms-continuation-{name.lower()}") for name in names}
    return {name: value for name, value in found.items() if value}


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    """Return a time in seconds since 1970 as a header. Many requests of a second have the same."""
    return formatdate(second, usegmt=True)


def _quote(key: str) -> str:
    return quote(key.replace("'", "''"), safe="")


def _checked(answer: Answer) -> Answer:
    if answer.status not in _SUCCESS:
        raise TableRefusal(answer)
    return answer


def _etag_of(answer: Answer) -> str | None:
    if _checked(answer).status not in _WRITTEN:
        raise ValueError("the answer is not one to a write")
    return answer.headers.get("etag")


def _may_repeat(error: TableRefusal | NoAnswer, *, is_write: bool) -> bool:
    if isinstance(error, TableRefusal):
        return error.was_not_tried if is_write else error.status in TEMPORARY
    return not (is_write and error.was_sent)
