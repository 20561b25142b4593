"""Write the request of a transaction, and read its answer: requests within a request, as `multipart/mixed`.

Source: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from shared.store.table_errors import TableRefusal
from shared.transport.exchange import Answer

# A boundary stands at the beginning of a line. No key, ETag or JSON text of ours has a line break.
_BATCH, _CHANGES = "batch_cosell", "changeset_cosell"
CONTENT_TYPE = f"multipart/mixed; boundary={_BATCH}"
_PART = f"--{_CHANGES}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
_BEGIN = f"--{_BATCH}\r\nContent-Type: multipart/mixed; boundary={_CHANGES}\r\n\r\n"
_END = f"--{_CHANGES}--\r\n--{_BATCH}--\r\n"
_BOUNDARY = re.compile(r'multipart/mixed;\s*boundary="?([^\s";]+)"?')
_STATUS_LINE = re.compile(rb"\r\nHTTP/1\.[01] (?=\d{3}\b)")
_ETAG = re.compile(rb"^ETag:[ \t]*(\S+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_ACCEPTED, _SUCCESS = 202, range(200, 300)


class TableWrite(Struct, frozen=True):
    """One change as a request: method, path, headers of its own and entity."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


def batch_body(origin: str, headers: Mapping[str, str], writes: Iterable[TableWrite]) -> bytes:
    """Return the body of the request; each part has these headers and its own."""
    parts = [_BEGIN.encode()]
    for write in writes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **write.headers}.items())
        parts += (
            f"{_PART}{write.method} {origin}{write.path} HTTP/1.1\r\n{lines}\r\n".encode(),
            write.body or b"",
            b"\r\n",
        )
    return b"".join([*parts, _END.encode()])


def etags_of_batch(answer: Answer, count: int) -> Sequence[str | None]:
    """Return the new ETag of each change, None for one that gets none.

    Raises TableRefusal if a change was refused, with its index. Raises ValueError if the answer is not whole.
    """
    found = _BOUNDARY.match(answer.headers.get("content-type", ""))
    if answer.status != _ACCEPTED or found is None or not answer.body.rstrip().endswith(f"--{found[1]}--".encode()):
        raise ValueError("the answer to a transaction is not whole")
    parts = _STATUS_LINE.split(answer.body)[1:]
    for part in parts:
        if int(part[:3]) not in _SUCCESS:
            raise TableRefusal(_answer_in(part))
    if len(parts) != count:
        raise ValueError("the answer to a transaction has another number of parts")
    return [_etag_in(part) for part in parts]


def _answer_in(part: bytes) -> Answer:
    head, _, rest = part.partition(b"\r\n\r\n")
    lines = (line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:])
    body = rest.partition(b"\r\n--")[0]
    return Answer(int(part[:3]), {name.strip().lower(): value.strip() for name, _, value in lines}, body)


def _etag_in(part: bytes) -> str | None:
    found = _ETAG.search(part.partition(b"\r\n\r\n")[0])
    return found[1].decode() if found else None
