"""Turn a row into an entity of Table Storage, and an entity into a row.

The data of a row is in the binary properties `d0`, `d1` and so on, because a property holds 64 KiB at most. `at` is a
property of its own, so that the service can compare it. Earlier builds read and write the same entities.
"""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.store.rows import Insert, Put, Replace, Row

MAX_PROPERTY_BYTES = 60 * 1024
"""The bytes that we put into one binary property; the service accepts 64 KiB."""

_encode = msgspec.json.Encoder().encode
_decode_entity = msgspec.json.Decoder(dict[str, Any]).decode


class _Page(msgspec.Struct):
    """The answer to a query."""

    value: list[dict[str, Any]]


_decode_page = msgspec.json.Decoder(_Page).decode


def entity_of(partition: str, change: Insert | Replace | Put) -> bytes:
    """Return the entity of a row as JSON."""
    entity = {"PartitionKey": partition, "RowKey": change.key}
    for index, start in enumerate(range(0, len(change.data), MAX_PROPERTY_BYTES)):
        entity[f"d{index}"] = b64encode(change.data[start : start + MAX_PROPERTY_BYTES]).decode()
        entity[f"d{index}@odata.type"] = "Edm.Binary"
    if change.at is not None:
        entity["at"] = time_text(change.at)
        entity["at@odata.type"] = "Edm.DateTime"
    return _encode(entity)


def time_text(time: datetime) -> str:
    """Return a time as the service reads it, in UTC and with microseconds."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def row_of(body: bytes, read: datetime) -> Row:
    """Return the row of one entity as JSON. `read` is the time of the answer. Raises ValueError or LookupError."""
    return _row_from(_decode_entity(body), read)


def rows_of(body: bytes, read: datetime) -> list[Row]:
    """Return the rows of one page of a query. Raises as `row_of` does."""
    return [_row_from(entity, read) for entity in _decode_page(body).value]


def _row_from(entity: dict[str, Any], read: datetime) -> Row:
    pieces: list[bytes] = []
    while (piece := entity.get(f"d{len(pieces)}")) is not None:
        pieces.append(b64decode(piece, validate=True))
    etag, at = entity["odata.etag"], entity.get("at")
    if not isinstance(etag, str):
        raise ValueError("the entity has no ETag")  # noqa: TRY004 - the answer is wrong, not our code
    changed = datetime.fromisoformat(entity["Timestamp"])
    due = None if at is None else datetime.fromisoformat(at)
    return Row(entity["PartitionKey"], entity["RowKey"], b"".join(pieces), etag, changed, read, due)
