"""The functions of an app as the index reports them, and the rules that only the real host checks.

Source of the rules: reference/azure.md 1.4 (names, reserved routes, shared routes, settings).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from local.host.route_templates import Route
from local.host.schedules import parse

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
    """One function: its name, the library's id for it, and its bindings as `function.json` would spell them."""

    name: str
    id: str
    bindings: tuple[Binding, ...]
    retries: bool = False

    @property
    def trigger(self) -> Binding:
        """The binding that starts it."""
        return next(b for b in self.bindings if str(b["type"]).endswith("Trigger"))

    @property
    def kind(self) -> str:
        """The type of its trigger, such as `httpTrigger`."""
        return str(self.trigger["type"])

    @property
    def outputs(self) -> tuple[Binding, ...]:
        """The bindings it writes to."""
        return tuple(b for b in self.bindings if b["direction"] == "OUT")

    @property
    def route(self) -> str:
        """The route template of an HTTP function, without the prefix."""
        return str(self.trigger.get("route") or self.name).strip("/")

    @property
    def methods(self) -> frozenset[str]:
        """The methods of an HTTP function, upper case; empty means all."""
        return frozenset(str(method).upper() for method in self.trigger.get("methods") or ())

    @property
    def level(self) -> str:
        """Whose key an HTTP function asks for: `anonymous`, `function` or `admin`."""
        return str(self.trigger.get("authLevel", "function")).lower()

    @property
    def queue(self) -> str:
        """The queue of a queue function."""
        return str(self.trigger["queueName"])

    def expanded(self, environ: Mapping[str, str]) -> "Function":
        """The same with every `%SETTING%` replaced; unknown ones stay."""
        return replace(self, bindings=tuple(_expanded(b, environ) for b in self.bindings))


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Replace every `%SETTING%` in a text by its value; unknown ones stay."""
    return _SETTING.sub(lambda match: environ.get(match[1], match[0]), text)


def _expanded(binding: Binding, environ: Mapping[str, str]) -> Binding:
    return {name: expand(value, environ) if isinstance(value, str) else value for name, value in binding.items()}


def problems(functions: Sequence[Function], environ: Mapping[str, str]) -> list[str]:
    """Everything that the real host (or this one) would refuse, one sentence each."""
    if not functions:
        return ["the app has no functions"]
    found = [*_name_problems(functions), *_route_problems(functions)]
    for function in functions:
        found += _setting_problems(function, environ)
        found += _binding_problems(function)
    return found


def _name_problems(functions: Sequence[Function]) -> Iterator[str]:
    for function in functions:
        if not _NAME.fullmatch(function.name) or function.name.lower() == "host":
            yield f"{function.name}: a name is a letter, then up to 127 letters, digits, _ or -, and is not 'host'"
    for one, other in combinations(functions, 2):
        if one.name.lower() == other.name.lower():
            yield f"{one.name} and {other.name}: names of functions differ in more than case"


def _route_problems(functions: Sequence[Function]) -> Iterator[str]:
    routed = [function for function in functions if function.kind == HTTP]
    for function in routed:
        if function.route.lower().startswith(RESERVED):
            yield f"{function.name}: the route {function.route!r} conflicts with a built-in one ({', '.join(RESERVED)})"
        if function.level not in LEVELS:
            yield f"{function.name}: the authorisation level is none of {', '.join(sorted(LEVELS))}"
        yield from _template_problems(function)
    for one, other in combinations(routed, 2):
        if one.route.lower() == other.route.lower() and _methods_overlap(one, other):
            yield f"{one.name} and {other.name} share the route {one.route!r} and a method"


def _template_problems(function: Function) -> Iterator[str]:
    try:
        Route.parse(function.route)
    except ValueError as error:
        yield f"{function.name}: route {function.route!r}: {error}"


def _methods_overlap(one: Function, other: Function) -> bool:
    return not one.methods or not other.methods or bool(one.methods & other.methods)


def _setting_problems(function: Function, environ: Mapping[str, str]) -> Iterator[str]:
    for binding in function.bindings:
        for name in sorted(_settings(binding)):
            if name not in environ:
                yield f"{function.name}: the setting {name} is unknown: set it in the environment, as {name}=value"


def _settings(binding: Binding) -> set[str]:
    return {name for value in binding.values() if isinstance(value, str) for name in _SETTING.findall(value)}


def _binding_problems(function: Function) -> Iterator[str]:
    for binding in function.bindings:
        kind = str(binding["type"])
        if kind not in {HTTP, QUEUE, TIMER, *OUTPUTS}:
            yield f"{function.name}: the local host does not carry bindings of type {kind!r}"
        queue = str(binding.get("queueName", ""))
        if kind in {QUEUE, "queue"} and not (_SETTING.search(queue) or _QUEUE_NAME.fullmatch(queue)):
            yield f"{function.name}: {queue!r} is no queue name (3 to 63 lower-case letters, digits and single hyphens)"
    if function.retries:
        yield f"{function.name}: the local host carries out no retry policies"
    if function.kind == TIMER:
        yield from _schedule_problems(function)


def _schedule_problems(function: Function) -> Iterator[str]:
    text = str(function.trigger["schedule"])
    if _SETTING.search(text):
        return
    try:
        parse(text)
    except ValueError as error:
        yield f"{function.name}: schedule {text!r}: {error}"
