"""Keep the store's rows in Azure Table Storage, or in Azurite, which has the same protocol.

One change is one request; only changes that must happen together are a transaction. Sources:
docs/reference/azure.md#behaviour-of-table-storage, docs/reference/azure.md#identity-and-roles.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import islice
from typing import Self

from shared.foundation.errors import StoreConflict, StoreUnavailable
from shared.store.azure_sign_in import StorageToken, storage_credential
from shared.store.limits import after_prefix, check_changes, check_key, check_list, check_scan
from shared.store.rows import Delete, Insert, Put, Replace, Row, RowChange
from shared.store.shared_key import read_connection_string
from shared.store.table_batch import TableWrite
from shared.store.table_client import OutcomeUnknown, TableClient, key_of_entity, next_page
from shared.store.table_entities import entity_of, row_of, rows_of, time_text
from shared.store.table_errors import FORBIDDEN, MISSING_ROW, TableRefusal
from shared.transport.exchange import Answer, NoAnswer

DEADLINE_SECONDS = 60.0
"""The total time of one call, repeats included (docs/protocol.md#time-and-deadlines)."""

_REFUSED = "refused"
# An answer that is HTML, empty or cut off raises one of the last two.
_FAILURES = (TableRefusal, NoAnswer, OutcomeUnknown, ValueError, LookupError, TypeError)


class TableRows:
    """The contract `shared.store.rows.Rows` on one table. Safe for many threads.

    `close` also closes `client`. `compare` gets the time of each reply to a read, by the store's clock.
    """

    def __init__(self, client: TableClient, compare: Callable[[datetime], object] | None = None) -> None:
        self._client = client
        self._compare = compare or (lambda _: None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, partition: str, key: str) -> Row | None:
        """See `Rows.get`."""
        check_key(partition)
        check_key(key)
        with _translated_read():
            try:
                answer = self._client.get(partition, key)
            except TableRefusal as refusal:
                # A missing table is not a missing row. If it counted as one, every deal would be created again.
                if refusal.code not in MISSING_ROW:
                    raise
                self._time_of(refusal.answer)
                return None
            return row_of(answer.body, self._time_of(answer))

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        """See `Rows.list`."""
        check_list(partition, prefix, until, limit)
        if limit == 0:
            return []
        where = f"PartitionKey eq {_literal(partition)}"
        if prefix:
            where += f" and RowKey ge {_literal(prefix)} and RowKey lt {_literal(after_prefix(prefix))}"
        if until is not None:
            where += f" and at le datetime'{time_text(until)}'"
        return [*islice(self._rows(where, limit), limit)]

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        """See `Rows.scan`. Rows come in the order of their partitions and are read page by page."""
        check_scan(partition_prefix, key, after)
        where = f"RowKey eq {_literal(key)}"
        if after:
            where += f" and PartitionKey gt {_literal(after)}"
        if partition_prefix:
            end = after_prefix(partition_prefix)
            where += f" and PartitionKey ge {_literal(partition_prefix)} and PartitionKey lt {_literal(end)}"
        return self._rows(where)

    def walk(self, first: str, end: str) -> Iterator[Row]:
        """See `Rows.walk`. Rows are read page by page."""
        return self._rows(f"PartitionKey ge {_literal(first)} and PartitionKey lt {_literal(end)}")

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        """See `Rows.write`."""
        check_changes(partition, changes)
        if not changes:
            return []
        writes = [_write_of(partition, change) for change in changes]
        with _translated_write():
            etags = self._client.write(writes)
            if any(etag is None for etag, change in zip(etags, changes, strict=True) if not isinstance(change, Delete)):
                raise ValueError("the answer lacks an ETag")
        return [None if isinstance(change, Delete) else etag for etag, change in zip(etags, changes, strict=True)]

    def _rows(self, where: str, limit: int | None = None) -> Iterator[Row]:
        top, mark = None if limit is None else min(limit, 1000), dict[str, str]()
        while True:
            page, following = self._page(where, top, mark)
            yield from page
            if not following:
                return
            mark = dict(following)

    def _page(self, where: str, top: int | None, mark: Mapping[str, str]) -> tuple[Sequence[Row], Mapping[str, str]]:
        """Return the rows of a page, which may be none, and the mark of the next page."""
        with _translated_read():
            answer = self._client.query(where, top, mark)
            following = next_page(answer)
            if following and following == mark:
                raise ValueError("the list does not go on")
            return rows_of(answer.body, self._time_of(answer)), following

    def _time_of(self, answer: Answer) -> datetime:
        """Return the time of an answer by the store's clock, in whole seconds, and compare it with ours."""
        time = _parsed(answer.headers.get("date", ""))
        self._compare(time)
        return time


@lru_cache(maxsize=16)
def _parsed(date: str) -> datetime:
    """Return the time of a header Date. Many answers of a second have the same. Raises ValueError."""
    return parsedate_to_datetime(date)


def _literal(text: str) -> str:
    """Return a text as it stands in a filter."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'"


def _write_of(partition: str, change: RowChange) -> TableWrite:
    key = key_of_entity(partition, change.key)
    match change:
        case Insert():
            return TableWrite("POST", "", {}, entity_of(partition, change))
        case Put():
            return TableWrite("PUT", key, {}, entity_of(partition, change))
        case Replace():
            return TableWrite("PUT", key, {"If-Match": change.etag}, entity_of(partition, change))
        case Delete():
            return TableWrite("DELETE", key, {"If-Match": change.etag}, None)


# --- errors


@contextmanager
def _translated_read() -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise StoreUnavailable(f"Table Storage {_verb(error)} a read: {_described(error)}") from error


@contextmanager
def _translated_write() -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        if isinstance(error, TableRefusal) and error.is_conflict:
            raise StoreConflict(f"another instance changed the row first: {_described(error)}") from error
        outcome = "" if _verb(error) == _REFUSED else ", and its outcome is unknown"
        raise StoreUnavailable(f"Table Storage {_verb(error)} a write{outcome}: {_described(error)}") from error


def _verb(error: Exception) -> str:
    # A 403 without a code is the page of a gateway.
    is_refused = isinstance(error, TableRefusal) and error.status == FORBIDDEN and error.code
    return _REFUSED if is_refused else "did not answer"


def _described(error: Exception) -> str:
    """Return what is safe to show of an error: not the text of an answer, which may quote keys or addresses."""
    shown = isinstance(error, TableRefusal | NoAnswer | OutcomeUnknown)
    return str(error) if shown else type(error).__name__


# --- opening


def open_tables(
    endpoint: str,
    table: str,
    *,
    client_id: str | None,
    ca_bundle: str | None = None,
    timeout: float = DEADLINE_SECONDS,
    by_cli: bool = False,
    compare: Callable[[datetime], object] | None = None,
) -> TableRows:
    """Open a table at an account's endpoint (`https://ACCOUNT.table.core.windows.net`) with a managed identity.

    `client_id` names a user-assigned identity; None means the system-assigned one. `by_cli` uses the login of the Azure
    CLI instead, on a person's machine. `ca_bundle` is a PEM file; None means that of certifi. `timeout` is the total
    time of one call, in seconds. `compare` is that of `TableRows`. A missing table is created, by a person only if they
    may: reading rights are enough to look. Raises StoreUnavailable, and ValueError for an endpoint without TLS, which
    must not get a token.
    """
    if not endpoint.startswith("https://"):
        raise ValueError("STORE_TABLES_URL: must begin with https://")
    token = StorageToken(storage_credential(client_id=client_id, by_cli=by_cli, seconds=timeout, ca_bundle=ca_bundle))
    client = TableClient(endpoint, table, token, ca_bundle=ca_bundle, seconds=timeout)
    return _create_table(client, compare, may_be_refused=by_cli)


def open_tables_from_connection_string(
    connection_string: str,
    table: str,
    *,
    ca_bundle: str | None = None,
    timeout: float = DEADLINE_SECONDS,
    compare: Callable[[datetime], object] | None = None,
) -> TableRows:
    """Open a table as `open_tables` does, but with an account key, for Azurite.

    Raises ValueError if `connection_string` is not a connection string.
    """
    endpoint, key = read_connection_string(connection_string)
    return _create_table(TableClient(endpoint, table, key, ca_bundle=ca_bundle, seconds=timeout), compare)


def _create_table(
    client: TableClient, compare: Callable[[datetime], object] | None, *, may_be_refused: bool = False
) -> TableRows:
    """Create the table if it is missing, and return the rows. Closes the client if that fails.

    With `may_be_refused`, a 403 is ignored: what is read or written then is refused too, if the right is missing.
    """
    try:
        with _translated_read():
            try:
                client.create()
            except TableRefusal as refusal:
                is_there = refusal.code == "TableAlreadyExists"
                if not is_there and not (may_be_refused and refusal.status == FORBIDDEN):
                    raise
    except BaseException:
        client.close()
        raise
    return TableRows(client, compare)
