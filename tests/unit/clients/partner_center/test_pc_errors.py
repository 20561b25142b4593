"""How answers become errors: tries, waits, sign-in, causes."""

from contextlib import closing

import httpx
import pytest

from emulators.base.server import Response, Server
from shared.clients.partner_center.error_mapping import Reply, retry_after_seconds
from shared.clients.partner_center.referrals import Referrals, open_referrals
from shared.foundation.errors import (
    MAX_REMOTE_TEXT,
    CosellError,
    MfaRequired,
    NotFound,
    Rejected,
    SignInFailed,
    Throttled,
    Unavailable,
    UnreadableRefusal,
)
from tests.over_httpx import OverHttpx
from tests.unit.clients.partner_center.scripted_service import Answer, Failure, ScriptedService

ID = "0a5f0000-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("closed"),
        httpx.Response(500),
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(503),
        httpx.Response(408),
        httpx.Response(423),
        httpx.Response(302, headers={"Location": "https://evil.example/"}),
        httpx.Response(200, text="<html>welcome</html>"),
        httpx.Response(200),
        httpx.Response(200, text='{"id": "0a'),
        httpx.Response(404, text="<html>no such route</html>"),
    ],
    ids=str,
)
def test_a_read_is_tried_three_times(referrals: Referrals, service: ScriptedService, failure: Failure) -> None:
    service.set_script(failure)

    with pytest.raises(Unavailable):
        referrals.get(ID)

    assert service.methods == ["GET"] * 3
    assert {request.url.host for request in service.requests} == {"partner.example"}
    assert len({request.headers["MS-CorrelationId"] for request in service.requests}) == 1


def test_a_read_succeeds_after_temporary_failures(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(httpx.ReadError("reset"), answer(503), answer(json={"id": ID}))

    assert referrals.get(ID) == {"id": ID}


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 422])
def test_a_refused_read_is_not_tried_again(
    referrals: Referrals, service: ScriptedService, answer: Answer, status: int
) -> None:
    service.set_script(answer(status, json={}))

    with pytest.raises(CosellError):
        referrals.get(ID)

    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 413, 422])
def test_a_page_of_a_gateway_refuses_nothing_for_good(
    referrals: Referrals, service: ScriptedService, status: int
) -> None:
    service.set_script(httpx.Response(status, text="<html>blocked</html>"))

    with pytest.raises(UnreadableRefusal):
        referrals.create({})
    with pytest.raises(Unavailable):
        referrals.get(ID)


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("body", ["", "[]", '{"error": "Bad request"}', "Bad Request"])
def test_a_write_that_is_refused_without_a_reason_is_of_unknown_outcome(
    referrals: Referrals, service: ScriptedService, status: int, body: str
) -> None:
    service.set_script(httpx.Response(status, text=body))

    with pytest.raises(UnreadableRefusal):
        referrals.patch(ID, [], '"1"')


def test_a_missing_referral_is_not_found(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(404, json={"error": {"code": "itemNotFound"}}))

    with pytest.raises(NotFound, match=ID):
        referrals.get(ID)


def test_an_answer_over_eight_mebibytes_is_refused() -> None:
    body = b'{"id": "' + b"x" * 8 * 1024 * 1024 + b'"}'
    with (
        Server(lambda _: Response(200, body)) as server,
        closing(open_referrals(server.url, lambda _: "token")) as referrals,
        pytest.raises(Unavailable, match="ReadError"),
    ):
        referrals.get(ID)


@pytest.mark.parametrize("after", ["61", "3600"])
def test_a_wait_beyond_the_deadline_is_left_to_the_caller(
    referrals: Referrals, service: ScriptedService, answer: Answer, after: str
) -> None:
    service.set_script(answer(429, json={"statusCode": 429, "message": "Rate limit is exceeded."}, Retry_After=after))

    with pytest.raises(Throttled) as throttled:
        referrals.get(ID)

    assert (throttled.value.after, len(service.requests)) == (float(after), 1)


def test_a_wait_within_the_deadline_is_honoured(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(429, Retry_After="5"), answer(json={"id": ID}))

    assert referrals.get(ID) == {"id": ID}


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "57"}, b"", 57.0),
        ({"Retry-After": "0"}, b"", 0.0),
        ({"Retry-After": "99999999"}, b"", 86400.0),
        ({"Retry-After": "Sun, 01 Feb 2026 08:00:30 GMT", "Date": "Sun, 01 Feb 2026 08:00:00 GMT"}, b"", 30.0),
        ({"Retry-After": "Sun, 01 Feb 2026 07:00:00 GMT", "Date": "Sun, 01 Feb 2026 08:00:00 GMT"}, b"", 0.0),
        ({"Retry-After": "Sun, 01 Feb 2026 08:00:30 GMT"}, b"", None),
        ({"Retry-After": "-5"}, b"", None),
        ({"Retry-After": "soon"}, b"", None),
        ({}, b'{"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."}', 57.0),
        ({}, b"<html>", None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    assert retry_after_seconds(Reply(429, httpx.Headers(headers), body)) == seconds


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"WWW-Authenticate": 'Bearer error="invalid_token"'}, "Unauthorized - MFA required"),
        ({"WWW-Authenticate": 'Bearer error="invalid_token", error_description="multi-factor"'}, ""),
        ({}, '{"code": "900421", "description": "x", "data": []}'),
        ({}, '{"error": {"code": "unauthenticated", "innererror": {"code": 900421}}}'),
    ],
)
def test_missing_mfa_has_its_own_error_and_no_new_token_is_tried(
    referrals: Referrals, service: ScriptedService, headers: dict[str, str], body: str
) -> None:
    service.set_script(httpx.Response(401, headers=headers, text=body))

    with pytest.raises(MfaRequired) as missing:
        referrals.get(ID)

    assert (missing.value.code, service.renewals) == ("900421", [False])
    assert "multi-factor" in missing.value.remedy


def test_an_expired_token_is_not_missing_mfa(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(401, WWW_Authenticate='Bearer error="invalid_token"'), answer(json={"id": ID}))

    assert referrals.get(ID) == {"id": ID}
    assert service.renewals == [False, True]


def test_one_call_asks_for_one_new_token_only(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(401), answer(503), answer(401))

    with pytest.raises(SignInFailed):
        referrals.get(ID)

    assert service.renewals == [False, True, False]


def test_a_missing_role_names_the_role(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(403, json={"error": {"code": "accessDenied"}}))

    with pytest.raises(SignInFailed) as denied:
        referrals.get(ID)

    assert denied.value.code == "accessDenied"
    assert "Referrals admin" in denied.value.remedy


def test_a_sign_in_that_fails_temporarily_is_tried_again(service: ScriptedService, answer: Answer) -> None:
    troubles = [Unavailable("Entra ID answered 503")]

    def token(_: bool) -> str:
        if troubles:
            raise troubles.pop()
        return "good"

    service.set_script(answer(json={"id": ID}))
    with httpx.Client(transport=httpx.MockTransport(service)) as client:
        assert Referrals("https://partner.example/v1.0/engagements", token, service=OverHttpx(client)).get(ID) == {
            "id": ID
        }


def test_a_sign_in_that_takes_all_the_time_leaves_a_write_unsent(
    service: ScriptedService, referrals: Referrals
) -> None:
    def slow(_: bool) -> str:
        service.now += 61
        return "token"

    referrals._sender._token = slow

    with pytest.raises(Unavailable, match="not sent"):
        referrals.create({})

    assert service.requests == []


@pytest.mark.parametrize(
    ("body", "code", "field", "reason"),
    [
        (
            {"error": {"code": "invalidRequest", "message": "outer", "target": "referral"}},
            "invalidRequest",
            "referral",
            "outer",
        ),
        (
            {
                "error": {
                    "code": "invalidRequest",
                    "message": "outer",
                    "target": "referral",
                    "innerError": {"code": "countryMissing", "message": "inner", "target": "country"},
                }
            },
            "invalidRequest",
            "country",
            "inner",
        ),
        (
            {"Error": {"Code": "newCode", "InnerError": {"code": "x", "innererror": {"code": "preconditionFailed"}}}},
            "preconditionFailed",
            None,
            "no reason given (HTTP 400)",
        ),
        ({"code": "800002", "description": "Invalid input", "data": []}, "800002", None, "Invalid input"),
        ({"statusCode": 400, "message": "Bad request"}, "http400", None, "Bad request"),
    ],
)
def test_a_rejection_states_code_field_and_reason(
    referrals: Referrals,
    service: ScriptedService,
    answer: Answer,
    body: object,
    code: str,
    field: str | None,
    reason: str,
) -> None:
    service.set_script(answer(400, json=body))

    with pytest.raises(Rejected) as rejected:
        referrals.create({})

    cause = rejected.value.cause
    assert (cause.code, cause.field, cause.reason) == (code, field, reason)
    assert cause.remedy.endswith(".")


def test_a_long_reason_becomes_one_short_line(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(422, json={"error": {"code": "invalidRequest", "message": "line\r\n\x1b[31m " * 999}}))

    with pytest.raises(Rejected) as rejected:
        referrals.create({})

    reason = rejected.value.cause.reason
    assert len(reason) == MAX_REMOTE_TEXT
    assert reason.isprintable()


SECRETS = ("token-1", "token-2", "Mrs Secret", "secret@customer.example")


@pytest.mark.parametrize(
    "failure",
    [httpx.LocalProtocolError("Illegal header value b'Bearer token-1'"), httpx.ReadError("Mrs Secret")]
    + [httpx.Response(status, text="Mrs Secret <secret@customer.example>") for status in (200, 401, 403, 404, 500)],
    ids=str,
)
def test_an_error_contains_neither_token_nor_body(
    referrals: Referrals, service: ScriptedService, failure: Failure
) -> None:
    service.set_script(failure)

    with pytest.raises(CosellError) as error:
        referrals.patch(ID, [{"op": "replace", "path": "/name", "value": "Mrs Secret"}], '"1"')

    current: BaseException | None = error.value
    while current is not None:
        assert not any(secret in f"{current!s}{current!r}" for secret in SECRETS)
        current = current.__cause__ if current.__suppress_context__ else current.__context__
