"""The store's rows in Azure Table Storage (and in Azurite, which speaks the same protocol).

Every write is one entity-group transaction, a single change too: that way each answers conflicts alike (the plain
calls swallow a 404 on delete and hide the error code on insert). The SDK repeats reads and never a write: an insert
repeated after a lost reply would find its own row and look like a conflict.

The SDK is imported on first use: it costs more than 100 ms. See reference/azure.md sections 2 and 6.4.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from shared.foundation.errors import StoreConflict, StoreUnavailable
from shared.store.limits import after_prefix, check_changes, check_key, check_list, check_scan
from shared.store.rows import Change, Delete, Insert, Put, Replace, Row

if TYPE_CHECKING:
    from azure.core.credentials import AzureNamedKeyCredential, TokenCredential
    from azure.data.tables import TableClient, TableEntity
    from azure.identity import AzureCliCredential, ManagedIdentityCredential

MAX_PROPERTY_BYTES = 60 * 1024
"""Bytes in one binary property; the service's limit is 64 KiB."""

DEADLINE_SECONDS = 60.0
"""Seconds that one call may take, its repeats included (protocol.md section 3)."""

_RETRIES: Mapping[str, Any] = {"retry_total": 2, "retry_backoff_factor": 0.2, "retry_backoff_max": 2}
_PRECONDITION_FAILED = 412
_CONFLICT_CODES = frozenset({"EntityAlreadyExists", "EntityNotFound", "ResourceNotFound"})
# What the SDK's parsers raise, beyond its own errors, for an answer that is HTML, empty or truncated.
_UNREADABLE_ERRORS = (HTTPException, ValueError, LookupError, TypeError, AttributeError)


class TableRows:
    """The contract `shared.store.rows.Rows` on one table. Safe for many threads; `close` ends the connections.

    `credential` is what `client` signs in with, where it is to be closed too.
    """

    def __init__(
        self, client: "TableClient", credential: "AzureCliCredential | ManagedIdentityCredential | None" = None
    ) -> None:
        self._client = client
        self._credential = credential

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._client.close()
        if self._credential is not None:
            self._credential.close()

    def get(self, partition: str, key: str) -> Row | None:
        """See `Rows.get`."""
        check_key(partition)
        check_key(key)
        reply = _ReplyDate()
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

    def scan(self, partition_prefix: str, key: str) -> Iterator[Row]:
        """See `Rows.scan`; in the order of the partitions, read page by page."""
        check_scan(partition_prefix, key)
        where, values = "RowKey eq @key", {"key": key, "low": partition_prefix, "high": after_prefix(partition_prefix)}
        if partition_prefix:
            where += " and PartitionKey ge @low and PartitionKey lt @high"
        return self._query_rows(where, values, None)

    def write(self, partition: str, changes: Sequence[Change]) -> Sequence[str | None]:
        """See `Rows.write`."""
        check_changes(partition, changes)
        if not changes:
            return []
        operations = [_operation_for(partition, change) for change in changes]
        with _translate_write_errors():
            done = self._client.submit_transaction(operations, retry_total=0)
            return [None if isinstance(c, Delete) else d["etag"] for c, d in zip(changes, done, strict=True)]

    def _get_entity(self, partition: str, key: str, reply: "_ReplyDate") -> "TableEntity | None":
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 - see the module's docstring

        try:
            return self._client.get_entity(partition, key, raw_response_hook=reply)
        except ResourceNotFoundError as error:
            # A missing table is not a missing row: taken for one, every deal would be created once more.
            if _error_code(error) in _CONFLICT_CODES:
                return None
            raise

    def _query_rows(self, where: str, values: dict[str, Any], limit: int | None) -> Iterator[Row]:
        reply = _ReplyDate()
        top = None if limit is None else min(limit, 1000)
        with _translate_read_errors():
            found = self._client.query_entities(where, parameters=values, results_per_page=top, raw_response_hook=reply)
            pages = found.by_page()
        while (page := _next_page(pages, reply)) is not None:
            yield from page


class _ReplyDate:
    """Keeps the date of the last reply of one call: the store's clock, in whole seconds."""

    def __init__(self) -> None:
        self._date: str | None = None

    def __call__(self, response: Any) -> None:  # noqa: ANN401 - the SDK's hook, untyped
        self._date = response.http_response.headers.get("Date")

    def server_time(self) -> datetime:
        """The time. Raises ValueError where the reply had none."""
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


def _plain_datetime(moment: datetime) -> datetime:
    """The SDK's own kind of datetime, which remembers the text it came from, as an ordinary one."""
    return datetime.combine(moment.date(), moment.timetz())


def _operation_for(partition: str, change: Change) -> tuple[Any, ...]:
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
        raise StoreUnavailable(f"Table Storage did not answer a read: {_safe_description(error)}") from error


@contextmanager
def _translate_write_errors() -> Iterator[None]:
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - see the module's docstring

    try:
        yield
    except (AzureError, *_UNREADABLE_ERRORS) as error:
        if _is_conflict(error):
            raise StoreConflict(f"another instance changed the row first: {_safe_description(error)}") from error
        raise StoreUnavailable(
            f"Table Storage did not answer a write, its outcome is unknown: {_safe_description(error)}"
        ) from error


def _is_conflict(error: Exception) -> bool:
    """Only what speaks of an entity: a table that is missing or being deleted is no conflict."""
    return getattr(error, "status_code", None) == _PRECONDITION_FAILED or _error_code(error) in _CONFLICT_CODES


def _error_code(error: Exception) -> str | None:
    code = getattr(error, "error_code", None)
    return getattr(code, "value", code)


def _safe_description(error: Exception) -> str:
    """Type, status and code: a message from outside may quote keys or addresses."""
    words = (type(error).__name__, getattr(error, "status_code", None), _error_code(error))
    return " ".join(str(word) for word in words if word is not None)


# --- opening


def open_tables(
    endpoint: str,
    table: str,
    *,
    client_id: str | None,
    ca_bundle: str | None = None,
    timeout: float = DEADLINE_SECONDS,
    by_cli: bool = False,
) -> TableRows:
    """The table at an account's table endpoint (`https://ACCOUNT.table.core.windows.net`), as a managed identity.

    `client_id` names a user-assigned identity (None: the system-assigned one); `by_cli` takes the login of the Azure
    CLI instead, on a person's machine; `ca_bundle` is a PEM file (None: certifi's); `timeout` is the deadline of one
    call, in seconds. The table is made where it is missing. Raises StoreUnavailable.
    """
    from azure.identity import AzureCliCredential, ManagedIdentityCredential  # noqa: PLC0415 - see the module

    credential = (
        AzureCliCredential(process_timeout=max(1, int(timeout)))
        if by_cli
        else ManagedIdentityCredential(client_id=client_id, **_client_options(timeout, ca_bundle))
    )
    client = _table_client(endpoint, table, credential, _client_options(timeout, ca_bundle))
    return _create_table(TableRows(client, credential), client)


def open_tables_from_connection_string(
    connection_string: str, table: str, *, ca_bundle: str | None = None, timeout: float = DEADLINE_SECONDS
) -> TableRows:
    """As `open_tables`, with an account key: for Azurite. Raises ValueError for a string that is none."""
    from azure.data.tables import TableClient  # noqa: PLC0415 - see the module's docstring

    options = _client_options(timeout, ca_bundle)
    client = TableClient.from_connection_string(connection_string, table, **options, **_RETRIES)
    return _create_table(TableRows(client), client)


def _client_options(seconds: float, ca_bundle: str | None) -> dict[str, Any]:
    """Keyword arguments for an Azure client: its transport, the certificates it trusts, its deadline."""
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - see the module's docstring

    from shared.transport.session import open_session  # noqa: PLC0415 - as above

    # Plain for the managed-identity endpoint and for Azurite. The SDK takes what to trust from a transport of the
    # caller's, not from its session and not from the client that is given one.
    session = open_session(ca_bundle, seconds=seconds, plain=True)
    return {"transport": RequestsTransport(session=session, connection_verify=session.verify), "timeout": seconds}


def _table_client(
    endpoint: str, table: str, credential: "TokenCredential | AzureNamedKeyCredential", options: Mapping[str, Any]
) -> "TableClient":
    from azure.data.tables import TableClient  # noqa: PLC0415 - see the module's docstring

    return TableClient(endpoint, table, credential=credential, **options, **_RETRIES)


def _create_table(rows: TableRows, client: "TableClient") -> TableRows:
    """The same rows, their table made where it was missing; closed if that fails."""
    from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415 - see the module's docstring

    try:
        with _translate_read_errors(), suppress(ResourceExistsError):
            client.create_table(retry_total=0)
    except BaseException:
        rows.close()
        raise
    return rows
