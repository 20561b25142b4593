"""Imitate the table service with scripted answers, for errors that Azurite never gives."""

from collections.abc import Callable, Iterator
from copy import replace
from dataclasses import dataclass, field

import pytest

from emulators.base.server import LOOPBACK, Request, Response, Server
from shared.store import table_client
from shared.store.table_storage_rows import TableRows, open_tables_from_connection_string
from shared.transport.retry import RetryPolicy

ETAG = "W/\"datetime'2026-03-01T12%3A00%3A00.1234567Z'\""
DATE = "Sun, 01 Mar 2026 12:05:00 GMT"


def error_answer(status: int, code: str, begin: str = "", **headers: str) -> Response:
    message = {"lang": "en-US", "value": f"{begin}the customer person@example.com\nRequestId:1"}
    return Response.of({"odata.error": {"code": code, "message": message}}, status, Date=DATE, **headers)


def entity_answer(**changed: object) -> Response:
    """Answer with one entity whose data is `base`; a member that is changed to None is left out."""
    whole = {
        "odata.metadata": "x",
        "odata.etag": ETAG,
        "PartitionKey": "O|1",
        "RowKey": "link",
        "Timestamp": "2026-03-01T12:00:00.1234567Z",
        "d0": "YmFzZQ==",
        "d0@odata.type": "Edm.Binary",
    }
    return Response.of({k: v for k, v in {**whole, **changed}.items() if v is not None}, Date=DATE)


def transaction_answer(*parts: str) -> Response:
    """Answer a transaction, with one part for each change."""
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    text = "".join(f"--changes\r\n{head}HTTP/1.1 {part}\r\n" for part in parts)
    body = f"--batch\r\nContent-Type: multipart/mixed; boundary=changes\r\n\r\n{text}--changes--\r\n--batch--\r\n"
    return Response(202, body.encode(), {"Content-Type": "multipart/mixed; boundary=batch", "Date": DATE})


def done_answer(count: int = 1) -> Response:
    """Answer a write of that many changes: a request, or a transaction."""
    return transaction_answer(*[done_part()] * count) if count > 1 else Response(204, headers={"ETag": ETAG})


def done_part(etag: str = ETAG) -> str:
    return f"204 No Content\r\nETag: {etag}\r\n\r\n"


def failed_part(status: int, code: str, index: int | None = None) -> str:
    answer = error_answer(status, code, "" if index is None else f"{index}:")
    return f"{status} Failed\r\nContent-Type: application/json\r\n\r\n{answer.body.decode()}"


Answer = Response | Callable[[Request], Response]


@dataclass
class ScriptedService:
    """Answers the creation of a table, then gives `answers` in turn and repeats the last one."""

    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        if request.path.endswith("/Tables"):
            return error_answer(409, "TableAlreadyExists")
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, Response) else answer(request)


@pytest.fixture
def service() -> ScriptedService:
    return ScriptedService()


@pytest.fixture
def connection_string(service: ScriptedService) -> Iterator[str]:
    with Server(service) as server:
        endpoint = f"http://{LOOPBACK}:{server.port}/devstoreaccount1"
        yield f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;TableEndpoint={endpoint}"


@pytest.fixture
def no_retry_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests be repeated without a pause, unless the service asks for one."""
    quick = RetryPolicy(table_client.RETRIES.tries, 0.0, 0.0, table_client.RETRIES.longest_retry_after)
    monkeypatch.setattr(table_client, "RETRIES", quick)


@pytest.fixture
def rows(connection_string: str, no_retry_pauses: None) -> Iterator[TableRows]:
    del no_retry_pauses
    with open_tables_from_connection_string(connection_string, "rows", timeout=5) as opened:
        yield opened


def without_date(response: Response) -> Response:
    return replace(response, headers={**response.headers, "Date": "soon"})
