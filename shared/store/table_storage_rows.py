"""Keep the store's rows in Azure Table Storage, or in Azurite, which has the same protocol.

Every write is one transaction, even a single change. So conflicts are always answered in the same way: the SDK's plain
delete ignores a 404, and its plain insert hides the error code. The SDK repeats reads, but never a write. An insert
that is repeated after a lost reply would find its own row, and that would look like a conflict. Sources:
docs/reference/azure.md#behaviour-of-table-storage, docs/reference/azure.md#identity-and-roles.

The SDK is imported at its first use, because the import takes about 96 ms (docs/reference/azure.md#cold-start).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from shared.foundation.errors import StoreConflict, StoreUnavailable
from shared.store.azure_sign_in import client_options, storage_credential
from shared.store.limits import after_prefix, check_changes, check_key, check_list, check_scan
from shared.store.rows import Delete, Insert, Put, Replace, Row, RowChange

if TYPE_CHECKING:
    from azure.core.credentials import AzureNamedKeyCredential, TokenCredential
    from azure.data.tables import TableClient, TableEntity
    from azure.identity import AzureCliCredential, ManagedIdentityCredential

MAX_PROPERTY_BYTES = 60 * 1024
"""The bytes that we put into one binary property; the service accepts 64 KiB."""

DEADLINE_SECONDS = 60.0
"""The total time of one call, repeats included (docs/protocol.md#time-and-deadlines)."""

_RETRIES: Mapping[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.2, "retry_backoff_max": 2}
_FORBIDDEN, _PRECONDITION_FAILED = 403, 412
_REFUSED = "refused"
_CONFLICT_CODES = frozenset({"EntityAlreadyExists", "EntityNotFound", "ResourceNotFound"})
# Besides its own errors, the SDK raises these for an answer that is HTML, empty or truncated.
_UNREADABLE_ERRORS = (HTTPException, ValueError, LookupError, TypeError, AttributeError)


class TableRows:
    """The contract `shared.store.rows.Rows` on one table. Safe for many threads.

    `close` also closes `credential`, which `client` signs in with, if it is given. `compare` gets the time of each
    reply to a read, by the store's clock.
    """

    def __init__(
        self,
        client: "TableClient",
        credential: "AzureCliCredential | ManagedIdentityCredential | None" = None,
        compare: Callable[[datetime], object] | None = None,
    ) -> None:
        self._client = client
        self._credential = credential
        self._compare = compare

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        if self._credential is not None:
            self._credential.close()

    def get(self, partition: str, key: str) -> Row | None:
        """See `Rows.get`."""
        check_key(partition)
        check_key(key)
        reply = _ReplyDate(self._compare)
        with _translate_read_errors():
            entity = self._get_entity(partition, key, reply)
            return None if entity is None else _row_from(entity, reply.server_time())

    def list(
        self, partition: str, *, prefix: str = "", until: datetime | None = None, limit: int | None = None
    ) -> Sequence[Row]:
        """See `Rows.list`."""
        check_list(partition, prefix, until, limit)
        if limit == 0:
            return []
        where, values = "PartitionKey eq @partition", {"partition": partition, "low": prefix, "due": until}
        if prefix:
            where += " and RowKey ge @low and RowKey lt @high"
            values["high"] = after_prefix(prefix)
        if until is not None:
            where += " and at le @due"
        return [*islice(self._query_rows(where, values, limit), limit)]

    def scan(self, partition_prefix: str, key: str, *, after: str = "") -> Iterator[Row]:
        """See `Rows.scan`. Rows come in the order of their partitions and are read page by page."""
        check_scan(partition_prefix, key, after)
        where, values = "RowKey eq @key", {"key": key, "low": partition_prefix, "high": after_prefix(partition_prefix)}
        if after:
            where, values = f"{where} and PartitionKey gt @after", {**values, "after": after}
        if partition_prefix:
            where += " and PartitionKey ge @low and PartitionKey lt @high"
        return self._query_rows(where, values, None)

    def walk(self, first: str, end: str) -> Iterator[Row]:
        """See `Rows.walk`. Rows are read page by page."""
        where = "PartitionKey ge @low and PartitionKey lt @high"
        return self._query_rows(where, {"low": first, "high": end}, None)

    def write(self, partition: str, changes: Sequence[RowChange]) -> Sequence[str | None]:
        """See `Rows.write`."""
        check_changes(partition, changes)
        if not changes:
            return []
        operations = [_operation_for(partition, change) for change in changes]
        with _translate_write_errors():
            results = self._client.submit_transaction(operations, retry_total=0)
            return [
                None if isinstance(change, Delete) else result["etag"]
                for change, result in zip(changes, results, strict=True)
            ]

    def _get_entity(self, partition: str, key: str, reply: "_ReplyDate") -> "TableEntity | None":
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 - see the module's docstring

        try:
            return self._client.get_entity(partition, key, raw_response_hook=reply)
        except ResourceNotFoundError as error:
            # A missing table is not a missing row. If it counted as one, every deal would be created again.
            if _error_code(error) in _CONFLICT_CODES:
                return None
            raise

    def _query_rows(self, where: str, values: dict[str, Any], limit: int | None) -> Iterator[Row]:
        reply = _ReplyDate(self._compare)
        top = None if limit is None else min(limit, 1000)
        with _translate_read_errors():
            entities = self._client.query_entities(
                where, parameters=values, results_per_page=top, raw_response_hook=reply
            )
            pages = entities.by_page()
        while (page := _next_page(pages, reply)) is not None:
            yield from page


class _ReplyDate:
    """Keeps the `Date` of the last reply of a call, and lets it be compared with ours. It has whole seconds."""

    def __init__(self, compare: Callable[[datetime], object] | None) -> None:
        self._compare, self._date = compare, None

    def __call__(self, response: Any) -> None:  # noqa: ANN401 - the SDK's hook, untyped
        self._date = response.http_response.headers.get("Date")
        if self._date is not None and self._compare is not None:
            self._compare(parsedate_to_datetime(self._date))

    def server_time(self) -> datetime:
        """Return the time of the reply. Raises ValueError if the reply had no date."""
        if self._date is None:
            raise ValueError("the reply has no date")
        return parsedate_to_datetime(self._date)


def _next_page(pages: Iterator[Any], reply: _ReplyDate) -> Sequence[Row] | None:
    with _translate_read_errors():
        page = next(pages, None)
        return None if page is None else [_row_from(entity, reply.server_time()) for entity in page]


# --- entities


def _entity_for(partition: str, change: Insert | Replace | Put) -> dict[str, Any]:
    entity: dict[str, Any] = {"PartitionKey": partition, "RowKey": change.key}
    for index, start in enumerate(range(0, len(change.data), MAX_PROPERTY_BYTES)):
        entity[f"d{index}"] = change.data[start : start + MAX_PROPERTY_BYTES]
    if change.at is not None:
        entity["at"] = change.at
    return entity


def _row_from(entity: "TableEntity", read: datetime) -> Row:
    pieces: list[bytes] = []
    while (piece := entity.get(f"d{len(pieces)}")) is not None:
        pieces.append(piece)
    etag, changed = entity.metadata["etag"], entity.metadata["timestamp"]
    if etag is None or changed is None:
        raise ValueError("the entity has no ETag or no timestamp")
    at = entity.get("at")
    data = b"".join(pieces)
    return Row(
        entity["PartitionKey"], entity["RowKey"], data, etag, _plain_datetime(changed), read, at and _plain_datetime(at)
    )


def _plain_datetime(time: datetime) -> datetime:
    """Turn the SDK's own type of datetime, which also keeps the text that it came from, into a plain datetime."""
    return datetime.combine(time.date(), time.timetz())


def _operation_for(partition: str, change: RowChange) -> tuple[Any, ...]:
    from azure.core import MatchConditions  # noqa: PLC0415 - see the module's docstring

    guard = {"match_condition": MatchConditions.IfNotModified}
    match change:
        case Insert():
            return "create", _entity_for(partition, change)
        case Put():
            return "upsert", _entity_for(partition, change), {"mode": "replace"}
        case Replace():
            return "update", _entity_for(partition, change), {"mode": "replace", "etag": change.etag, **guard}
        case Delete():
            return "delete", {"PartitionKey": partition, "RowKey": change.key}, {"etag": change.etag, **guard}


# --- errors


@contextmanager
def _translate_read_errors() -> Iterator[None]:
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - see the module's docstring

    try:
        yield
    except (AzureError, *_UNREADABLE_ERRORS) as error:
        raise StoreUnavailable(f"Table Storage {_verb(error)} a read: {_safe_description(error)}") from error


@contextmanager
def _translate_write_errors() -> Iterator[None]:
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - see the module's docstring

    try:
        yield
    except (AzureError, *_UNREADABLE_ERRORS) as error:
        if _is_conflict(error):
            raise StoreConflict(f"another instance changed the row first: {_safe_description(error)}") from error
        outcome = "" if _verb(error) == _REFUSED else ", and its outcome is unknown"
        raise StoreUnavailable(f"Table Storage {_verb(error)} a write{outcome}: {_safe_description(error)}") from error


def _verb(error: Exception) -> str:
    is_refused = getattr(error, "status_code", None) == _FORBIDDEN and _error_code(error)  # else a page of a gateway
    return _REFUSED if is_refused else "did not answer"


def _is_conflict(error: Exception) -> bool:
    """Whether an entity caused the error. A table that is missing or being deleted is not a conflict."""
    return getattr(error, "status_code", None) == _PRECONDITION_FAILED or _error_code(error) in _CONFLICT_CODES


def _error_code(error: Exception) -> str | None:
    code = getattr(error, "error_code", None)
    return getattr(code, "value", code)


def _safe_description(error: Exception) -> str:
    """Return type, status and code of an error, but not its message, which may quote keys or addresses."""
    details = (type(error).__name__, getattr(error, "status_code", None), _error_code(error))
    return " ".join(str(detail) for detail in details if detail is not None)


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
    may: reading rights are enough to look. Raises StoreUnavailable.
    """
    options = client_options(timeout, ca_bundle)
    credential = storage_credential(client_id=client_id, by_cli=by_cli, seconds=timeout, ca_bundle=ca_bundle)
    client = _table_client(endpoint, table, credential, options)
    return _create_table(TableRows(client, credential, compare), client, may_be_refused=by_cli)


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
    from azure.data.tables import TableClient  # noqa: PLC0415 - see the module's docstring

    options = client_options(timeout, ca_bundle)
    client = TableClient.from_connection_string(connection_string, table, **options, **_RETRIES)
    return _create_table(TableRows(client, compare=compare), client)


def _table_client(
    endpoint: str, table: str, credential: "TokenCredential | AzureNamedKeyCredential", options: Mapping[str, Any]
) -> "TableClient":
    from azure.data.tables import TableClient  # noqa: PLC0415 - see the module's docstring

    return TableClient(endpoint, table, credential=credential, **options, **_RETRIES)


def _create_table(rows: TableRows, client: "TableClient", *, may_be_refused: bool = False) -> TableRows:
    """Create the table if it is missing, and return the rows. Closes them if that fails.

    With `may_be_refused`, a 403 is ignored: what is read or written then is refused too, if the right is missing.
    """
    from azure.core.exceptions import HttpResponseError, ResourceExistsError  # noqa: PLC0415 - see the docstring above

    try:
        with _translate_read_errors(), suppress(ResourceExistsError):
            try:
                client.create_table(retry_total=0)
            except HttpResponseError as error:
                if not (may_be_refused and error.status_code == _FORBIDDEN):
                    raise
    except BaseException:
        rows.close()
        raise
    return rows
