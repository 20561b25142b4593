"""Checks the host with the sample app. test_sample_app.py runs it in a process of its own."""

import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Protocol, cast

import httpx
import pytest

from emulators.base.certificate_authority import Authority
from local.host.functions_host import Host
from local.host.http_functions import Keys
from local.host.invocations import InvocationFailed
from local.host.queues import EmbeddedQueues
from shared.foundation.errors import ConfigurationError
from tests.unit.local.host.doubles import SteppedClock, wait_until

APP = Path(__file__).parent / "app"
SETTINGS = {"SAMPLE_QUEUE": "sample-events", "SAMPLE_SCHEDULE": "0 */5 * * * *"}
MASTER = {"x-functions-key": "the-master-key"}


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def host(clock: SteppedClock, tmp_path: Path) -> Iterator[Host]:
    keys = Keys(master="the-master-key", function="the-function-key")
    with Host(APP, environ=SETTINGS, clock=clock, keys=keys, timer_status=tmp_path / "timers.json") as host:
        host.start()
        yield host


@pytest.fixture
def client(host: Host) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, trust_env=False, timeout=60) as client:
        yield client


class Sample(Protocol):
    """The module of the sample app, as far as the tests use it."""

    SEEN: list[str]
    GO_ON: Event


@pytest.fixture
def app(host: Host) -> Sample:
    assert host.functions
    module = cast("Sample", sys.modules["function_app"])
    module.SEEN.clear()
    module.GO_ON.clear()
    return module


def test_the_index_is_complete(host: Host) -> None:
    assert host.list_problems() == []
    assert set(host.functions) == {
        "show_item", "receive", "receive_many", "apply", "record_poison", "tick", "only_admins", "fail", "sleep_long",
        "set_cookie", "catch_all",
    }  # fmt: skip
    assert host.functions["record_poison"].queue_name == "sample-events-poison"


def test_a_function_sees_the_whole_request(host: Host, client: httpx.Client) -> None:
    answer = client.post("/api/items/7/notes?a=1&b=%20x&code=the-function-key", content=b"hello")

    report = answer.json()
    assert (answer.status_code, answer.headers["X-Shown"]) == (201, "1")
    assert (report["method"], report["body"]) == ("POST", "hello")
    assert report["route"] == {"id": "7", "part": "notes"}
    assert report["query"] == {"a": "1", "b": " x", "code": "the-function-key"}
    assert report["url"].startswith(f"{host.url}/api/items/7/notes?a=1&")
    assert report["agent"].startswith("python-httpx")


def test_routes_methods_and_keys(client: httpx.Client) -> None:
    function = {"x-functions-key": "the-function-key"}
    expected = {
        ("GET", "/api/items/7", "none"): 401,
        ("GET", "/api/items/7", "wrong"): 401,
        ("GET", "/api/items/7", "function"): 201,
        ("GET", "/api/items/7", "master"): 201,
        ("GET", "/api/chiefs", "function"): 401,
        ("GET", "/api/chiefs", "master"): 200,
        ("GET", "/api/items/seven", "function"): 200,  # the catch-all route matches
        ("DELETE", "/api/items/7", "function"): 200,  # as above, because the item's route does not have this method
        ("GET", "/elsewhere", "master"): 404,
        ("GET", "/", "none"): 204,
    }
    headers = {"none": {}, "wrong": {"x-functions-key": "guess"}, "function": function, "master": MASTER}

    answers = {case: client.request(case[0], case[1], headers=headers[case[2]]).status_code for case in expected}

    assert answers == expected


def test_a_returned_text_is_the_body_and_the_trace_context_reaches_the_function(client: httpx.Client) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    answer = client.get("/api/chiefs", headers={**MASTER, "traceparent": trace})

    assert (answer.text, answer.headers["Content-Type"]) == (f"GET {trace}", "text/plain; charset=utf-8")


def test_a_failing_function_is_answered_500_without_a_reason_and_kept_by_name(host: Host, client: httpx.Client) -> None:
    answer = client.get("/api/failing")

    assert (answer.status_code, answer.content) == (500, b"")
    assert [(f.function, f.error_type, f.message) for f in host.failures] == [("fail", "KeyError", "'GET'")]


def test_a_function_that_takes_too_long_is_answered_500(host: Host, client: httpx.Client) -> None:
    assert client.get("/api/slow").status_code == 500
    assert [(f.function, f.error_type) for f in host.failures] == [("sleep_long", "FunctionTimeout")]


def test_a_cookie_is_sent_with_its_attributes(client: httpx.Client) -> None:
    answer = client.get("/api/cookie")

    assert (answer.status_code, answer.text) == (200, "GET")
    assert answer.headers["Set-Cookie"] == "a=b; Max-Age=5; Path=/; SameSite=Lax"


def test_a_message_that_a_function_puts_into_a_queue_is_applied(host: Host, client: httpx.Client, app: Sample) -> None:
    assert client.post("/api/events", content="Grüße").status_code == 202
    host.wait_idle(60)

    assert app.SEEN == ["Grüße 1"]


def test_each_element_of_a_list_becomes_a_message(host: Host, client: httpx.Client, app: Sample) -> None:
    assert client.post("/api/many", json=["a", "b", "c"]).status_code == 204
    host.wait_idle(60)

    assert sorted(app.SEEN) == ["a 1", "b 1", "c 1"]


def test_a_message_too_large_for_the_queue_fails_the_request(host: Host, client: httpx.Client, app: Sample) -> None:
    assert client.post("/api/events", content=b"x" * (48 * 1024 + 1)).status_code == 500

    assert [failure.error_type for failure in host.failures] == ["MessageTooLarge"]
    assert app.SEEN == []


def test_a_message_that_fails_is_tried_again_and_moves_to_the_poison_queue(
    host: Host, client: httpx.Client, app: Sample, clock: SteppedClock
) -> None:
    def has_tried(times: int) -> bool:
        return len(app.SEEN) == times and not host._invocations.activity.running

    client.post("/api/events", content="bad")
    for tries in (1, 2):
        wait_until(partial(has_tried, tries))
        with pytest.raises(TimeoutError, match="1 messages in sample-events"):
            host.wait_idle(0.2)
        assert len(app.SEEN) == tries
        clock.advance(30)
    host.wait_idle(60)

    assert app.SEEN == ["bad 1", "bad 2", "bad 3", "poison bad"]
    assert [failure.message for failure in host.failures] == ["cannot be applied"] * 3


def test_idle_means_that_nothing_runs(host: Host, client: httpx.Client, app: Sample) -> None:
    client.post("/api/events", content="wait")
    wait_until(lambda: len(app.SEEN) == 1)
    with pytest.raises(TimeoutError, match="a function is running, 1 messages in sample-events"):
        host.wait_idle(0.1)

    app.GO_ON.set()
    host.wait_idle(60)


def test_a_timer_runs_by_hand_and_on_schedule(host: Host, app: Sample, clock: SteppedClock) -> None:
    host.run_now("tick")
    assert app.SEEN == ["tick past_due=False"]

    clock.advance(600)
    assert host._timers["tick"].run_if_due()
    assert app.SEEN == ["tick past_due=False"] * 2


def test_a_timer_that_is_run_by_hand_raises_its_failure(
    host: Host, app: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLE_TIMER_FAILS", "1")

    with pytest.raises(InvocationFailed, match="tick failed: RuntimeError: the other side does not answer"):
        host.run_now("tick")
    assert app.SEEN == []


def test_the_admin_endpoints_need_the_master_key(client: httpx.Client) -> None:
    for path in ("/admin/host/status", "/admin/functions", "/admin/functions/tick", "/ADMIN/nothing"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"x-functions-key": "the-function-key"}).status_code == 401
    assert client.get("/admin/host/status", headers=MASTER).json()["state"] == "Running"
    assert {function["name"] for function in client.get("/admin/functions", headers=MASTER).json()} >= {"tick", "apply"}
    assert client.get("/admin/functions/Tick?code=the-master-key").json()["name"] == "tick"
    assert client.get("/admin/nothing", headers=MASTER).status_code == 404


def test_a_function_of_any_trigger_runs_by_hand(host: Host, client: httpx.Client, app: Sample) -> None:
    def run_by_hand(name: str, value: object, query: str = "") -> int:
        return client.post(f"/admin/functions/{name}{query}", json={"input": value}, headers=MASTER).status_code

    assert run_by_hand("tick", None) == 202
    assert app.SEEN == ["tick past_due=False"]  # the answer comes after a timer's run has ended
    assert run_by_hand("apply", "by hand") == 202
    assert run_by_hand("show_item", {"a": 1}) == 202
    host.wait_idle(60)
    assert "by hand 1" in app.SEEN
    assert run_by_hand("nobody", None) == 404
    assert client.post("/admin/functions/tick", content="{", headers=MASTER).status_code == 400
    assert host.failures == []


def test_a_caller_that_waits_for_a_run_by_hand_gets_the_failure(
    host: Host, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLE_TIMER_FAILS", "1")

    waited = client.post("/admin/functions/tick?wait=true", json={}, headers=MASTER)
    unwaited = client.post("/admin/functions/tick", json={}, headers=MASTER)

    assert (waited.status_code, unwaited.status_code) == (500, 202)
    assert waited.json() == {"function": "tick", "type": "RuntimeError", "error": "the other side does not answer"}
    assert len(host.failures) == 2


def test_the_host_serves_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Host(APP, environ=SETTINGS) as host:
        host.start(tls=authority.server_context())
        with httpx.Client(base_url=host.url, verify=authority.client_context(), trust_env=False, timeout=60) as client:
            assert client.get("/api/anything").text == "rest anything"


def test_messages_in_a_file_are_applied_by_the_next_host(tmp_path: Path, app: Sample) -> None:
    app.SEEN.clear()
    before = EmbeddedQueues(tmp_path / "queues.sqlite")
    before.put_message("sample-events", "kept")
    before.close()
    after = EmbeddedQueues(tmp_path / "queues.sqlite")
    with Host(APP, environ=SETTINGS, queue=after) as host:
        host.start()
        host.wait_idle(60)
    after.close()

    assert app.SEEN == ["kept 1"]


def test_the_host_does_not_start_with_a_missing_setting() -> None:
    with Host(APP, environ={"SAMPLE_SCHEDULE": "0 * * * * *"}) as host:
        assert len(host.list_problems()) == 4
        with pytest.raises(ConfigurationError, match="receive: the setting SAMPLE_QUEUE is not set"):
            host.start()


def test_the_environment_is_restored_when_the_host_stops() -> None:
    with Host(APP, environ=SETTINGS):
        assert os.environ["SAMPLE_QUEUE"] == "sample-events"

    assert "SAMPLE_QUEUE" not in os.environ


def test_a_second_app_in_one_process_is_refused(host: Host, tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    assert host.url

    with pytest.raises(ConfigurationError, match="a process can load one app only"):
        Host(tmp_path, environ={"ANOTHER": "1"})
    assert "ANOTHER" not in os.environ


def test_parallel_requests_are_all_answered(host: Host, client: httpx.Client, app: Sample) -> None:
    def post_event(number: int) -> None:
        assert client.post("/api/events", content=str(number)).status_code == 202

    threads = [Thread(target=post_event, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    host.wait_idle(60)

    assert sorted(app.SEEN) == sorted(f"{number} 1" for number in range(40))
