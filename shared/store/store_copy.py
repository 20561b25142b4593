"""Write a copy of all rows of the store, and read it again: gzipped lines of JSON, which any build's rows survive.

    {"format": 1, "kind": "cosell store", "organization": …, "began": …, "build": …, "rows": 2}
    [partition, key, data as base64, time or null]      one line for each row
    {"count": …, "sha256": …}                            of all lines before this one

A copy is no snapshot: rows change while they are read. So the order of reading makes every mixture safe
(docs/protocol.md#copies-of-the-store).
"""

import binascii
import gzip
import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

from msgspec import Struct

from shared.foundation.errors import ConfigurationError
from shared.store.limits import after_prefix
from shared.store.own_write_rows import OWN_WRITES
from shared.store.row_codec import ROWS, unpack
from shared.store.rows import Row, Rows

FORMAT, KIND = 1, "cosell store"
FIRST_PREFIXES = ("cursor", "due|", "R|")
"""What is read first, in this order: a cursor, entry or pointer must never be newer than the links that follow."""
NOT_COPIED = (OWN_WRITES,)
"""Rows that say nothing of the links of a copy: any build that imports them would trust them."""
MAX_LINE_BYTES = 8 * 1024 * 1024


class CopiedRow(Struct, frozen=True):
    """One row of a copy."""

    partition: str
    key: str
    data: bytes
    at: datetime | None


class CopyFacts(Struct, frozen=True):
    """What a copy says of itself: whose store it is of, when its reading began, its number of rows and their hash."""

    organization: str | None
    began: datetime
    build: str
    count: int
    sha256: str


def write_copy(rows: Rows, out: IO[bytes], *, began: datetime, build: str) -> CopyFacts:
    """Write a copy of all rows but those in `NOT_COPIED`, in constant memory; nothing is valid before its last line.

    Raises StoreUnavailable, and what `out` raises.
    """
    organization = _organization(rows)
    head = {"format": FORMAT, "kind": KIND, "organization": organization, "began": began.isoformat(), "build": build}
    digest, count = hashlib.sha256(), 0
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
        packed.write(_hashed(digest, {**head, "rows": ROWS}))
        for row in (row for row in rows_in_order(rows) if row.partition not in NOT_COPIED):
            at = row.at.isoformat() if row.at else None
            packed.write(_hashed(digest, [row.partition, row.key, b64encode(row.data).decode(), at]))
            count += 1
        packed.write(_line({"count": count, "sha256": digest.hexdigest()}))
    return CopyFacts(organization, began, build, count, digest.hexdigest())


def rows_in_order(rows: Rows) -> Iterator[Row]:
    """All rows of the store: those of `FIRST_PREFIXES` first, then all others."""
    for prefix in FIRST_PREFIXES:
        yield from rows.walk(prefix, after_prefix(prefix))
    begin = ""
    for prefix in sorted(FIRST_PREFIXES):
        yield from rows.walk(begin, prefix)
        begin = after_prefix(prefix)
    yield from rows.walk(begin, after_prefix(""))


def _organization(rows: Rows) -> str | None:
    row = rows.get("owner", "salesforce")
    return str(unpack(row.data)) if row else None


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _hashed(digest: Any, value: object) -> bytes:  # noqa: ANN401 - hashlib has no public type for it
    line = _line(value)
    digest.update(line)
    return line


# --- reading


def check_copy(source: IO[bytes]) -> CopyFacts:
    """Read a whole copy without keeping it. Raises ConfigurationError if it is no whole copy that this build reads."""
    reader = CopyReader(source)
    for _ in reader:
        pass
    return reader.facts


class CopyReader:
    """Iterates over the rows of a copy; `facts` are known after the last one.

    Raises ConfigurationError for what is damaged, ends too early, or is of a later format.
    """

    def __init__(self, source: IO[bytes]) -> None:
        """`source` is read from its present position."""
        self._packed = gzip.GzipFile(fileobj=source, mode="rb")
        self._facts: CopyFacts | None = None

    @property
    def facts(self) -> CopyFacts:
        """What the copy says of itself."""
        if self._facts is None:
            raise _damaged("its last line is missing")
        return self._facts

    def __iter__(self) -> Iterator[CopiedRow]:
        """Read the rows."""
        try:
            yield from self._rows()
        except (EOFError, OSError, zlib.error) as error:
            raise _damaged("it is no gzip file, or ends too early") from error
        except (ValueError, TypeError, LookupError, binascii.Error) as error:
            raise _damaged("a line cannot be read") from error

    def _rows(self) -> Iterator[CopiedRow]:
        digest, count, head = hashlib.sha256(), 0, self._line()
        _check_head(json.loads(head))
        digest.update(head)
        while isinstance(value := json.loads(line := self._line()), list):
            digest.update(line)
            count += 1
            partition, key, data, at = value
            time = datetime.fromisoformat(at) if at else None
            yield CopiedRow(str(partition), str(key), b64decode(data, validate=True), time)
        if (value["count"], value["sha256"]) != (count, digest.hexdigest()) or self._packed.read(1):
            raise _damaged("its rows do not match its last line")
        self._facts = _facts(json.loads(head), count, digest.hexdigest())

    def _line(self) -> bytes:
        line = self._packed.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise _damaged("a line ends too early")
        return line


def _check_head(head: Any) -> None:  # noqa: ANN401 - JSON of any shape
    if not isinstance(head, dict) or head.get("kind") != KIND:
        raise _damaged("it is no copy of the store")
    if head["format"] > FORMAT or head["rows"] > ROWS:
        raise ConfigurationError(f"the copy is of the later version {head['build']}: use that version, or a newer one")


def _facts(head: Any, count: int, sha256: str) -> CopyFacts:  # noqa: ANN401 - as above
    return CopyFacts(head["organization"], datetime.fromisoformat(head["began"]), str(head["build"]), count, sha256)


def _damaged(problem: str) -> ConfigurationError:
    return ConfigurationError(f"the copy cannot be used: {problem}. Nothing of it is imported: use another copy")
