import pytest

from local.host.function_index import Function, problems


def http(
    name: str = "door", *, route: str = "door", methods: tuple[str, ...] = (), level: str = "FUNCTION"
) -> Function:
    trigger = {"type": "httpTrigger", "direction": "IN", "name": "req", "route": route, "authLevel": level}
    return Function(name, name, ({**trigger, "methods": list(methods)} if methods else trigger,))


def queue(name: str = "worker", queue_name: str = "events") -> Function:
    return Function(name, name, ({"type": "queueTrigger", "direction": "IN", "name": "m", "queueName": queue_name},))


def timer(name: str = "tick", schedule: str = "0 * * * * *", *, retries: bool = False) -> Function:
    binding = {"type": "timerTrigger", "direction": "IN", "name": "t", "schedule": schedule}
    return Function(name, name, (binding,), retries=retries)


def test_a_sound_app_has_no_problems() -> None:
    assert problems([http(), queue(), timer(), http("other", route="door/{id}")], {}) == []


def test_an_empty_app_is_a_problem() -> None:
    assert problems([], {}) == ["the app has no functions"]


@pytest.mark.parametrize(
    ("functions", "complaint"),
    [
        ([http("1door")], "1door: a name is a letter"),
        ([http("Host")], "is not 'host'"),
        ([http("door"), queue("DOOR")], "door and DOOR: names"),
        ([http(route="Administration/x")], "conflicts with a built-in one"),
        ([http(route="runtime")], "conflicts with a built-in one"),
        ([http(route="items/{id:prime}")], "'prime' is not known"),
        ([http(level="EVERYBODY")], "authorisation level"),
        ([http("a", route="X"), http("b", route="x", methods=("GET",))], "a and b share the route 'X'"),
        ([queue(queue_name="%QUEUE%-poison")], "worker: the setting QUEUE is unknown"),
        ([timer(schedule="%WHEN%")], "tick: the setting WHEN is unknown"),
        ([queue(queue_name="No_Queue")], "'No_Queue' is no queue name"),
        ([queue(queue_name="a--b")], "'a--b' is no queue name"),
        ([timer(schedule="0 61 * * * *")], "tick: schedule '0 61 * * * *': in field minute 61"),
        ([timer(retries=True)], "carries out no retry policies"),
        ([Function("f", "f", ({"type": "blobTrigger", "direction": "IN", "name": "b"},))], "type 'blobTrigger'"),
    ],
)
def test_what_the_real_host_or_this_one_would_refuse(functions: list[Function], complaint: str) -> None:
    found = problems(functions, {})

    assert len(found) == 1
    assert complaint in found[0]


def test_the_same_route_with_other_methods_is_allowed() -> None:
    assert problems([http("a", methods=("GET",)), http("b", methods=("POST",))], {}) == []


def test_settings_are_replaced_inside_a_text() -> None:
    function = queue(queue_name="%QUEUE%-poison").expanded({"QUEUE": "events"})

    assert function.queue == "events-poison"
    assert problems([function], {"QUEUE": "events"}) == []
