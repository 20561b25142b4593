from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from emulators.base.server import Request, Response
from shared.clients.salesforce.client import SalesforceClient, open_salesforce
from shared.clients.salesforce.request import READ_RETRIES
from shared.foundation.errors import (
    Ambiguous,
    CosellError,
    Locked,
    NotFound,
    Rejected,
    SignInFailed,
    Throttled,
    Unavailable,
)
from shared.sync.ports import Node, Write
from shared.transport.deadline import Deadline
from shared.transport.retry import Backoff
from shared.transport.session import open_session
from tests.unit.clients.salesforce.fake_salesforce import LOGIN, FakeSalesforce, ManualClock, MemoryVault

EXPIRED = Response.of([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)
HTML = Response(503, b"<html>down for maintenance</html>", {"Content-Type": "text/html"})
DESCRIBED = Response.of({"name": "Opportunity"})
WRITE = [Write("006000000000001AAA", {"NextStep": "call"})]


def error_answer(code: str, message: str = "", status: int = 400) -> Response:
    return Response.of([{"errorCode": code, "message": message}], status)


def test_an_expired_session_is_renewed_and_the_call_repeated_with_its_headers(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.answer_in_turn(EXPIRED, DESCRIBED)
    assert salesforce.describe("Opportunity") == {"name": "Opportunity"}
    first, second = fake.data_requests
    assert {**first.headers, "authorization": ""} == {**second.headers, "authorization": ""}
    assert [request.headers["authorization"][-1] for request in fake.data_requests] == ["1", "2"]


def test_a_write_is_repeated_after_an_expired_session_and_body_and_condition_stay(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.answer_in_turn(EXPIRED, error_answer("STRING_TOO_LONG"))
    since = datetime(2026, 11, 22, 10, tzinfo=UTC)
    with pytest.raises(Rejected):
        salesforce.update_unmodified([Write(WRITE[0].id, WRITE[0].values, since)], ["Id"])
    assert len(fake.data_requests) == 2
    assert fake.data_requests[0].body == fake.data_requests[1].body
    assert b"If-Unmodified-Since" in fake.data_requests[1].body


def test_a_session_that_expires_twice_in_a_row_is_a_failed_sign_in(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    fake.answer_in_turn(EXPIRED)
    with pytest.raises(SignInFailed) as caught:
        salesforce.describe("Opportunity")
    assert caught.value.code == "INVALID_SESSION_ID"
    assert (len(fake.data_requests), len(fake.sign_in_requests)) == (2, 2)


def test_a_session_of_the_wrong_kind_is_not_renewed(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.answer_in_turn(error_answer("INVALID_SESSION_ID", "This session is not valid for use with the REST API", 401))
    with pytest.raises(SignInFailed, match="INVALID_SESSION_ID"):
        salesforce.describe("Opportunity")
    assert (len(fake.data_requests), len(fake.sign_in_requests)) == (1, 1)


def test_an_expired_session_is_recognised_in_an_object_too(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.answer_in_turn(Response.of({"errorCode": "INVALID_SESSION_ID", "message": ""}, 401), DESCRIBED)
    assert salesforce.describe("Opportunity")


def test_twenty_threads_with_an_expired_session_cause_one_sign_in(
    salesforce: SalesforceClient, fake: FakeSalesforce
) -> None:
    salesforce.describe("Opportunity")
    fake.respond = lambda request: EXPIRED if request.headers["authorization"].endswith("1") else DESCRIBED
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: salesforce.describe("Opportunity"), range(20)))
    assert len(fake.sign_in_requests) == 2


@pytest.mark.parametrize(
    "answer",
    [HTML, Response(200, b""), Response(200, b'{"a"'), Response.of(5), Response(429, b""), error_answer("X", "", 500)],
)
def test_a_read_without_a_readable_answer_is_tried_three_times(
    salesforce: SalesforceClient, fake: FakeSalesforce, answer: Response
) -> None:
    fake.answer_in_turn(answer)
    with pytest.raises(Unavailable):
        salesforce.describe("Opportunity")
    assert len(fake.data_requests) == 3


@pytest.mark.parametrize(
    "answer", [HTML, Response(200, b""), Response(200, b'{"a"'), Response.of(5), Response.of({}), Response(420, b"")]
)
def test_a_write_without_a_readable_answer_is_ambiguous_and_never_repeated(
    salesforce: SalesforceClient, fake: FakeSalesforce, answer: Response
) -> None:
    fake.answer_in_turn(answer)
    with pytest.raises(Ambiguous):
        salesforce.update(WRITE, ["Id"])
    assert len(fake.data_requests) == 1


def test_a_create_without_a_readable_answer_is_ambiguous(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.answer_in_turn(HTML)
    with pytest.raises(Ambiguous):
        salesforce.create([Node("deal", "Opportunity", {"Name": "A"})], "deal", ["Id"])


def test_a_read_recovers_on_its_second_try(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.answer_in_turn(HTML, DESCRIBED)
    assert salesforce.describe("Opportunity") == {"name": "Opportunity"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error_answer("UNABLE_TO_LOCK_ROW", status=500), Locked),
        (error_answer("UNABLE_TO_LOCK_ROW", status=400), Locked),
        (error_answer("ENTITY_IS_LOCKED"), Locked),
        (error_answer("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403), Throttled),
        (error_answer("API_DISABLED_FOR_ORG", status=403), SignInFailed),
        (error_answer("API_CURRENTLY_DISABLED", status=403), SignInFailed),
        (error_answer("NOT_FOUND", status=404), NotFound),
        (error_answer("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"), Rejected),
        (error_answer("UNKNOWN_EXCEPTION", status=500), Ambiguous),
        (error_answer("SERVER_UNAVAILABLE", status=503), Ambiguous),
        (error_answer("STRING_TOO_LONG", status=500), Rejected),
    ],
)
def test_a_refused_write_is_classified_by_its_code_whatever_the_status(
    salesforce: SalesforceClient, fake: FakeSalesforce, answer: Response, kind: type[CosellError]
) -> None:
    fake.answer_in_turn(answer)
    with pytest.raises(kind):
        salesforce.update(WRITE, ["Id"])
    assert len(fake.data_requests) == 1


@pytest.mark.parametrize(
    ("message", "after"),
    [
        ("TotalRequests Limit exceeded.", 1800.0),
        ("ConcurrentRequests (Concurrent API Requests) Limit exceeded.", 30.0),
    ],
)
def test_an_exceeded_limit_is_not_tried_again_at_once(
    salesforce: SalesforceClient, fake: FakeSalesforce, message: str, after: float
) -> None:
    fake.answer_in_turn(error_answer("REQUEST_LIMIT_EXCEEDED", message, 403))
    with pytest.raises(Throttled) as caught:
        salesforce.describe("Opportunity")
    assert (caught.value.after, len(fake.data_requests)) == (after, 1)


def test_the_retry_after_of_a_gateway_is_passed_on(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.answer_in_turn(Response(503, b"", {"Retry-After": "120"}))
    with pytest.raises(Unavailable) as caught:
        salesforce.describe("Opportunity")
    assert (caught.value.after, len(fake.data_requests)) == (120.0, 1)


def test_the_text_of_an_error_is_used_in_a_cause_only(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    for code in ("UNABLE_TO_LOCK_ROW", "UNKNOWN_EXCEPTION", "NOT_FOUND", "REQUEST_LIMIT_EXCEEDED"):
        fake.answer_in_turn(error_answer(code, "Jane Doe, jane@example.com"))
        with pytest.raises(CosellError) as caught:
            salesforce.describe("Opportunity")
        assert "Jane" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"
    fake.answer_in_turn(error_answer("FIELD_CUSTOM_VALIDATION_EXCEPTION", "x" * 1000))
    with pytest.raises(Rejected) as refused:
        salesforce.describe("Opportunity")
    assert refused.value.cause.reason == "x" * 300


def test_server_time_is_the_date_header_less_the_duration_of_the_call(
    salesforce: SalesforceClient, fake: FakeSalesforce, clock: ManualClock
) -> None:
    def slowly(_: Request) -> Response:
        clock.seconds += 2.5
        return empty_page()

    fake.respond = slowly
    assert salesforce.query("SELECT Id FROM Opportunity").at == datetime(2026, 11, 22, 10, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize("header", ["", "yesterday"])
def test_without_a_date_header_our_own_clock_is_used(
    salesforce: SalesforceClient, fake: FakeSalesforce, header: str
) -> None:
    fake.respond = lambda _: Response(200, empty_page().body, {"Date": header})
    assert salesforce.query("SELECT Id FROM Opportunity").at == datetime(2026, 11, 22, 10, 0, 30, tzinfo=UTC)


def empty_page() -> Response:
    body = {"done": True, "totalSize": 0, "records": []}
    part = {"body": body, "httpHeaders": {}, "httpStatusCode": 200, "referenceId": "q0"}
    return Response.of({"compositeResponse": [part]})


def test_usage_is_known_from_the_latest_answer(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    assert salesforce.api_usage() is None
    fake.respond = lambda _: Response(
        200, b'{"a":1}', {"Sforce-Limit-Info": "api-usage=18/15000; per-app-api-usage=17/250(appName=x)"}
    )
    salesforce.describe("Opportunity")
    assert salesforce.api_usage() == (18, 15000)


def test_the_pauses_between_tries_are_random_and_grow() -> None:
    drawn: list[list[float]] = [[], []]
    for _ in range(200):
        pause = Backoff(READ_RETRIES, Deadline(60.0))
        for tried in drawn:
            tried.append(float(pause(Unavailable("x"))))
    first, second = drawn
    assert 0 <= min(first) < 0.2
    assert 0.8 < max(first) <= 1.0
    assert 1.0 < max(second) <= 2.0


def test_a_short_retry_after_replaces_the_random_pause() -> None:
    pause = Backoff(READ_RETRIES, Deadline(60.0))
    assert pause(Unavailable("x", after=7.0)) == 7.0
    assert pause(Unavailable("x", after=11.0)) is False


def test_no_try_is_made_beyond_the_deadline() -> None:
    assert Backoff(READ_RETRIES, Deadline(5.0))(Unavailable("x", after=7.0)) is False
    assert Backoff(READ_RETRIES, Deadline(60.0))(NotFound("x")) is False


def test_a_call_without_time_left_is_not_sent(fake: FakeSalesforce, vault: MemoryVault) -> None:
    with open_session(None) as session:
        session.mount("https://", fake)
        late = open_salesforce(
            login_url=LOGIN,
            client_id="c",
            username="u",
            key_name="salesforce-key",
            vault=vault,
            session=session,
            deadline=0.0,
        )
        with pytest.raises(Unavailable, match="time"):
            late.update(WRITE, ["Id"])
    assert fake.data_requests == []


def test_a_redirect_is_not_followed(salesforce: SalesforceClient, fake: FakeSalesforce) -> None:
    fake.answer_in_turn(Response(302, b"", {"Location": "https://evil.example/"}))
    with pytest.raises(Unavailable):
        salesforce.describe("Opportunity")
    assert {request.path for request in fake.data_requests} == {"/services/data/v66.0/sobjects/Opportunity/describe"}
