"""Answers the host's own endpoints below `/admin`. All of them need the master key.

GET  /admin/host/status           GET /admin/host/ping
GET  /admin/functions             GET /admin/functions/NAME
POST /admin/functions/NAME        the body {"input": ...} runs a function of any trigger

The routes are those of the Azure Functions host. docs/local-host.md lists the differences.
"""

import json
import time
from collections.abc import Callable, Mapping

from emulators.base.server import Request, Response
from local.host.function_index import TIMER, Function
from local.host.http_functions import Keys
from local.host.worker import InvocationFailed

PATH = "/admin"
VERSION = "4.0.0-local"


class AdminApi:
    """Answers every request whose path begins with `/admin`."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        keys: Keys,
        fire: Callable[[str, object], None],
        start: Callable[[str, object], None],
    ) -> None:
        """`run_now` runs a function, waits for its end, and may raise InvocationFailed; `start` does not wait."""
        self._functions = {name.lower(): function for name, function in functions.items()}
        self._keys = keys
        self._run_now = fire
        self._run_in_background = start
        self._started_at = time.monotonic()

    def handle(self, request: Request) -> Response:
        """Answer one request. The status is 401 without the master key, and 404 for an unknown path."""
        if not self._keys.is_allowed("admin", request):
            return Response(401)
        match request.method, request.path.removeprefix(PATH).strip("/").lower().split("/"):
            case "GET", ["host", "status"]:
                uptime = round((time.monotonic() - self._started_at) * 1000)
                return Response.of({"id": "local", "state": "Running", "version": VERSION, "processUptime": uptime})
            case "GET" | "POST", ["host", "ping"]:
                return Response(200)
            case "GET", ["functions"]:
                return Response.of([_describe_function(function) for function in self._functions.values()])
            case method, ["functions", name] if name in self._functions:
                return self._answer_function(method, self._functions[name], request)
        return Response(404)

    def _answer_function(self, method: str, function: Function, request: Request) -> Response:
        if method == "GET":
            return Response.of(_describe_function(function))
        if method != "POST":
            return Response(405)
        try:
            value = _read_input(request)
        except ValueError:
            return Response.of({"error": 'the body must be JSON such as {"input": "..."}'}, 400)
        wait = request.query.get("wait", "").lower() == "true"
        if function.trigger_type != TIMER and not wait:
            self._run_in_background(function.name, value)
            return Response(202)
        return self._run_and_answer(function, value, show_failure=wait)

    def _run_and_answer(self, function: Function, value: object, *, show_failure: bool) -> Response:
        try:
            self._run_now(function.name, value)
        except InvocationFailed as error:
            failure = {"function": error.function, "type": error.error_type, "error": error.message}
            return Response.of(failure, 500) if show_failure else Response(202)
        return Response(202)


def _read_input(request: Request) -> object:
    match request.json():
        case None:
            return None
        case {**content}:
            return content.get("input")
        case _:
            raise ValueError("the body is not a JSON object")


def _describe_function(function: Function) -> dict[str, object]:
    config = {"name": function.name, "bindings": json.loads(json.dumps(function.bindings))}
    return {"name": function.name, "language": "python", "isDisabled": False, "config": config}
