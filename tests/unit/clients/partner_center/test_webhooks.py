"""The registration API before a scripted far side: what is sent, what is read, what each answer means."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from shared.clients.partner_center.webhook_bodies import EVENTS, Registration
from shared.clients.partner_center.webhook_registration import Webhooks
from shared.foundation.errors import (
    Ambiguous,
    ConfigurationError,
    Conflict,
    MfaRequired,
    NotFound,
    Rejected,
    SignInFailed,
    Throttled,
    Unavailable,
)
from tests.unit.clients.partner_center.far_side import Answer, FarSide

BASE = "https://hooks.example/webhooks/v1"
URL = "https://func-contoso.example/api/events"
ELSEWHERE = "https://cipp.example/api/PublicWebhooks?code=hunter2"


@pytest.fixture
def webhooks(far_side: FarSide) -> Iterator[Webhooks]:
    def sleep(seconds: float) -> None:
        far_side.now += seconds

    with httpx.Client(transport=httpx.MockTransport(far_side)) as client:
        yield Webhooks(BASE, far_side.token, client=client, clock=lambda: far_side.now, sleep=sleep)


def told(url: str = URL, events: tuple[str, ...] = EVENTS, **more: object) -> dict[str, object]:
    return {"WebhookUrl": url, "WebhookEvents": list(events), **more}


def sent(far_side: FarSide) -> Any:  # noqa: ANN401 - a decoded body
    return json.loads(far_side.requests[-1].content)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (told(), Registration(URL, EVENTS, None)),
        (told(SignatureTokenToMsSignatureHeader=True), Registration(URL, EVENTS, x_ms_signature=True)),
        (
            {"webhookUrl": URL, "webhookEvents": ["a"], "signatureTokenToMsSignatureHeader": "False", "properties": {}},
            Registration(URL, ("a",), x_ms_signature=False),
        ),
        ({"WEBHOOKURL": URL, "webhookevents": None}, Registration(URL, ())),
    ],
)
def test_a_registration_is_read_in_any_case(
    webhooks: Webhooks, far_side: FarSide, answer: Answer, body: object, expected: Registration
) -> None:
    far_side.says(answer(json=body))

    assert webhooks.read_registration() == expected

    (request,) = far_side.requests
    assert (request.method, str(request.url)) == ("GET", f"{BASE}/registration")
    assert request.headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize("body", ["[]", '{"WebhookEvents": []}', '{"WebhookUrl": 1}', "<html>", ""])
def test_what_is_no_registration_is_no_answer(webhooks: Webhooks, far_side: FarSide, answer: Answer, body: str) -> None:
    far_side.says(answer(text=body))
    with pytest.raises(Unavailable):
        webhooks.read_registration()


def test_where_there_is_none_one_is_made(webhooks: Webhooks, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(404, json={"code": "404", "description": "none"}), answer(json=told()))

    assert webhooks.register(URL) == Registration(URL, EVENTS)

    assert far_side.methods == ["GET", "POST"]
    assert sent(far_side) == told(SignatureTokenToMsSignatureHeader=True)


def test_our_own_keeps_what_it_holds_beyond_ours(webhooks: Webhooks, far_side: FarSide, answer: Answer) -> None:
    held = told(events=("invoice-ready", "Referral-Created"))
    far_side.says(answer(json=held), answer(json=told()))

    webhooks.register(URL)

    assert far_side.methods == ["GET", "PUT"]
    assert sent(far_side)["WebhookEvents"] == [
        "invoice-ready",
        "Referral-Created",
        *(name for name in EVENTS if name != "referral-created"),
    ]


def test_a_foreign_one_is_named_without_its_secret_and_not_taken(
    webhooks: Webhooks, far_side: FarSide, answer: Answer
) -> None:
    far_side.says(answer(json=told(ELSEWHERE)))

    with pytest.raises(Rejected) as foreign:
        webhooks.register(URL)

    assert far_side.methods == ["GET"]
    assert foreign.value.cause.code == "foreignRegistration"
    assert "cipp.example" in str(foreign.value)
    assert "hunter2" not in str(foreign.value) + foreign.value.cause.remedy
    assert "--overwrite" in foreign.value.cause.remedy


def test_a_foreign_one_is_replaced_as_a_whole_where_somebody_says_so(
    webhooks: Webhooks, far_side: FarSide, answer: Answer
) -> None:
    far_side.says(answer(json=told(ELSEWHERE, ("invoice-ready",))), answer(json=told()))

    webhooks.register(URL, overwrite=True)

    assert sent(far_side) == told(SignatureTokenToMsSignatureHeader=True)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (URL, "https://FUNC-contoso.example:443/api/events/", True),
        (URL, f"{URL}?code=1", False),
        (URL, "https://func-contoso.example/api/other", False),
        (URL, "https://func-contoso.example:8443/api/events", False),
        (URL, "https://func-contoso.example:port/", False),
        (URL, "http://func-contoso.example/api/events", False),
    ],
)
def test_two_addresses_are_the_same_by_what_they_lead_to(one: str, other: str, *, same: bool) -> None:
    assert Registration(other, ()).is_at(one) is same


def test_somebody_who_registers_in_the_same_moment_is_a_conflict(
    webhooks: Webhooks, far_side: FarSide, answer: Answer
) -> None:
    far_side.says(answer(404, json={"code": "404"}), answer(409, json={"code": "409", "description": "use PUT"}))
    with pytest.raises(Conflict):
        webhooks.register(URL)


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("late"), "broken", "empty"])
def test_a_lost_reply_is_looked_after(
    webhooks: Webhooks, far_side: FarSide, answer: Answer, trouble: httpx.HTTPError | str
) -> None:
    step = {"broken": answer(500), "empty": answer(200, text="")}.get(str(trouble), trouble)
    assert not isinstance(step, str)
    far_side.says(answer(404, json={}), step, answer(json=told()))
    assert webhooks.register(URL) == Registration(URL, EVENTS)
    assert far_side.methods == ["GET", "POST", "GET"]

    far_side.says(answer(404, json={}), step, answer(404, json={}))
    with pytest.raises(Ambiguous):
        webhooks.register(URL)


@pytest.mark.parametrize(
    ("response", "raised", "remedy"),
    [
        ((401, {"code": "900421", "description": "MFA"}), MfaRequired, "multi-factor"),
        ((401, {"code": "400", "description": "Access denied"}), SignInFailed, "api.partnercenter.microsoft.com"),
        ((403, {"code": "403", "description": "no role"}), SignInFailed, "Referrals admin"),
    ],
)
def test_who_is_not_let_in_learns_what_this_host_wants(
    webhooks: Webhooks,
    far_side: FarSide,
    answer: Answer,
    response: tuple[int, object],
    raised: type[SignInFailed],
    remedy: str,
) -> None:
    far_side.says(answer(response[0], json=response[1]))
    with pytest.raises(raised) as refused:
        webhooks.read_registration()
    assert remedy in refused.value.remedy


def test_a_refused_body_and_a_full_minute_are_told_apart(webhooks: Webhooks, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(400, json={"code": "800002", "description": "The event is not registered."}))
    with pytest.raises(Rejected) as rejected:
        webhooks.send_test_event()
    assert (rejected.value.cause.code, rejected.value.cause.reason) == ("800002", "The event is not registered.")
    assert "opportunity" not in rejected.value.cause.remedy

    far_side.says(answer(429, json={"statusCode": 429, "message": "Rate limit is exceeded. Try again in 31 seconds."}))
    with pytest.raises(Throttled) as throttled:
        webhooks.send_test_event()
    assert throttled.value.after == 31


@pytest.mark.parametrize("body", ['{"correlationId": "abc-1"}', '{"CorrelationId": "abc-1"}', '"abc-1"'])
def test_a_test_event_is_named_by_an_object_or_a_bare_string(
    webhooks: Webhooks, far_side: FarSide, answer: Answer, body: str
) -> None:
    far_side.says(answer(text=body))
    assert webhooks.send_test_event() == "abc-1"
    (request,) = far_side.requests
    assert (request.method, request.url.path) == ("POST", "/webhooks/v1/registration/validationEvents")
    assert (request.content, request.headers["Content-Length"]) == (b"", "0")


@pytest.mark.parametrize("body", ["{}", "null", '"a/../b"', '{"correlationId": 7}', "no"])
def test_a_test_event_without_a_usable_name_is_of_unknown_outcome(
    webhooks: Webhooks, far_side: FarSide, answer: Answer, body: str
) -> None:
    far_side.says(answer(text=body))
    with pytest.raises(Ambiguous):
        webhooks.send_test_event()


def state(status: str, *codes: str) -> dict[str, object]:
    results = [{"responseCode": code, "systemError": not code, "dateTimeUtc": "2026-03-04T11:02:48"} for code in codes]
    return {"correlationId": "abc-1", "status": status, "results": results}


def test_a_test_event_is_followed_until_it_has_arrived(webhooks: Webhooks, far_side: FarSide, answer: Answer) -> None:
    far_side.says(
        answer(404, json={"code": "404"}),
        answer(json=state("pending")),
        answer(json=state("pending", "", "Unauthorized")),
        answer(json=state("completed", "", "Unauthorized", "Accepted")),
    )
    seen: list[int] = []

    found = webhooks.follow_test_event("abc-1", lambda validation: seen.append(len(validation.attempts)))

    assert (found.is_delivered, seen) == (True, [0, 0, 2, 3])
    assert [attempt.is_delivered for attempt in found.attempts] == [False, False, True]
    assert far_side.now == 6


def test_a_test_event_that_nobody_took_is_over_and_not_delivered(
    webhooks: Webhooks, far_side: FarSide, answer: Answer
) -> None:
    far_side.says(answer(json=state("completed", *(["InternalServerError"] * 10))))
    found = webhooks.follow_test_event("abc-1")
    assert (found.is_over, found.is_delivered) == (True, False)


def test_a_test_event_is_not_followed_for_ever(webhooks: Webhooks, far_side: FarSide, answer: Answer) -> None:
    far_side.says(answer(json={"Status": "queued", "Results": None}))
    found = webhooks.follow_test_event("abc-1", seconds=5)
    assert (found.is_over, found.status, len(far_side.requests)) == (False, "queued", 4)


@pytest.mark.parametrize("code", ["OK", "Accepted", "202", "NoContent"])
def test_every_2xx_is_delivered(webhooks: Webhooks, far_side: FarSide, answer: Answer, code: str) -> None:
    far_side.says(answer(json=state("completed", code)))
    assert webhooks.read_validation("abc-1").is_delivered


def test_a_test_event_that_is_no_longer_kept_is_not_found(
    webhooks: Webhooks, far_side: FarSide, answer: Answer
) -> None:
    far_side.says(answer(404, json={"code": "404"}))
    with pytest.raises(NotFound):
        webhooks.read_validation("abc-1")


@pytest.mark.parametrize(
    "url", ["http://hooks.example/v1", "hooks.example", "https://u:p@hooks.example/", "https://[::"]
)
def test_an_address_that_is_not_https_stops_the_start(far_side: FarSide, url: str) -> None:
    with httpx.Client() as client, pytest.raises(ConfigurationError, match="https"):
        Webhooks(url, far_side.token, client=client)


def test_a_fresh_token_is_asked_for_once(
    webhooks: Webhooks, far_side: FarSide, answer: Callable[..., httpx.Response]
) -> None:
    far_side.says(answer(401, json={"code": "400"}), answer(json=told()))
    assert webhooks.read_registration() is not None
    assert far_side.forced == [False, True]
