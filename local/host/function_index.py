"""Describes the functions of an app, and checks the rules that only the real host checks.

The worker library reports the functions. The rules are about names, reserved routes, shared routes and settings:
docs/reference/azure.md#rules-of-the-function-index.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from local.host.route_templates import Route
from shared.settings.schedules import parse_schedule

HTTP, QUEUE, TIMER = "httpTrigger", "queueTrigger", "timerTrigger"
OUTPUTS = frozenset({"http", "queue"})
RESERVED = ("admin", "runtime")
LEVELS = frozenset({"anonymous", "function", "admin"})

_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_SETTING = re.compile(r"%([^%\s]+)%")

Binding = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its name, its id in the worker library, and its bindings as in a `function.json`."""

    name: str
    id: str
    bindings: tuple[Binding, ...]
    retries: bool = False

    @property
    def trigger_binding(self) -> Binding:
        """The binding that starts the function."""
        return next(b for b in self.bindings if str(b["type"]).endswith("Trigger"))

    @property
    def trigger_type(self) -> str:
        """The type of its trigger, such as `httpTrigger`."""
        return str(self.trigger_binding["type"])

    @property
    def output_bindings(self) -> tuple[Binding, ...]:
        """The bindings that the function writes to."""
        return tuple(b for b in self.bindings if b["direction"] == "OUT")

    @property
    def route_template(self) -> str:
        """The route template of an HTTP function, without the prefix."""
        return str(self.trigger_binding.get("route") or self.name).strip("/")

    @property
    def http_methods(self) -> frozenset[str]:
        """The methods of an HTTP function in upper case; empty means all methods."""
        return frozenset(str(method).upper() for method in self.trigger_binding.get("methods") or ())

    @property
    def auth_level(self) -> str:
        """The authorisation level of an HTTP function: `anonymous`, `function` or `admin`."""
        return str(self.trigger_binding.get("authLevel", "function")).lower()

    @property
    def queue_name(self) -> str:
        """The name of the queue that starts a queue function."""
        return str(self.trigger_binding["queueName"])

    def with_settings(self, environ: Mapping[str, str]) -> "Function":
        """A copy in which each `%SETTING%` is replaced by its value; unknown settings stay."""
        return replace(self, bindings=tuple(_replace_in_binding(b, environ) for b in self.bindings))


def replace_settings(text: str, environ: Mapping[str, str]) -> str:
    """Replace each `%SETTING%` in a text by its value; unknown settings stay."""
    return _SETTING.sub(lambda match: environ.get(match[1], match[0]), text)


def _replace_in_binding(binding: Binding, environ: Mapping[str, str]) -> Binding:
    return {
        name: replace_settings(value, environ) if isinstance(value, str) else value for name, value in binding.items()
    }


def find_problems(functions: Sequence[Function], environ: Mapping[str, str]) -> list[str]:
    """Everything that the real host or this host would refuse, one sentence each."""
    if not functions:
        return ["the app has no functions"]
    all_problems = [*_name_problems(functions), *_route_problems(functions)]
    for function in functions:
        all_problems += _setting_problems(function, environ)
        all_problems += _binding_problems(function)
    return all_problems


def _name_problems(functions: Sequence[Function]) -> Iterator[str]:
    for function in functions:
        if not _NAME.fullmatch(function.name) or function.name.lower() == "host":
            yield f"{function.name}: a name must be a letter and up to 127 letters, digits, _ or -, but not 'host'"
    for one, other in combinations(functions, 2):
        if one.name.lower() == other.name.lower():
            yield f"{one.name} and {other.name}: names of functions must differ in more than case"


def _route_problems(functions: Sequence[Function]) -> Iterator[str]:
    routed = [function for function in functions if function.trigger_type == HTTP]
    for function in routed:
        if function.route_template.lower().startswith(RESERVED):
            reserved = " or ".join(RESERVED)
            yield f"{function.name}: the route {function.route_template!r} must not begin with {reserved}"
        if function.auth_level not in LEVELS:
            yield f"{function.name}: the authorisation level must be one of {', '.join(sorted(LEVELS))}"
        yield from _template_problems(function)
    for one, other in combinations(routed, 2):
        if one.route_template.lower() == other.route_template.lower() and _methods_overlap(one, other):
            yield f"{one.name} and {other.name} have the same route {one.route_template!r} and a common method"


def _template_problems(function: Function) -> Iterator[str]:
    try:
        Route.parse(function.route_template)
    except ValueError as error:
        yield f"{function.name}: route {function.route_template!r}: {error}"


def _methods_overlap(one: Function, other: Function) -> bool:
    return not one.http_methods or not other.http_methods or bool(one.http_methods & other.http_methods)


def _setting_problems(function: Function, environ: Mapping[str, str]) -> Iterator[str]:
    for binding in function.bindings:
        for name in sorted(_setting_names(binding)):
            if name not in environ:
                yield f"{function.name}: the setting {name} is not set: set it in the environment, as {name}=value"


def _setting_names(binding: Binding) -> set[str]:
    return {name for value in binding.values() if isinstance(value, str) for name in _SETTING.findall(value)}


def _binding_problems(function: Function) -> Iterator[str]:
    for binding in function.bindings:
        kind = str(binding["type"])
        if kind not in {HTTP, QUEUE, TIMER, *OUTPUTS}:
            yield f"{function.name}: the local host does not support bindings of type {kind!r}"
        queue = str(binding.get("queueName", ""))
        if kind in {QUEUE, "queue"} and not (_SETTING.search(queue) or _QUEUE_NAME.fullmatch(queue)):
            yield f"{function.name}: {queue!r} is not a queue name (3 to 63 lower-case letters, digits, single hyphens)"
    if function.retries:
        yield f"{function.name}: the local host does not support retry policies"
    if function.trigger_type == TIMER:
        yield from _schedule_problems(function)


def _schedule_problems(function: Function) -> Iterator[str]:
    text = str(function.trigger_binding["schedule"])
    if _SETTING.search(text):
        return
    try:
        parse_schedule(text)
    except ValueError as error:
        yield f"{function.name}: the schedule is not right: {error}"
