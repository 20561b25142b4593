"""The health endpoint reports the connector's state to callers with the function key. It calls neither side."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from shared import __version__
from shared.app import app, reset
from shared.domain.deal import Side
from shared.store.stored_values import SideState
from tests.e2e.world import LogEvents, World

SECRETS = ("salesforce-private-key", "partner-center-refresh-token", "partner-center-client-secret")


def read_health(world: World) -> dict[str, object]:
    answer = world.client.get("/api/health", headers={"x-functions-key": world.host.keys.function})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


def test_before_the_first_run_it_reports_the_settings_and_no_ages(world: World) -> None:
    assert read_health(world) == {
        "version": __version__,
        "environment": "production",
        "mode": "on",
        "paused": [],
        "paused_sides": {},
        "commit": None,
        "mapping": app().translation.hash,
        "package": None,
        "wrong_organization": None,
        "push_age_seconds": None,
        "sweep_age_seconds": None,
    }
    assert re.fullmatch(r"[0-9a-f]{8,64}", app().translation.hash)


def test_it_reports_the_age_of_the_last_push_and_the_last_sweep(world: World) -> None:
    world.host.run_now("push_opportunities")
    after_push = read_health(world)
    world.host.run_now("sweep_referrals")
    after_sweep = read_health(world)

    assert (after_push["push_age_seconds"], after_push["sweep_age_seconds"]) in {(0, None), (1, None)}
    assert after_sweep["sweep_age_seconds"] in {0, 1}


def test_it_names_the_package_that_the_last_run_found_and_what_it_lacks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC", "off")
    reset()
    world.host.run_now("push_opportunities")
    assert read_health(world)["package"] is None
    world.host.run_now("keep_credentials")
    assert read_health(world)["package"] == {"version": __version__, "missing": []}


def test_it_calls_neither_side_and_reads_no_secret(world: World, log_events: LogEvents) -> None:
    read_health(world)

    assert world.count_remote_calls() == 0
    assert log_events.all == []


def test_it_reports_the_mode_and_the_paused_directions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC", "preview")
    monkeypatch.setenv("PULL_PAUSED", "true")
    monkeypatch.setenv("ENVIRONMENT", "staging")
    reset()

    report = read_health(world)

    assert (report["mode"], report["paused"], report["environment"]) == ("preview", ["pull"], "staging")


def test_it_reports_the_sides_that_are_paused_and_a_skipped_run_logs_them(world: World, log_events: LogEvents) -> None:
    until = datetime.now(UTC) + timedelta(minutes=10)
    app().store.write_side_state(Side.SALESFORCE, SideState(until, "sign_in"))
    world.host.run_now("push_opportunities")

    assert read_health(world)["paused_sides"] == {"salesforce": {"reason": "sign_in", "until": until.isoformat()}}
    [event] = log_events.events_named("side_still_paused")
    assert (event["side"], event["reason"], 590 <= event["seconds"] <= 600) == ("salesforce", "sign_in", True)
    assert world.count_remote_calls() == 0


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": ""}, {"x-functions-key": "guess"}])
def test_without_the_function_key_it_reports_nothing(world: World, headers: dict[str, str]) -> None:
    answer = world.client.get("/api/health", headers=headers)

    assert (answer.status_code, answer.content) == (401, b"")


def test_it_shows_no_secret_and_no_address(world: World) -> None:
    world.seller_creates()
    world.host.run_now("push_opportunities")
    report_text = str(read_health(world))

    secret_store = world.systems.vault.secret_store
    values = [secret_store.find(name).latest.value for name in SECRETS]
    shown = [value for value in (*values, *world.systems.environ.values()) if len(value) > 12 and value in report_text]
    assert shown == []
