"""The app as Azure would index it (reference/azure.md 1.4)."""

from typing import Any

from local.host.function_index import HTTP, QUEUE, TIMER, Function
from tests.e2e.world import World

FUNCTIONS = {
    "receive_event": HTTP,
    "apply_event": QUEUE,
    "apply_poison": QUEUE,
    "push_opportunities": TIMER,
    "sweep_referrals": TIMER,
    "keep_credentials": TIMER,
    "report_health": HTTP,
}


def trigger(function: Function, *names: str) -> list[Any]:
    return [function.trigger.get(name) for name in names]


def test_the_app_has_these_functions_and_no_others(world: World) -> None:
    assert {name: function.kind for name, function in world.host.functions.items()} == FUNCTIONS


def test_the_host_finds_nothing_to_refuse(world: World) -> None:
    assert world.host.check() == []


def test_http_functions_stand_at_their_routes_with_their_levels(world: World) -> None:
    functions = world.host.functions
    found = {name: (f.route, f.methods, f.level) for name, f in functions.items() if f.kind == HTTP}

    assert found == {
        "receive_event": ("events", frozenset({"POST"}), "anonymous"),
        "report_health": ("health", frozenset({"GET"}), "function"),
    }


def test_queues_and_schedules_are_settings(world: World) -> None:
    functions = world.host.functions

    assert functions["apply_event"].queue == "referral-events"
    assert functions["apply_poison"].queue == "referral-events-poison"
    assert [binding["queueName"] for binding in functions["receive_event"].outputs if binding["type"] == "queue"] == [
        "referral-events"
    ]
    assert trigger(functions["push_opportunities"], "schedule", "runOnStartup", "useMonitor") == [
        "0 * * * * *", False, True,
    ]  # fmt: skip
    assert trigger(functions["sweep_referrals"], "schedule", "runOnStartup", "useMonitor") == [
        "0 */15 * * * *", False, True,
    ]  # fmt: skip
    assert trigger(functions["keep_credentials"], "schedule", "runOnStartup", "useMonitor") == [
        "0 17 3 * * *", False, True,
    ]  # fmt: skip


def test_storage_is_named_by_one_connection(world: World) -> None:
    bindings = [binding for function in world.host.functions.values() for binding in function.bindings]

    assert {binding["connection"] for binding in bindings if "queueName" in binding} == {"AzureWebJobsStorage"}
