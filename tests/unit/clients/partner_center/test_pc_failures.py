"""From answers to errors: tries, patience, sign-in, causes."""

from collections.abc import Iterator

import httpx
import pytest

from shared.clients.partner_center.error_mapping import Reply, retry_after_seconds
from shared.clients.partner_center.referrals import Referrals
from shared.foundation.errors import (
    MAX_REMOTE_TEXT,
    CosellError,
    MfaRequired,
    NotFound,
    Rejected,
    SignInFailed,
    Throttled,
    Unavailable,
)
from tests.unit.clients.partner_center.far_side import Answer, FarSide, Trouble

ID = "0a5f0000-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("hung up"),
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
def test_a_read_is_tried_three_times(referrals: Referrals, far_side: FarSide, trouble: Trouble) -> None:
    far_side.says(trouble)

    with pytest.raises(Unavailable):
        referrals.get(ID)

    assert far_side.methods == ["GET"] * 3
    assert {request.url.host for request in far_side.requests} == {"partner.example"}
    assert len({request.headers["MS-CorrelationId"] for request in far_side.requests}) == 1


def test_a_read_recovers(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(httpx.ReadError("reset"), answer(503), answer(json={"id": ID}))

    assert referrals.get(ID) == {"id": ID}


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 422])
def test_a_refused_read_is_not_tried_again(
    referrals: Referrals, far_side: FarSide, answer: Answer, status: int
) -> None:
    far_side.says(answer(status, json={}))

    with pytest.raises(CosellError):
        referrals.get(ID)

    assert len(far_side.requests) == 1


def test_a_referral_that_is_not_there_is_not_found(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(404, json={"error": {"code": "itemNotFound"}}))

    with pytest.raises(NotFound, match=ID):
        referrals.get(ID)


def test_an_answer_over_eight_mebibytes_is_refused(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(text='{"id": "' + "x" * 8 * 1024 * 1024 + '"}'))

    with pytest.raises(Unavailable):
        referrals.get(ID)


def test_an_answer_that_trickles_in_is_left_at_the_deadline(referrals: Referrals, far_side: FarSide) -> None:
    def trickle() -> Iterator[bytes]:
        for _ in range(1000):
            far_side.now += 1
            yield b" "

    far_side.says(lambda _: httpx.Response(200, content=trickle()))

    with pytest.raises(Unavailable):
        referrals.get(ID)

    assert (far_side.now, len(far_side.requests)) == (60, 1)


@pytest.mark.parametrize("after", ["61", "3600"])
def test_patience_beyond_the_deadline_is_left_to_the_caller(
    referrals: Referrals, far_side: FarSide, answer: Answer, after: str
) -> None:
    far_side.says(answer(429, json={"statusCode": 429, "message": "Rate limit is exceeded."}, Retry_After=after))

    with pytest.raises(Throttled) as throttled:
        referrals.get(ID)

    assert (throttled.value.after, len(far_side.requests)) == (float(after), 1)


def test_patience_within_the_deadline_is_kept(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(429, Retry_After="5"), answer(json={"id": ID}))

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
def test_the_wish_for_patience_is_read(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
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
def test_missing_mfa_is_told_apart_and_no_fresh_token_is_tried(
    referrals: Referrals, far_side: FarSide, headers: dict[str, str], body: str
) -> None:
    far_side.says(httpx.Response(401, headers=headers, text=body))

    with pytest.raises(MfaRequired) as missing:
        referrals.get(ID)

    assert (missing.value.code, far_side.forced) == ("900421", [False])
    assert "multi-factor" in missing.value.remedy


def test_an_expired_token_is_no_missing_mfa(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(401, WWW_Authenticate='Bearer error="invalid_token"'), answer(json={"id": ID}))

    assert referrals.get(ID) == {"id": ID}
    assert far_side.forced == [False, True]


def test_one_call_asks_for_one_fresh_token_only(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(401), answer(503), answer(401))

    with pytest.raises(SignInFailed):
        referrals.get(ID)

    assert far_side.forced == [False, True, False]


def test_a_missing_role_names_the_role(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(403, json={"error": {"code": "accessDenied"}}))

    with pytest.raises(SignInFailed) as denied:
        referrals.get(ID)

    assert denied.value.code == "accessDenied"
    assert "Referrals admin" in denied.value.remedy


def test_a_sign_in_that_fails_for_a_moment_is_tried_again(far_side: FarSide, answer: Answer) -> None:
    troubles = [Unavailable("Entra ID answered 503")]

    def token(_: bool) -> str:
        if troubles:
            raise troubles.pop()
        return "good"

    far_side.says(answer(json={"id": ID}))
    with httpx.Client(transport=httpx.MockTransport(far_side)) as client:
        assert Referrals("https://partner.example/v1.0/engagements", token, client=client).get(ID) == {"id": ID}


def test_a_sign_in_that_takes_all_the_time_leaves_a_write_unsent(far_side: FarSide, referrals: Referrals) -> None:
    def slow(_: bool) -> str:
        far_side.now += 61
        return "token"

    referrals._sender._token = slow

    with pytest.raises(Unavailable, match="not sent"):
        referrals.create({})

    assert far_side.requests == []


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
        ({"error": "Bad request"}, "http400", None, "no reason given (HTTP 400)"),
        (["?"], "http400", None, "no reason given (HTTP 400)"),
    ],
)
def test_a_refusal_tells_code_field_and_reason(
    referrals: Referrals, far_side: FarSide, answer: Answer, body: object, code: str, field: str | None, reason: str
) -> None:
    far_side.says(answer(400, json=body))

    with pytest.raises(Rejected) as rejected:
        referrals.create({})

    cause = rejected.value.cause
    assert (cause.code, cause.field, cause.reason) == (code, field, reason)
    assert cause.remedy.endswith(".")


def test_a_long_reason_becomes_one_short_line(referrals: Referrals, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(422, json={"error": {"code": "invalidRequest", "message": "line\r\n\x1b[31m " * 999}}))

    with pytest.raises(Rejected) as rejected:
        referrals.create({})

    reason = rejected.value.cause.reason
    assert len(reason) == MAX_REMOTE_TEXT
    assert reason.isprintable()


SECRETS = ("token-1", "token-2", "Mrs Secret", "secret@customer.example")


@pytest.mark.parametrize(
    "trouble",
    [httpx.LocalProtocolError("Illegal header value b'Bearer token-1'"), httpx.ReadError("Mrs Secret")]
    + [httpx.Response(status, text="Mrs Secret <secret@customer.example>") for status in (200, 401, 403, 404, 500)],
    ids=str,
)
def test_an_error_tells_neither_token_nor_body(referrals: Referrals, far_side: FarSide, trouble: Trouble) -> None:
    far_side.says(trouble)

    with pytest.raises(CosellError) as error:
        referrals.patch(ID, [{"op": "replace", "path": "/name", "value": "Mrs Secret"}], '"1"')

    seen: BaseException | None = error.value
    while seen is not None:
        assert not any(secret in f"{seen!s}{seen!r}" for secret in SECRETS)
        seen = seen.__cause__ if seen.__suppress_context__ else seen.__context__
