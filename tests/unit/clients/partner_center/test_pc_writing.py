"""Writing referrals: sent once, and confirmed only by the referral that is read back."""

from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest

from shared.clients.partner_center.referrals import Referrals
from shared.foundation.errors import (
    Ambiguous,
    Conflict,
    CosellError,
    NotFound,
    Rejected,
    SignInFailed,
    Throttled,
    Unavailable,
)
from tests.unit.clients.partner_center.scripted_service import Answer, ScriptedService

ID = "0a5f0000-1111-2222-3333-444455556666"
ETAG = '"84001c9d-0000-0100-0000-6225a63e0000"'
OPERATIONS = [{"op": "replace", "path": "/details/dealValue", "value": Decimal("150000.10")}]

WRITES: dict[str, Callable[[Referrals], object]] = {
    "create": lambda referrals: referrals.create({"name": "deal"}),
    "patch": lambda referrals: referrals.patch(ID, OPERATIONS, ETAG),
}


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest, referrals: Referrals) -> Callable[[], object]:
    """One of the two writes: each test runs for both."""
    return lambda: WRITES[request.param](referrals)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_created_referral_is_returned(
    referrals: Referrals, service: ScriptedService, answer: Answer, status: int
) -> None:
    service.set_script(answer(status, json={"id": ID, "eTag": ETAG}))

    assert referrals.create({"name": "deal"}) == {"id": ID, "eTag": ETAG}
    assert service.methods == ["POST"]
    assert service.requests[0].headers["Content-Type"] == "application/json"


def test_money_is_sent_with_exact_digits(referrals: Referrals, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(json={"id": ID}))

    referrals.create({"details": {"dealValue": Decimal("1234567890123456789.10"), "n": [Decimal("1E+3"), 1, None]}})

    sent = service.requests[0].content
    assert sent == b'{"details":{"dealValue":1234567890123456789.10,"n":[1000,1,null]}}'


def test_a_patch_names_the_version_it_was_decided_on(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json={"id": ID, "eTag": '"2"'}))

    assert referrals.patch(ID, OPERATIONS, ETAG)["eTag"] == '"2"'

    sent = service.requests[0]
    assert sent.headers["If-Match"] == ETAG
    assert sent.headers["Prefer"] == "return=representation"
    assert sent.content == b'[{"op":"replace","path":"/details/dealValue","value":150000.10}]'


def test_a_patch_answered_without_a_body_is_read_back(
    referrals: Referrals, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(204), answer(json={"id": ID, "eTag": '"3"'}))

    assert referrals.patch(ID, OPERATIONS, ETAG)["eTag"] == '"3"'
    assert service.methods == ["PATCH", "GET"]


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_a_patch_that_cannot_be_read_back_is_ambiguous(
    referrals: Referrals, service: ScriptedService, answer: Answer, status: int
) -> None:
    service.set_script(answer(204), answer(status, json={}))

    with pytest.raises(Ambiguous, match="accepted, but not read back"):
        referrals.patch(ID, OPERATIONS, ETAG)


@pytest.mark.parametrize("etag", ["", 'W/"é"', '"a"\r\nX: y'])
def test_a_version_that_does_not_fit_into_a_header_is_not_sent(
    referrals: Referrals, service: ScriptedService, etag: str
) -> None:
    with pytest.raises(Rejected):
        referrals.patch(ID, OPERATIONS, etag)

    assert service.requests == []


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.WriteError("reset"),
        httpx.WriteTimeout("slow"),
        httpx.DecodingError("garbage"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lost_reply_is_ambiguous(write: Callable[[], object], service: ScriptedService, lost: Exception) -> None:
    service.set_script(lost)

    with pytest.raises(Ambiguous):
        write()

    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "unsent", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")]
)
def test_a_request_that_was_never_sent_is_unavailable(
    write: Callable[[], object], service: ScriptedService, unsent: Exception
) -> None:
    service.set_script(unsent)

    with pytest.raises(Unavailable):
        write()

    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [302, 202, 408, 500, 501, 502, 503, 504, 507, 509])
def test_a_write_that_may_have_happened_is_ambiguous_and_not_repeated(
    write: Callable[[], object], service: ScriptedService, answer: Answer, status: int
) -> None:
    service.set_script(answer(status, text="<html>gateway</html>", Retry_After="1"))

    with pytest.raises(Ambiguous):
        write()

    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "body", ["", "<html>welcome</html>", '{"id": "0a5f', "null", "{}", '{"id": ""}', "[]", '{"id": NaN}', "[" * 100_000]
)
def test_a_success_without_a_readable_body_is_ambiguous(
    write: Callable[[], object], service: ScriptedService, answer: Answer, body: str
) -> None:
    service.set_script(answer(200, text=body))

    with pytest.raises(Ambiguous):
        write()

    assert len(service.requests) == 1


def test_an_answer_too_large_to_read_is_ambiguous(
    write: Callable[[], object], service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(200, text=" " * (8 * 1024 * 1024 + 1)))

    with pytest.raises(Ambiguous):
        write()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (403, SignInFailed),
        (404, NotFound),
        (405, Rejected),
        (409, Conflict),
        (410, Rejected),
        (412, Conflict),
        (413, Rejected),
        (415, Rejected),
        (422, Rejected),
        (423, Unavailable),
        (429, Throttled),
    ],
)
def test_a_refused_write_did_nothing(
    write: Callable[[], object], service: ScriptedService, answer: Answer, status: int, error: type[CosellError]
) -> None:
    service.set_script(answer(status, json={"error": {"code": "x", "message": "y"}}))

    with pytest.raises(error):
        write()

    assert len(service.requests) == 1


def test_a_write_is_repeated_once_with_a_new_token(
    write: Callable[[], object], service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(401, json={}), answer(200, json={"id": ID}))

    write()

    assert service.renewals == [False, True]
    assert [request.headers["Authorization"] for request in service.requests] == ["Bearer token-1", "Bearer token-2"]
    assert service.requests[0].content == service.requests[1].content


def test_a_new_token_that_is_refused_too_ends_the_call(
    write: Callable[[], object], service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(401, json={"error": {"code": "unauthenticated"}}))

    with pytest.raises(SignInFailed) as refused:
        write()

    assert (refused.value.code, len(service.requests)) == ("unauthenticated", 2)
