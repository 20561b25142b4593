"""Answers HTTP requests with the HTTP functions of the app: finds the route, checks the key, runs the function."""

import hmac
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from emulators.base.server import Request, Response
from local.host.function_index import HTTP, Function
from local.host.route_templates import Route
from local.host.worker import Call, HttpAnswer, InvocationFailed, Outcome, http_call

KEY_HEADER, KEY_PARAMETER = "x-functions-key", "code"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keys:
    """The host's keys, random if not given.

    `master` allows everything. `function` allows functions of the levels anonymous and function.
    """

    master: str = field(default_factory=secrets.token_urlsafe, repr=False)
    function: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def is_allowed(self, level: str, request: Request) -> bool:
        """Whether the request's key allows the level `level`: anonymous, function or admin."""
        if level == "anonymous":
            return True
        sent_key = (request.headers.get(KEY_HEADER) or request.query.get(KEY_PARAMETER) or "").encode()
        valid = [self.master, self.function] if level == "function" else [self.master]
        # All keys are compared, each in constant time. So the time of an answer reveals nothing about a key.
        return any([hmac.compare_digest(sent_key, key.encode()) for key in valid])  # noqa: C419 - a generator would stop at the first match


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An HTTP function and its route."""

    route: Route
    function: Function


class HttpFunctions:
    """All HTTP functions of an app, ready to answer requests."""

    def __init__(
        self, functions: Iterable[Function], prefix: str, keys: Keys, run: Callable[[Function, Call], Outcome]
    ) -> None:
        """`prefix` is put before every route; it has no slash at its ends."""
        self._keys = keys
        self._run = run
        endpoints = [
            Endpoint(_prefixed_route(prefix, function), function)
            for function in functions
            if function.trigger_type == HTTP
        ]
        self._endpoints = sorted(endpoints, key=lambda endpoint: endpoint.route.precedence)
        self.base_url = ""

    def handle(self, request: Request) -> Response:
        """Answer one request.

        The status is 401 if the key is missing or wrong, 404 if no function has a matching route, and 500 with an empty
        body if the function failed.
        """
        path = request.path.strip("/")
        if not path:
            return Response(204)
        for endpoint in self._endpoints:
            function = endpoint.function
            if function.http_methods and request.method not in function.http_methods:
                continue
            parameters = endpoint.route.match_path(path)
            if parameters is not None:
                return self._run_function(function, request, parameters)
        return Response(404)

    def _run_function(self, function: Function, request: Request, parameters: dict[str, str]) -> Response:
        if not self._keys.is_allowed(function.auth_level, request):
            return Response(401)
        query = f"?{urlencode(request.query)}" if request.query else ""
        call = http_call(request, f"{self.base_url}{quote(request.path)}{query}", parameters)
        try:
            return response_from(function, self._run(function, call))
        except InvocationFailed:
            return Response(500)


def _prefixed_route(prefix: str, function: Function) -> Route:
    return Route.parse("/".join(part for part in (prefix, function.route_template) if part))


def response_from(function: Function, outcome: Outcome) -> Response:
    """The response for a run: the returned value, else the value of the HTTP output binding, else status 204."""
    named = (
        outcome.outputs.get(str(binding["name"])) for binding in function.output_bindings if binding["type"] == "http"
    )
    value = outcome.returned if outcome.returned is not None else next(named, None)
    match value:
        case HttpAnswer(status, headers, body):
            return Response(status, body, headers)
        case None:
            return Response(204)
        case _:
            return Response(200, str(value).encode(), {"Content-Type": "text/plain; charset=utf-8"})
