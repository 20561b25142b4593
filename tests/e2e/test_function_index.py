"""Azure finds these functions in the app: docs/reference/azure.md#rules-of-the-function-index."""

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
    "compare_deals": TIMER,
    "copy_store": TIMER,
    "report_health": HTTP,
}


def trigger_values(function: Function, *names: str) -> list[Any]:
    return [function.trigger_binding.get(name) for name in names]


def test_the_app_has_these_functions_and_no_others(world: World) -> None:
    assert {name: function.trigger_type for name, function in world.host.functions.items()} == FUNCTIONS


def test_the_host_finds_no_problems(world: World) -> None:
    assert world.host.list_problems() == []


def test_http_functions_have_their_routes_methods_and_levels(world: World) -> None:
    functions = world.host.functions
    routes = {
        name: (f.route_template, f.http_methods, f.auth_level)
        for name, f in functions.items()
        if f.trigger_type == HTTP
    }

    assert routes == {
        "receive_event": ("events", frozenset({"POST"}), "anonymous"),
        "report_health": ("health", frozenset({"GET"}), "function"),
    }


def test_queue_names_and_schedules_come_from_settings(world: World) -> None:
    functions = world.host.functions

    assert functions["apply_event"].queue_name == "referral-events"
    assert functions["apply_poison"].queue_name == "referral-events-poison"
    assert [
        binding["queueName"] for binding in functions["receive_event"].output_bindings if binding["type"] == "queue"
    ] == ["referral-events"]
    assert trigger_values(functions["push_opportunities"], "schedule", "runOnStartup", "useMonitor") == [
        "0 * * * * *", False, True,
    ]  # fmt: skip
    assert trigger_values(functions["sweep_referrals"], "schedule", "runOnStartup", "useMonitor") == [
        "0 */15 * * * *", False, True,
    ]  # fmt: skip
    assert trigger_values(functions["keep_credentials"], "schedule", "runOnStartup", "useMonitor") == [
        "0 17 3 * * *", False, True,
    ]  # fmt: skip
    assert trigger_values(functions["compare_deals"], "schedule", "runOnStartup", "useMonitor") == [
        "0 23,53 2-5 * * *", False, True,
    ]  # fmt: skip


def test_all_queue_bindings_use_one_connection(world: World) -> None:
    bindings = [binding for function in world.host.functions.values() for binding in function.bindings]

    assert {binding["connection"] for binding in bindings if "queueName" in binding} == {"AzureWebJobsStorage"}
