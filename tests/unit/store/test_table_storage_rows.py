import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulators.base.server import Request, Response
from shared.foundation.errors import StoreConflict, StoreUnavailable
from shared.store import table_storage_rows
from shared.store.limits import transaction_size
from shared.store.rows import Delete, Insert, Put, Replace, RowChange
from shared.store.table_storage_rows import TableRows, open_tables_from_connection_string
from tests.unit.store.conftest import (
    ETAG,
    ScriptedService,
    done_part,
    entity_answer,
    error_answer,
    failed_part,
    transaction_answer,
    without_date,
)
from tests.unit.transport.slow_server import SLACK

ROOT = Path(__file__).parents[3]
HTML = Response(200, b"<html>a proxy</html>", {"Content-Type": "text/html"})
CLOSED = Response(0, close=True)


def cut_answer(whole: Response) -> Response:
    return Response(whole.status, whole.body, whole.headers, cut=len(whole.body) // 2)


# --- reading


def test_an_age_is_the_date_of_the_reply_less_the_timestamp(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [entity_answer()]
    row = rows.get("O|1", "link")
    assert row is not None
    assert (row.data, row.etag) == (b"base", ETAG)
    assert row.changed == datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert row.age == timedelta(minutes=5) - timedelta(microseconds=123456)
    assert type(row.changed) is datetime


def test_the_date_of_each_reply_to_a_read_is_compared_with_our_clock(
    connection_string: str, service: ScriptedService
) -> None:
    compared: list[datetime] = []
    service.answers = [entity_answer(), error_answer(404, "ResourceNotFound")]
    with open_tables_from_connection_string(connection_string, "rows", compare=compared.append) as rows:
        rows.get("O|1", "link")
        rows.get("O|1", "link")
    assert compared == [datetime(2026, 3, 1, 12, 5, tzinfo=UTC)] * 2


def test_a_read_is_repeated_twice_at_most(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [error_answer(503, "ServerBusy"), CLOSED, entity_answer()]
    assert rows.get("O|1", "link") is not None
    assert len(service.requests) == 3
    service.requests.clear()
    service.answers = [error_answer(503, "ServerBusy")]
    with pytest.raises(StoreUnavailable):
        rows.get("O|1", "link")
    assert len(service.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        error_answer(500, "InternalError"),
        error_answer(429, "TooManyRequests"),
        error_answer(403, "AuthorizationFailure"),
        error_answer(400, "InvalidInput"),
        HTML,
        CLOSED,
        Response(200),
        Response(404, b"<html>gone</html>", {"Content-Type": "text/html"}),
        cut_answer(entity_answer()),
        entity_answer(Timestamp=None, **{"odata.etag": None}),
        entity_answer(Timestamp="yesterday"),
        without_date(entity_answer()),
        Response.of([1, 2]),
        Response.of(None),
    ],
)
def test_an_unreadable_answer_makes_the_store_unavailable(
    rows: TableRows, service: ScriptedService, answer: Response
) -> None:
    service.answers = [answer]
    with pytest.raises(StoreUnavailable) as caught:
        rows.get("O|1", "link")
    assert "example" not in str(caught.value)
    with pytest.raises(StoreUnavailable):
        rows.list("O|1")
    with pytest.raises(StoreUnavailable):
        list(rows.scan("O|", "link"))


def test_a_missing_table_is_not_a_missing_row(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [error_answer(404, "ResourceNotFound")]
    assert rows.get("O|1", "link") is None
    service.answers = [error_answer(404, "TableNotFound")]
    with pytest.raises(StoreUnavailable, match="TableNotFound"):
        rows.get("O|1", "link")


def test_a_list_whose_second_page_fails_raises_an_error(rows: TableRows, service: ScriptedService) -> None:
    whole = entity_answer().json()
    more = {"x-ms-continuation-NextPartitionKey": "a", "x-ms-continuation-NextRowKey": "b"}
    first = Response.of({"value": [whole]})
    first = Response(200, first.body, {**first.headers, **more})
    service.answers = [first, Response.of({"value": [whole]})]
    assert len(rows.list("O|1")) == 2
    service.answers = [first, error_answer(500, "InternalError")]
    with pytest.raises(StoreUnavailable):
        rows.list("O|1")


def test_a_quote_in_a_key_is_escaped_in_a_filter(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [Response.of({"value": []})]
    rows.list("it's", prefix="x' or RowKey ge '", until=datetime(2026, 3, 1, tzinfo=UTC))
    assert service.requests[0].query["$filter"] == (
        "PartitionKey eq 'it''s' and RowKey ge 'x'' or RowKey ge ''' and RowKey lt 'x'' or RowKey ge ('"
        " and at le datetime'2026-03-01T00:00:00.000000Z'"
    )


@pytest.mark.usefixtures("no_retry_pauses")
def test_a_call_to_a_silent_server_ends_at_its_deadline(connection_string: str, service: ScriptedService) -> None:
    release = threading.Event()

    def stuck(_: Request) -> Response:
        release.wait(SLACK)
        return entity_answer()

    service.answers = [stuck]
    with open_tables_from_connection_string(connection_string, "rows", timeout=0.3) as rows:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            rows.get("O|1", "link")
        assert time.monotonic() - began < SLACK
    release.set()
    assert len(service.requests) <= 1, "the deadline limits all repeats together, so no time is left for a second try"


# --- writing


def test_the_new_etags_are_returned_in_order(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [transaction_answer(done_part('W/"1"'), "204 No Content\r\n\r\n", done_part('W/"3"'))]
    changes: list[RowChange] = [Insert("a", b""), Delete("b", ETAG), Put("c", b"")]
    assert rows.write("O|1", changes) == ['W/"1"', None, 'W/"3"']


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "EntityAlreadyExists"),
        (412, "UpdateConditionNotSatisfied"),
        (412, "ConditionNotMet"),
        (404, "ResourceNotFound"),
        (404, "EntityNotFound"),
    ],
)
def test_a_refused_change_is_a_conflict(rows: TableRows, service: ScriptedService, status: int, code: str) -> None:
    service.answers = [transaction_answer(failed_part(status, code))]
    with pytest.raises(StoreConflict, match=code) as caught:
        rows.write("O|1", [Replace("link", b"", ETAG)])
    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        CLOSED,
        HTML,
        Response(202),
        Response(202, b"x", {"Content-Type": "multipart/mixed; boundary=batch"}),
        transaction_answer(),
        transaction_answer(done_part()),
        transaction_answer(done_part(), done_part(), done_part()),
        transaction_answer(done_part(), "204 No Content\r\n\r\n"),
        transaction_answer("nonsense\r\n\r\n", done_part()),
        cut_answer(transaction_answer(done_part(), done_part())),
        error_answer(503, "ServerBusy"),
        error_answer(500, "OperationTimedOut"),
        error_answer(429, "TooManyRequests"),
        Response(403, b"<html>", {"Content-Type": "text/html"}),
        transaction_answer(failed_part(409, "TableBeingDeleted")),
        transaction_answer(failed_part(404, "TableNotFound")),
        transaction_answer(failed_part(500, "InternalError")),
        Response(503, headers={"Retry-After": "0"}),
        Response(413),
    ],
)
def test_a_write_without_a_clear_answer_is_sent_once_and_has_an_unknown_outcome(
    rows: TableRows, service: ScriptedService, answer: Response
) -> None:
    service.answers = [answer]
    with pytest.raises(StoreUnavailable, match="outcome") as caught:
        rows.write("O|1", [Insert("a", b""), Put("b", b"")])
    assert "example" not in str(caught.value)
    assert len(service.requests) == 1, "a repeated insert would find its own row and report a conflict"


def test_a_write_that_the_service_refuses_has_a_known_outcome(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [error_answer(403, "AuthorizationFailure")]
    with pytest.raises(StoreUnavailable, match=r"refused a write: \w+ 403 AuthorizationFailure"):
        rows.write("O|1", [Insert("a", b"")])


@pytest.mark.parametrize("key", ["x", "%" * 200, "'" * 200])
def test_the_checked_size_is_never_smaller_than_the_request(
    rows: TableRows, service: ScriptedService, key: str
) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    changes: list[RowChange] = [
        Insert(key[:-1] + "1", bytes(700_000), at),
        Replace(key[:-1] + "2", bytes(61_441), ETAG, at),
        Put(key[:-1] + "3", b"x", at),
        Delete(key[:-1] + "4", ETAG),
    ]
    service.answers = [
        transaction_answer(done_part(), done_part(), done_part(), done_part()),
        transaction_answer(done_part()),
    ]
    rows.write(key, changes)
    rows.write(key, changes[3:])
    whole, least = (len(request.body) for request in service.requests)
    assert whole <= transaction_size(changes)
    assert least <= transaction_size(changes[3:])


# --- opening


def test_a_connection_string_that_lacks_a_part_is_refused_without_its_key() -> None:
    with pytest.raises(ValueError, match="missing required connection details") as caught:
        open_tables_from_connection_string("AccountKey=c2VjcmV0", "rows")
    assert "c2VjcmV0" not in str(caught.value)


def test_the_store_is_unavailable_if_its_table_cannot_be_created(
    service: ScriptedService, connection_string: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_storage_rows, "_RETRIES", {"retry_total": 0})
    monkeypatch.setattr(type(service), "__call__", lambda *_: error_answer(403, "AuthorizationFailure"))
    with pytest.raises(StoreUnavailable, match="AuthorizationFailure"):
        open_tables_from_connection_string(connection_string, "rows")


def test_importing_the_adapter_imports_no_azure_library() -> None:
    code = (
        "import sys, shared.store.table_storage_rows; "
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'azure', 'requests'}))"
    )
    process = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "[]"
