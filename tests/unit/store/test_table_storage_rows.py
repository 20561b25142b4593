import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emulators.base.server import Request, Response
from shared.foundation.errors import StoreConflict, StoreUnavailable
from shared.store import table_client
from shared.store.limits import transaction_size
from shared.store.rows import Delete, Insert, Put, Replace, RowChange
from shared.store.table_errors import TableRefusal
from shared.store.table_storage_rows import TableRows, open_tables_from_connection_string
from tests.unit.store.conftest import (
    DATE,
    ETAG,
    ScriptedService,
    done_answer,
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


def page(rows: int, **mark: str) -> Response:
    """A page of equal rows, with the mark of the next page."""
    answer = Response.of({"value": [entity_answer().json()] * rows}, Date=DATE)
    more = {f"x-ms-continuation-{name}": value for name, value in mark.items()}
    return Response(200, answer.body, {**answer.headers, **more})


def test_a_list_whose_second_page_fails_raises_an_error(rows: TableRows, service: ScriptedService) -> None:
    first = page(1, NextPartitionKey="a", NextRowKey="b")
    service.answers = [first, page(1)]
    assert len(rows.list("O|1")) == 2
    service.answers = [first, error_answer(500, "InternalError")]
    with pytest.raises(StoreUnavailable):
        rows.list("O|1")


def test_a_list_goes_on_after_an_empty_page_with_the_mark_as_it_came(rows: TableRows, service: ScriptedService) -> None:
    mark = "1!8!T3wxJg--&=+ 1"
    service.answers = [page(0, NextPartitionKey=mark), page(1, NextPartitionKey="c", NextRowKey="d"), page(1)]
    assert len(rows.list("O|1")) == 2
    asked = [
        {name: value for name, value in request.query.items() if name.startswith("Next")}
        for request in service.requests
    ]
    assert asked == [{}, {"NextPartitionKey": mark}, {"NextPartitionKey": "c", "NextRowKey": "d"}]


def test_a_list_that_does_not_go_on_ends_with_an_error(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [page(1, NextPartitionKey="a")]
    with pytest.raises(StoreUnavailable):
        rows.list("O|1")
    assert len(service.requests) == 2


def test_a_limit_ends_a_list_although_there_is_another_page(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [page(2, NextPartitionKey="a"), page(2, NextPartitionKey="b")]
    assert len(rows.list("O|1", limit=3)) == 3
    assert [request.query["$top"] for request in service.requests] == ["3", "3"]


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


def test_one_change_is_one_request(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [done_answer()]
    changes = Insert("a|1", b"x"), Put("it's", b""), Replace("b", b"", ETAG), Delete("b", ETAG)
    assert [rows.write("O|1", [change])[0] for change in changes] == [ETAG, ETAG, ETAG, None]
    sent = [(one.method, one.path, one.headers.get("if-match")) for one in service.requests]
    table = "/devstoreaccount1/rows"
    assert sent == [
        ("POST", table, None),
        ("PUT", f"{table}(PartitionKey='O|1',RowKey='it''s')", None),
        ("PUT", f"{table}(PartitionKey='O|1',RowKey='b')", ETAG),
        ("DELETE", f"{table}(PartitionKey='O|1',RowKey='b')", ETAG),
    ]


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
    changes: list[RowChange] = [Replace("link", b"", ETAG), Put("a|1", b"")]
    one, together = error_answer(status, code), transaction_answer(failed_part(status, code, 1))
    for answer, count, index in ((one, 1, None), (together, 2, 1)):
        service.answers = [answer]
        with pytest.raises(StoreConflict, match=f"{status} {code}") as caught:
            rows.write("O|1", changes[:count])
        assert "example" not in str(caught.value)
        assert isinstance(caught.value.__cause__, TableRefusal)
        assert caught.value.__cause__.index == index


UNCLEAR = [
    CLOSED,
    HTML,
    Response(202),
    error_answer(503, "InternalError"),
    error_answer(500, "OperationTimedOut"),
    Response(403, b"<html>", {"Content-Type": "text/html"}),
    error_answer(507, "InsufficientStorage"),
    error_answer(400, "InvalidInput"),
    error_answer(409, "TableBeingDeleted"),
    error_answer(404, "TableNotFound"),
    Response(412, b"<html>a gateway</html>"),
    Response(503, headers={"Retry-After": "0"}),
    Response(413),
]


@pytest.mark.parametrize(
    "answer",
    [
        *UNCLEAR,
        Response(202, b"x", {"Content-Type": "multipart/mixed; boundary=batch"}),
        transaction_answer(),
        transaction_answer(done_part()),
        transaction_answer(done_part(), done_part(), done_part()),
        transaction_answer(done_part(), "204 No Content\r\n\r\n"),
        transaction_answer("nonsense\r\n\r\n", done_part()),
        cut_answer(transaction_answer(done_part(), done_part())),
        transaction_answer(failed_part(409, "TableBeingDeleted")),
        transaction_answer(failed_part(404, "TableNotFound")),
        transaction_answer(failed_part(500, "InternalError")),
    ],
)
def test_a_transaction_without_a_clear_answer_is_sent_once_and_has_an_unknown_outcome(
    rows: TableRows, service: ScriptedService, answer: Response
) -> None:
    service.answers = [answer]
    with pytest.raises(StoreUnavailable, match="outcome") as caught:
        rows.write("O|1", [Insert("a", b""), Put("b", b"")])
    assert "example" not in str(caught.value)
    assert len(service.requests) == 1, "a repeated insert would find its own row and report a conflict"


@pytest.mark.parametrize("answer", [*UNCLEAR, cut_answer(error_answer(409, "EntityAlreadyExists"))])
@pytest.mark.parametrize("change", [Insert("a", b""), Replace("a", b"", ETAG), Put("a", b""), Delete("a", ETAG)])
def test_a_change_without_a_clear_answer_is_sent_once_and_has_an_unknown_outcome(
    rows: TableRows, service: ScriptedService, answer: Response, change: RowChange
) -> None:
    service.answers = [answer]
    with pytest.raises(StoreUnavailable, match="outcome"):
        rows.write("O|1", [change])
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [error_answer(403, "AuthorizationFailure"), transaction_answer(failed_part(403, "AuthorizationFailure"))],
)
def test_a_write_that_the_service_refuses_has_a_known_outcome(
    rows: TableRows, service: ScriptedService, answer: Response
) -> None:
    service.answers = [answer]
    with pytest.raises(StoreUnavailable, match=r"refused a write: 403 AuthorizationFailure$"):
        rows.write("O|1", [Insert("a", b""), Insert("b", b"")])


def test_a_new_row_without_an_etag_has_an_unknown_outcome(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [Response(204)]
    with pytest.raises(StoreUnavailable, match="outcome"):
        rows.write("O|1", [Put("a", b"")])


def busy(*, together: bool, status: int = 503, **headers: str) -> Response:
    code = "ServerBusy" if status == 503 else "TooManyRequests"
    return transaction_answer(failed_part(status, code)) if together else error_answer(status, code, **headers)


@pytest.mark.parametrize("status", [503, 429])
@pytest.mark.parametrize("count", [1, 2])
def test_a_write_that_the_service_has_not_begun_is_repeated(
    rows: TableRows, service: ScriptedService, count: int, status: int
) -> None:
    changes: list[RowChange] = [Insert("a", b""), Put("b", b"")]
    service.answers = [busy(together=count > 1, status=status), busy(together=False), done_answer(count)]
    assert rows.write("O|1", changes[:count]) == [ETAG] * count
    assert len({request.body for request in service.requests}) == 1
    service.requests.clear()
    service.answers = [busy(together=False, status=status)]
    with pytest.raises(StoreUnavailable, match=str(status)):
        rows.write("O|1", changes[:count])
    assert len(service.requests) == 3


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (Insert("a", b""), 409, "EntityAlreadyExists"),
        (Replace("a", b"", ETAG), 412, "UpdateConditionNotSatisfied"),
        (Delete("a", ETAG), 404, "ResourceNotFound"),
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_conflict_of_a_repeated_write_may_be_its_own_and_leaves_the_outcome_unknown(
    rows: TableRows, service: ScriptedService, count: int, change: RowChange, status: int, code: str
) -> None:
    conflict = error_answer(status, code) if count == 1 else transaction_answer(failed_part(status, code, 0))
    service.answers = [busy(together=False), conflict]
    with pytest.raises(StoreUnavailable, match="outcome is unknown: .*" + code):
        rows.write("O|1", [change, Put("b", b"")][:count])


def test_a_read_after_a_busy_answer_finds_no_row(rows: TableRows, service: ScriptedService) -> None:
    service.answers = [busy(together=False), error_answer(404, "ResourceNotFound")]
    assert rows.get("O|1", "link") is None


def test_the_service_says_how_long_to_wait(
    rows: TableRows, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(table_client, "pause", waits.append)
    service.answers = [busy(together=False, Retry_After="4"), busy(together=False, Retry_After="soon"), done_answer()]
    rows.write("O|1", [Put("a", b"")])
    assert waits == [4.0, 0.0]
    service.requests.clear()
    service.answers = [busy(together=False, Retry_After="11")]
    with pytest.raises(StoreUnavailable):
        rows.write("O|1", [Put("a", b"")])
    assert len(service.requests) == 1, "a run must not wait that long within a call"


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
        done_answer(),
    ]
    rows.write(key, changes)
    rows.write(key, changes[3:])
    whole, least = (len(request.body) for request in service.requests)
    assert whole <= transaction_size(changes)
    assert least <= transaction_size(changes[3:])


# --- opening


def test_a_connection_string_that_lacks_a_part_is_refused_without_its_key() -> None:
    with pytest.raises(ValueError, match="must contain AccountName, AccountKey") as caught:
        open_tables_from_connection_string("AccountKey=c2VjcmV0", "rows")
    assert "c2VjcmV0" not in str(caught.value)


def test_the_store_is_unavailable_if_its_table_cannot_be_created(
    service: ScriptedService, connection_string: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(service), "__call__", lambda *_: error_answer(403, "AuthorizationFailure"))
    with pytest.raises(StoreUnavailable, match="AuthorizationFailure"):
        open_tables_from_connection_string(connection_string, "rows")


def test_importing_the_adapter_imports_no_library_that_is_slow_to_import() -> None:
    code = (
        "import sys, shared.store.table_storage_rows; "
        "print(sorted({n.split('.')[0] for n in sys.modules} & {'azure', 'httpx', 'requests'}))"
    )
    process = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "[]"
