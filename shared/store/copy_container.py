"""Keep copies of the store in a blob container: a few calls of the REST API, signed by an identity or an account key.

A blob is sent in blocks and appears with the last call, whole or not at all. It is read in pieces. Each call can be
repeated. Sources: https://learn.microsoft.com/rest/api/storageservices/put-block-list,
https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key.
"""

import hashlib
import hmac
import io
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import formatdate
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from shared.foundation.errors import ConfigurationError, NotFound, StoreUnavailable
from shared.transport.session import open_session

if TYPE_CHECKING:
    import requests
    from azure.core.credentials import TokenCredential

BLOCK_BYTES = 4 * 1024 * 1024
VERSION = "2021-12-02"
SCOPE = "https://storage.azure.com/.default"
CALL_SECONDS = 60.0
TRIES, PAUSE_SECONDS = 4, 1.0
_SERVER_ERROR, _TOO_MANY, _NOT_FOUND, _CONFLICT, _REFUSED, _RANGE = 500, 429, 404, 409, (400, 401, 403), 416
_SIGNED = ("Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
           "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range")  # fmt: skip


type Signer = Callable[[str, str, Mapping[str, str], Mapping[str, str]], str]
"""Returns the header Authorization of a request: of its method, address, query and other headers."""


class ContainerCopies:
    """The place `shared.store.copies.Copies` as a container at `url`."""

    def __init__(self, url: str, sign: Signer, *, ca_bundle: str | None = None, seconds: float = CALL_SECONDS) -> None:
        """`seconds` is the total time of one call."""
        self._url, self._sign = url.rstrip("/"), sign
        self._session = open_session(ca_bundle, seconds=seconds, allow_http=True)

    def names(self) -> Sequence[str]:
        """See `Copies.names`."""
        return sorted(self._pages())

    def write[T](self, name: str, fill: Callable[[IO[bytes]], T]) -> T:
        """See `Copies.write`."""
        out = _Blocks(lambda number, block: self._put_block(name, number, block))
        with io.BufferedWriter(out, BLOCK_BYTES) as buffered:
            result = fill(buffered)
        blocks = "".join(f"<Latest>{_block_id(number)}</Latest>" for number in range(out.count))
        self._call("PUT", name, {"comp": "blocklist"}, f"<BlockList>{blocks}</BlockList>".encode())
        return result

    def read(self, name: str, into: IO[bytes]) -> None:
        """See `Copies.read`."""
        start = 0
        while True:
            piece = self._call("GET", name, headers={"Range": f"bytes={start}-{start + BLOCK_BYTES - 1}"})
            if piece.status_code == _RANGE:
                return
            into.write(piece.content)
            start += len(piece.content)
            if len(piece.content) < BLOCK_BYTES:
                return

    def delete(self, name: str) -> None:
        """See `Copies.delete`."""
        try:
            self._call("DELETE", name)
        except NotFound:
            return

    def create(self) -> None:
        """Create the container if it is missing."""
        self._call("PUT", "", {"restype": "container"})

    def _pages(self) -> Iterator[str]:
        marker = ""
        while True:
            query = {"restype": "container", "comp": "list", **({"marker": marker} if marker else {})}
            text = self._call("GET", "", query).text  # our own names need no parser
            yield from re.findall(r"<Name>([^<]*)</Name>", text)
            found = re.search(r"<NextMarker>([^<]+)</NextMarker>", text)
            if found is None:
                return
            marker = found[1]

    def _put_block(self, name: str, number: int, block: bytes) -> None:
        self._call("PUT", name, {"comp": "block", "blockid": _block_id(number)}, block)

    def _call(
        self, method: str, name: str, query: Mapping[str, str] | None = None, body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> "requests.Response":  # fmt: skip
        """Make a call; repeat it after a failure that may pass. Raises the errors of `Copies`."""
        for last in (*[False] * (TRIES - 1), True):
            answer = self._try(method, f"{self._url}/{name}" if name else self._url, query or {}, body, headers or {})
            if isinstance(answer, str) or answer.status_code in (_TOO_MANY, *range(_SERVER_ERROR, _SERVER_ERROR + 100)):
                if last:
                    raise StoreUnavailable(f"the container of the copies does not answer: {_described(answer)}")
                time.sleep(PAUSE_SECONDS)
            else:
                return _checked(answer, self._url)
        raise AssertionError

    def _try(
        self, method: str, url: str, query: Mapping[str, str], body: bytes, headers: Mapping[str, str]
    ) -> "requests.Response | str":
        import requests  # noqa: PLC0415 - late: costs a cold start

        size = {"Content-Length": str(len(body))} if method == "PUT" else {}
        known = {"x-ms-version": VERSION, "x-ms-date": formatdate(usegmt=True), **size, **headers}
        known["Authorization"] = self._sign(method, url, query, known)
        try:
            return self._session.request(
                method, url, params=query, data=body if method == "PUT" else None, headers=known
            )
        except requests.RequestException as error:
            return type(error).__name__


def _described(answer: "requests.Response | str") -> str:
    return answer if isinstance(answer, str) else str(answer.status_code)


def _checked(answer: "requests.Response", url: str) -> "requests.Response":
    code = answer.headers.get("x-ms-error-code", "")
    if answer.status_code == _NOT_FOUND and code != "ContainerNotFound":
        raise NotFound(f"the container {url} has no such file")
    if answer.status_code == _NOT_FOUND or answer.status_code in _REFUSED:
        refusal = f"{answer.status_code} {code}".rstrip()
        raise ConfigurationError(f"BACKUP_CONTAINER: {url} refuses the call ({refusal}): see docs/reference/backup.md")
    if answer.status_code == _CONFLICT and code != "ContainerAlreadyExists":
        raise StoreUnavailable(f"the container of the copies is busy: {code}")
    return answer


class _Blocks(io.RawIOBase):
    """Sends each write as a block."""

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        super().__init__()
        self._send, self.count = send, 0

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:  # noqa: ANN401 - any bytes, also of a buffer
        content = bytes(block)
        self._send(self.count, content)
        self.count += 1
        return len(content)


def _block_id(number: int) -> str:
    return b64encode(f"{number:06}".encode()).decode()


# --- signing


def signer_of_identity(credential: "TokenCredential") -> Signer:
    """Sign with a token of a managed identity, or of the Azure CLI."""

    def sign(_method: str, _url: str, _query: Mapping[str, str], _headers: Mapping[str, str]) -> str:
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - late: costs a cold start

        try:
            return f"Bearer {credential.get_token(SCOPE).token}"
        except AzureError as error:
            raise StoreUnavailable(f"no token for the container of the copies: {type(error).__name__}") from error

    return sign


def signer_of_key(account: str, key: str) -> Signer:
    """Sign with an account key, for Azurite."""

    def sign(method: str, url: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
        signed = {**headers, "Content-Length": headers.get("Content-Length", "").removeprefix("0") or ""}
        own = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()) if name.startswith("x-ms-"))
        resource = f"/{account}{unquote(urlsplit(url).path)}"
        resource += "".join(f"\n{name}:{value}" for name, value in sorted(query.items()))
        text = "\n".join((method, *(signed.get(name, "") for name in _SIGNED), own + resource))
        digest = hmac.new(b64decode(key), text.encode(), hashlib.sha256).digest()
        return f"SharedKey {account}:{b64encode(digest).decode()}"

    return sign
