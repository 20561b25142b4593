"""The HTTP side of the host: routes and keys of HTTP functions."""

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
    """The host's keys: `master` opens everything, `function` the functions of level function. Made up if not given."""

    master: str = field(default_factory=secrets.token_urlsafe, repr=False)
    function: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def open(self, level: str, request: Request) -> bool:
        """Whether a request may use what asks for `level`: anonymous, function or admin."""
        if level == "anonymous":
            return True
        given = (request.headers.get(KEY_HEADER) or request.query.get(KEY_PARAMETER) or "").encode()
        valid = [self.master, self.function] if level == "function" else [self.master]
        # Every key is compared, in constant time, so that the time of an answer says nothing about any of them.
        return any([hmac.compare_digest(given, key.encode()) for key in valid])  # noqa: C419 - a generator stops early


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An HTTP function at its route."""

    route: Route
    function: Function


class Front:
    """Finds the function of a request, asks for its key, runs it and answers."""

    def __init__(
        self, functions: Iterable[Function], prefix: str, keys: Keys, run: Callable[[Function, Call], Outcome]
    ) -> None:
        """`prefix` stands before every route, without slashes at its ends."""
        self._keys = keys
        self._run = run
        endpoints = [Endpoint(_route(prefix, function), function) for function in functions if function.kind == HTTP]
        self._endpoints = sorted(endpoints, key=lambda endpoint: endpoint.route.precedence)
        self.base_url = ""

    def handle(self, request: Request) -> Response:
        """Answer 401 without the key, 404 where no function listens, 500 with an empty body where it failed."""
        path = request.path.strip("/")
        if not path:
            return Response(204)
        for endpoint in self._endpoints:
            function = endpoint.function
            if function.methods and request.method not in function.methods:
                continue
            parameters = endpoint.route.match(path)
            if parameters is not None:
                return self._call(function, request, parameters)
        return Response(404)

    def _call(self, function: Function, request: Request, parameters: dict[str, str]) -> Response:
        if not self._keys.open(function.level, request):
            return Response(401)
        query = f"?{urlencode(request.query)}" if request.query else ""
        call = http_call(request, f"{self.base_url}{quote(request.path)}{query}", parameters)
        try:
            return answer(function, self._run(function, call))
        except InvocationFailed:
            return Response(500)


def _route(prefix: str, function: Function) -> Route:
    return Route.parse("/".join(part for part in (prefix, function.route) if part))


def answer(function: Function, outcome: Outcome) -> Response:
    """The response that a run amounts to: what it returned, or what it put into its HTTP output; else 204."""
    named = (outcome.outputs.get(str(binding["name"])) for binding in function.outputs if binding["type"] == "http")
    value = outcome.returned if outcome.returned is not None else next(named, None)
    match value:
        case HttpAnswer(status, headers, body):
            return Response(status, body, headers)
        case None:
            return Response(204)
        case _:
            return Response(200, str(value).encode(), {"Content-Type": "text/plain; charset=utf-8"})
