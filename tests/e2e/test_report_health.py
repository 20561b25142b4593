"""The health endpoint: how the connector stands, for whoever has the function key; neither side is called."""

import re

import pytest

from shared import __version__
from shared.app import app, reset
from tests.e2e.world import Events, World

SECRETS = ("salesforce-private-key", "partner-center-refresh-token", "partner-center-client-secret")


def health(world: World) -> dict[str, object]:
    answer = world.client.get("/api/health", headers={"x-functions-key": world.host.keys.function})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


def test_before_the_first_run_it_says_what_is_set_and_that_nothing_ran(world: World) -> None:
    assert health(world) == {
        "version": __version__,
        "environment": "production",
        "mode": "on",
        "paused": [],
        "commit": None,
        "mapping": app().translation.hash,
        "push_age_seconds": None,
        "sweep_age_seconds": None,
    }
    assert re.fullmatch(r"[0-9a-f]{8,64}", app().translation.hash)


def test_each_run_leaves_its_age(world: World) -> None:
    world.host.fire("push_opportunities")
    after_push = health(world)
    world.host.fire("sweep_referrals")
    after_sweep = health(world)

    assert (after_push["push_age_seconds"], after_push["sweep_age_seconds"]) in {(0, None), (1, None)}
    assert after_sweep["sweep_age_seconds"] in {0, 1}


def test_it_calls_neither_side_and_reads_no_secret(world: World, logged: Events) -> None:
    health(world)

    assert world.remote_calls() == 0
    assert logged.all == []


def test_it_says_what_is_paused_and_in_which_mode(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC", "preview")
    monkeypatch.setenv("PULL_PAUSED", "true")
    monkeypatch.setenv("ENVIRONMENT", "staging")
    reset()

    told = health(world)

    assert (told["mode"], told["paused"], told["environment"]) == ("preview", ["pull"], "staging")


@pytest.mark.parametrize("headers", [{}, {"x-functions-key": ""}, {"x-functions-key": "guess"}])
def test_without_the_function_key_it_says_nothing(world: World, headers: dict[str, str]) -> None:
    answer = world.client.get("/api/health", headers=headers)

    assert (answer.status_code, answer.content) == (401, b"")


def test_it_shows_no_secret_and_no_address(world: World) -> None:
    world.seller_creates()
    world.host.fire("push_opportunities")
    told = str(health(world))

    shelf = world.systems.vault.shelf
    values = [shelf.find(name).latest.value for name in SECRETS]
    shown = [value for value in (*values, *world.systems.environ.values()) if len(value) > 12 and value in told]
    assert shown == []
