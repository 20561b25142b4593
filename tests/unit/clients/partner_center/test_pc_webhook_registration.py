"""The registration API with a scripted service: what is sent, what is read, and what each answer means."""

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
from tests.over_httpx import OverHttpx
from tests.unit.clients.partner_center.scripted_service import Answer, ScriptedService

BASE = "https://hooks.example/webhooks/v1"
URL = "https://func-contoso.example/api/events"
ELSEWHERE = "https://cipp.example/api/PublicWebhooks?code=hunter2"


@pytest.fixture
def webhooks(service: ScriptedService) -> Iterator[Webhooks]:
    def sleep(seconds: float) -> None:
        service.now += seconds

    with httpx.Client(transport=httpx.MockTransport(service)) as client:
        yield Webhooks(
            BASE,
            service.token,
            service=OverHttpx(client, BASE.removesuffix("/webhooks/v1")),
            clock=lambda: service.now,
            sleep=sleep,
        )


def registration_body(url: str = URL, events: tuple[str, ...] = EVENTS, **more: object) -> dict[str, object]:
    return {"WebhookUrl": url, "WebhookEvents": list(events), **more}


def sent_body(service: ScriptedService) -> Any:  # noqa: ANN401 - a decoded body
    return json.loads(service.requests[-1].content)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (registration_body(), Registration(URL, EVENTS, None)),
        (registration_body(SignatureTokenToMsSignatureHeader=True), Registration(URL, EVENTS, x_ms_signature=True)),
        (
            {"webhookUrl": URL, "webhookEvents": ["a"], "signatureTokenToMsSignatureHeader": "False", "properties": {}},
            Registration(URL, ("a",), x_ms_signature=False),
        ),
        ({"WEBHOOKURL": URL, "webhookevents": None}, Registration(URL, ())),
    ],
)
def test_a_registration_is_read_in_any_case(
    webhooks: Webhooks, service: ScriptedService, answer: Answer, body: object, expected: Registration
) -> None:
    service.set_script(answer(json=body))

    assert webhooks.read_registration() == expected

    (request,) = service.requests
    assert (request.method, str(request.url)) == ("GET", f"{BASE}/registration")
    assert request.headers["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize("body", ["[]", '{"WebhookEvents": []}', '{"WebhookUrl": 1}', "<html>", ""])
def test_a_body_that_is_not_a_registration_is_an_error(
    webhooks: Webhooks, service: ScriptedService, answer: Answer, body: str
) -> None:
    service.set_script(answer(text=body))
    with pytest.raises(Unavailable):
        webhooks.read_registration()


def test_a_missing_registration_is_made(webhooks: Webhooks, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(404, json={"code": "404", "description": "none"}), answer(json=registration_body()))

    assert webhooks.register(URL) == Registration(URL, EVENTS)

    assert service.methods == ["GET", "POST"]
    assert sent_body(service) == registration_body(SignatureTokenToMsSignatureHeader=True)


def test_our_own_registration_keeps_its_further_events(
    webhooks: Webhooks, service: ScriptedService, answer: Answer
) -> None:
    held = registration_body(events=("invoice-ready", "Referral-Created"))
    service.set_script(answer(json=held), answer(json=registration_body()))

    webhooks.register(URL)

    assert service.methods == ["GET", "PUT"]
    assert sent_body(service)["WebhookEvents"] == [
        "invoice-ready",
        "Referral-Created",
        *(name for name in EVENTS if name != "referral-created"),
    ]


def test_a_foreign_registration_is_named_without_its_secret_and_not_replaced(
    webhooks: Webhooks, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json=registration_body(ELSEWHERE)))

    with pytest.raises(Rejected) as foreign:
        webhooks.register(URL)

    assert service.methods == ["GET"]
    assert foreign.value.cause.code == "foreignRegistration"
    assert "cipp.example" in str(foreign.value)
    assert "hunter2" not in str(foreign.value) + foreign.value.cause.remedy
    assert "--overwrite" in foreign.value.cause.remedy


def test_a_foreign_registration_is_replaced_as_a_whole_on_demand(
    webhooks: Webhooks, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json=registration_body(ELSEWHERE, ("invoice-ready",))), answer(json=registration_body()))

    webhooks.register(URL, overwrite=True)

    assert sent_body(service) == registration_body(SignatureTokenToMsSignatureHeader=True)


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
def test_equal_addresses_are_recognised_in_every_spelling(one: str, other: str, *, same: bool) -> None:
    assert Registration(other, ()).is_at(one) is same


def test_a_registration_made_at_the_same_time_is_a_conflict(
    webhooks: Webhooks, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(404, json={"code": "404"}), answer(409, json={"code": "409", "description": "use PUT"}))
    with pytest.raises(Conflict):
        webhooks.register(URL)


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("late"), "broken", "empty"])
def test_after_a_lost_reply_the_registration_is_read(
    webhooks: Webhooks, service: ScriptedService, answer: Answer, lost: httpx.HTTPError | str
) -> None:
    step = {"broken": answer(500), "empty": answer(200, text="")}.get(str(lost), lost)
    assert not isinstance(step, str)
    service.set_script(answer(404, json={}), step, answer(json=registration_body()))
    assert webhooks.register(URL) == Registration(URL, EVENTS)
    assert service.methods == ["GET", "POST", "GET"]

    service.set_script(answer(404, json={}), step, answer(404, json={}))
    with pytest.raises(Ambiguous):
        webhooks.register(URL)


@pytest.mark.parametrize(
    ("response", "raised", "remedy"),
    [
        ((401, {"code": "900421", "description": "MFA"}), MfaRequired, "multi-factor"),
        ((401, {"code": "400", "description": "Access denied"}), SignInFailed, "api.partnercenter.microsoft.com"),
        (
            (403, {"code": "403", "description": "no role"}),
            SignInFailed,
            "Billing admin, Admin agent, Sales agent, Help",
        ),
    ],
)
def test_a_refused_sign_in_names_the_remedy_for_this_host(
    webhooks: Webhooks,
    service: ScriptedService,
    answer: Answer,
    response: tuple[int, object],
    raised: type[SignInFailed],
    remedy: str,
) -> None:
    service.set_script(answer(response[0], json=response[1]))
    with pytest.raises(raised) as refused:
        webhooks.read_registration()
    assert remedy in refused.value.remedy


def test_a_refused_body_and_throttling_have_different_errors(
    webhooks: Webhooks, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(400, json={"code": "800002", "description": "The event is not registered."}))
    with pytest.raises(Rejected) as rejected:
        webhooks.send_test_event()
    assert (rejected.value.cause.code, rejected.value.cause.reason) == ("800002", "The event is not registered.")
    assert "opportunity" not in rejected.value.cause.remedy

    service.set_script(
        answer(429, json={"statusCode": 429, "message": "Rate limit is exceeded. Try again in 31 seconds."})
    )
    with pytest.raises(Throttled) as throttled:
        webhooks.send_test_event()
    assert throttled.value.after == 31


@pytest.mark.parametrize("body", ['{"correlationId": "abc-1"}', '{"CorrelationId": "abc-1"}', '"abc-1"'])
def test_the_id_of_a_test_event_is_read_from_an_object_or_a_string(
    webhooks: Webhooks, service: ScriptedService, answer: Answer, body: str
) -> None:
    service.set_script(answer(text=body))
    assert webhooks.send_test_event() == "abc-1"
    (request,) = service.requests
    assert (request.method, request.url.path) == ("POST", "/webhooks/v1/registration/validationEvents")
    assert (request.content, request.headers["Content-Length"]) == (b"", "0")


@pytest.mark.parametrize("body", ["{}", "null", '"a/../b"', '{"correlationId": 7}', "no"])
def test_a_test_event_without_a_usable_id_is_ambiguous(
    webhooks: Webhooks, service: ScriptedService, answer: Answer, body: str
) -> None:
    service.set_script(answer(text=body))
    with pytest.raises(Ambiguous):
        webhooks.send_test_event()


def validation_body(status: str, *codes: str) -> dict[str, object]:
    results = [{"responseCode": code, "systemError": not code, "dateTimeUtc": "2026-03-04T11:02:48"} for code in codes]
    return {"correlationId": "abc-1", "status": status, "results": results}


def test_a_test_event_is_followed_until_it_has_arrived(
    webhooks: Webhooks, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(
        answer(404, json={"code": "404"}),
        answer(json=validation_body("pending")),
        answer(json=validation_body("pending", "", "Unauthorized")),
        answer(json=validation_body("completed", "", "Unauthorized", "Accepted")),
    )
    attempts: list[int] = []

    state = webhooks.follow_test_event("abc-1", lambda validation: attempts.append(len(validation.attempts)))

    assert (state.is_delivered, attempts) == (True, [0, 0, 2, 3])
    assert [attempt.is_delivered for attempt in state.attempts] == [False, False, True]
    assert service.now == 6


def test_a_test_event_that_was_never_accepted_is_over_and_not_delivered(
    webhooks: Webhooks, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(json=validation_body("completed", *(["InternalServerError"] * 10))))
    state = webhooks.follow_test_event("abc-1")
    assert (state.is_over, state.is_delivered) == (True, False)


def test_a_test_event_is_not_followed_for_ever(webhooks: Webhooks, service: ScriptedService, answer: Answer) -> None:
    service.set_script(answer(json={"Status": "queued", "Results": None}))
    state = webhooks.follow_test_event("abc-1", seconds=5)
    assert (state.is_over, state.status, len(service.requests)) == (False, "queued", 4)


@pytest.mark.parametrize("code", ["OK", "Accepted", "202", "NoContent"])
def test_every_2xx_is_delivered(webhooks: Webhooks, service: ScriptedService, answer: Answer, code: str) -> None:
    service.set_script(answer(json=validation_body("completed", code)))
    assert webhooks.read_validation("abc-1").is_delivered


def test_a_test_event_that_is_no_longer_kept_is_not_found(
    webhooks: Webhooks, service: ScriptedService, answer: Answer
) -> None:
    service.set_script(answer(404, json={"code": "404"}))
    with pytest.raises(NotFound):
        webhooks.read_validation("abc-1")


@pytest.mark.parametrize(
    "url", ["http://hooks.example/v1", "hooks.example", "https://u:p@hooks.example/", "https://[::"]
)
def test_an_address_that_is_not_https_stops_the_start(service: ScriptedService, url: str) -> None:
    with httpx.Client() as client, pytest.raises(ConfigurationError, match="https"):
        Webhooks(url, service.token, service=OverHttpx(client, "https://other.example"))


def test_a_new_token_is_asked_for_once(
    webhooks: Webhooks, service: ScriptedService, answer: Callable[..., httpx.Response]
) -> None:
    service.set_script(answer(401, json={"code": "400"}), answer(json=registration_body()))
    assert webhooks.read_registration() is not None
    assert service.renewals == [False, True]
