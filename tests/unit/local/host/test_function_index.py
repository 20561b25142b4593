import pytest

from local.host.function_index import Function, find_problems


def http_function(
    name: str = "webhook", *, route: str = "webhook", methods: tuple[str, ...] = (), level: str = "FUNCTION"
) -> Function:
    trigger = {"type": "httpTrigger", "direction": "IN", "name": "req", "route": route, "authLevel": level}
    return Function(name, name, ({**trigger, "methods": list(methods)} if methods else trigger,))


def queue_function(name: str = "worker", queue_name: str = "events") -> Function:
    return Function(name, name, ({"type": "queueTrigger", "direction": "IN", "name": "m", "queueName": queue_name},))


def timer_function(name: str = "tick", schedule: str = "0 * * * * *", *, retries: bool = False) -> Function:
    binding = {"type": "timerTrigger", "direction": "IN", "name": "t", "schedule": schedule}
    return Function(name, name, (binding,), retries=retries)


def test_a_correct_app_has_no_problems() -> None:
    assert (
        find_problems(
            [http_function(), queue_function(), timer_function(), http_function("other", route="webhook/{id}")], {}
        )
        == []
    )


def test_an_app_without_functions_is_a_problem() -> None:
    assert find_problems([], {}) == ["the app has no functions"]


@pytest.mark.parametrize(
    ("functions", "complaint"),
    [
        ([http_function("1webhook")], "1webhook: a name must be a letter"),
        ([http_function("Host")], "but not 'host'"),
        ([http_function("webhook"), queue_function("WEBHOOK")], "webhook and WEBHOOK: names"),
        ([http_function(route="Administration/x")], "must not begin with admin or runtime"),
        ([http_function(route="runtime")], "must not begin with admin or runtime"),
        ([http_function(route="items/{id:prime}")], "'prime' is unknown"),
        ([http_function(level="EVERYBODY")], "authorisation level"),
        (
            [http_function("a", route="X"), http_function("b", route="x", methods=("GET",))],
            "a and b have the same route 'X'",
        ),
        ([queue_function(queue_name="%QUEUE%-poison")], "worker: the setting QUEUE is not set"),
        ([timer_function(schedule="%WHEN%")], "tick: the setting WHEN is not set"),
        ([queue_function(queue_name="No_Queue")], "'No_Queue' is not a queue name"),
        ([queue_function(queue_name="a--b")], "'a--b' is not a queue name"),
        ([timer_function(schedule="0 61 * * * *")], "tick: the schedule is not right: in the field minute"),
        ([timer_function(retries=True)], "does not support retry policies"),
        ([Function("f", "f", ({"type": "blobTrigger", "direction": "IN", "name": "b"},))], "type 'blobTrigger'"),
    ],
)
def test_an_app_that_the_real_host_or_this_one_refuses_has_one_problem(
    functions: list[Function], complaint: str
) -> None:
    problems = find_problems(functions, {})

    assert len(problems) == 1
    assert complaint in problems[0]


def test_two_functions_may_share_a_route_if_their_methods_differ() -> None:
    assert find_problems([http_function("a", methods=("GET",)), http_function("b", methods=("POST",))], {}) == []


def test_a_setting_is_replaced_within_a_text() -> None:
    function = queue_function(queue_name="%QUEUE%-poison").with_settings({"QUEUE": "events"})

    assert function.queue_name == "events-poison"
    assert find_problems([function], {"QUEUE": "events"}) == []
