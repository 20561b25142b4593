"""The host's own endpoints under `/admin`, all of them behind the master key.

GET  /admin/host/status           GET /admin/host/ping
GET  /admin/functions             GET /admin/functions/NAME
POST /admin/functions/NAME        {"input": ...} runs any trigger by hand
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


class Admin:
    """Answers what begins with `/admin`."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        keys: Keys,
        fire: Callable[[str, object], None],
        start: Callable[[str, object], None],
    ) -> None:
        """`fire` runs a function and waits, raising InvocationFailed; `start` runs it behind the scene."""
        self._functions = {name.lower(): function for name, function in functions.items()}
        self._keys = keys
        self._fire = fire
        self._start = start
        self._began = time.monotonic()

    def handle(self, request: Request) -> Response:
        """Answer one request; 401 without the master key."""
        if not self._keys.open("admin", request):
            return Response(401)
        match request.method, request.path.removeprefix(PATH).strip("/").lower().split("/"):
            case "GET", ["host", "status"]:
                uptime = round((time.monotonic() - self._began) * 1000)
                return Response.of({"id": "local", "state": "Running", "version": VERSION, "processUptime": uptime})
            case "GET" | "POST", ["host", "ping"]:
                return Response(200)
            case "GET", ["functions"]:
                return Response.of([_described(function) for function in self._functions.values()])
            case method, ["functions", name] if name in self._functions:
                return self._one(method, self._functions[name], request)
        return Response(404)

    def _one(self, method: str, function: Function, request: Request) -> Response:
        if method == "GET":
            return Response.of(_described(function))
        if method != "POST":
            return Response(405)
        try:
            value = _input(request)
        except ValueError:
            return Response.of({"error": 'the body must be JSON such as {"input": "..."}'}, 400)
        wait = request.query.get("wait", "").lower() == "true"
        if function.kind != TIMER and not wait:
            self._start(function.name, value)
            return Response(202)
        return self._waited(function, value, tell=wait)

    def _waited(self, function: Function, value: object, *, tell: bool) -> Response:
        try:
            self._fire(function.name, value)
        except InvocationFailed as error:
            told = {"function": error.function, "type": error.error_type, "error": error.message}
            return Response.of(told, 500) if tell else Response(202)
        return Response(202)


def _input(request: Request) -> object:
    match request.json():
        case None:
            return None
        case {**content}:
            return content.get("input")
        case _:
            raise ValueError("not an object")


def _described(function: Function) -> dict[str, object]:
    config = {"name": function.name, "bindings": json.loads(json.dumps(function.bindings))}
    return {"name": function.name, "language": "python", "isDisabled": False, "config": config}
