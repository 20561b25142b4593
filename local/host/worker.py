"""The adapter to Microsoft's worker library, and the only module that knows the shape of its requests.

The library (`azure-functions-runtime`) offers its functions publicly but promises nobody their arguments; hence the
pin in requirements-dev and this one place (reference/azure.md 1.2 to 1.4). Its registry of functions is global to the
process: one app per process, on one event loop, in a thread of its own.
"""

import asyncio
import atexit
import json
import logging
import secrets
import sys
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import azure_functions_runtime as library

from emulators.base.server import Request
from local.host import worker_messages
from local.host.function_index import Function
from local.host.queues import Message
from shared.foundation.errors import MAX_REMOTE_TEXT, ConfigurationError, CosellError

_START_SECONDS = 60.0
_ENTRY = "function_app"


class InvocationFailed(CosellError):
    """A function raised, or took longer than it may."""

    def __init__(self, function: str, error_type: str, message: str, stack: str = "") -> None:
        """`error_type` is the name of what the function raised; `stack` is its trace, for a person."""
        super().__init__(f"{function} failed: {error_type}: {message[:MAX_REMOTE_TEXT]}")
        self.function = function
        self.error_type = error_type
        self.message = message[:MAX_REMOTE_TEXT]
        self.stack = stack


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an HTTP function returned."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left behind: its answer, if any, and the value of each output binding, by name."""

    returned: object = None
    outputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """What a run is given: a value for the trigger's parameter and metadata about it. Made by the functions below."""

    value: worker_messages.TypedData
    metadata: Mapping[str, worker_messages.TypedData] = field(default_factory=dict)
    traceparent: str = ""


def http_call(request: Request, url: str, parameters: Mapping[str, str]) -> Call:
    """An HTTP request, with the values of its route parameters."""
    http = worker_messages.RpcHttp(
        method=request.method, url=url, headers=dict(request.headers), params=dict(parameters),
        query=dict(request.query), body=worker_messages.TypedData(bytes=request.body),
    )  # fmt: skip
    return Call(worker_messages.TypedData(http=http), traceparent=request.headers.get("traceparent", ""))


def queue_call(message: Message) -> Call:
    """A queue message, with the metadata that the storage extension adds."""
    texts = {"Id": message.id, "PopReceipt": message.pop_receipt}
    times = {"InsertionTime": message.inserted, "ExpirationTime": message.expires, "NextVisibleTime": message.visible}
    metadata = {name: worker_messages.TypedData(string=text) for name, text in texts.items()}
    metadata |= {name: worker_messages.TypedData(string=_iso(moment)) for name, moment in times.items()}
    metadata["DequeueCount"] = worker_messages.TypedData(json=str(message.dequeue_count))
    return Call(worker_messages.TypedData(string=message.body), metadata)


def timer_call(*, past_due: bool, last: datetime | None, due: datetime, updated: datetime | None) -> Call:
    """A tick of a timer: the run before, the one that is due, and when that was written down."""
    never = "0001-01-01T00:00:00+00:00"  # what .NET writes for a moment that was never set
    status = {
        "Last": _iso(last) if last else never,
        "Next": _iso(due),
        "LastUpdated": _iso(updated) if updated else never,
    }
    info = {"IsPastDue": past_due, "Schedule": {"AdjustForDST": True}, "ScheduleStatus": status}
    return Call(worker_messages.TypedData(json=json.dumps(info)))


def _iso(moment: datetime) -> str:
    return moment.isoformat()


class Worker:
    """The library, loaded with one app."""

    def __init__(self, app_dir: Path) -> None:
        """Index the app. Raises ConfigurationError with the library's own sentence."""
        self.app_dir = app_dir
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="functions-worker", daemon=True)
        self._thread.start()
        atexit.register(self.close)
        self.functions: tuple[Function, ...] = self._await(self._index(), _START_SECONDS)

    def invoke(self, function: Function, call: Call, *, timeout: float) -> Outcome:
        """Run a function and wait for its end, `timeout` seconds at most. Raises InvocationFailed."""
        trace = call.traceparent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        request = worker_messages.InvocationRequest(
            invocation_id=str(uuid4()),
            function_id=function.id,
            input_data=[worker_messages.ParameterBinding(name=str(function.trigger["name"]), data=call.value)],
            trigger_metadata=dict(call.metadata),
            trace_context=worker_messages.RpcTraceContext(trace_parent=trace),
        )
        try:
            response = self._await(library.invocation_request(_request(invocation_request=request)), timeout)
        except TimeoutError:
            raise InvocationFailed(function.name, "FunctionTimeout", f"still running after {timeout} s") from None
        except CancelledError:
            raise InvocationFailed(function.name, "Cancelled", "the worker was closed") from None
        if response.result.status != worker_messages.StatusResult.Success:
            raise _failed(function.name, response.result.exception)
        return _outcome(function.name, response)

    def close(self) -> None:
        """End the event loop; the library cannot be started again in this process."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()

    def _await(self, work: Coroutine[Any, Any, Any], timeout: float) -> Any:  # noqa: ANN401 - whatever the work returns
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()  # ends an `async def` function; a plain one runs on in its thread
            raise

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_soon(self._loop.stop)

    async def _index(self) -> tuple[Function, ...]:
        if str(self.app_dir) not in sys.path:  # the platform's proxy does the same before it calls the library
            sys.path.insert(0, str(self.app_dir))
        library.start_threadpool_executor()
        init = SimpleNamespace(capabilities={}, function_app_directory=str(self.app_dir))
        _raise_for(await library.worker_init_request(_request(worker_init_request=init)))
        _refuse_foreign(self.app_dir)
        index = await library.functions_metadata_request(_request())
        _raise_for(index)
        return tuple(_function(found) for found in index.function_metadata_results or ())


_loaded: Worker | ConfigurationError | None = None
_loading = threading.Lock()


def load(app_dir: Path) -> Worker:
    """The worker of this process, loaded with `app_dir`. Raises ConfigurationError if it holds another app."""
    global _loaded  # noqa: PLW0603 - the library's registry is global to the process, so its adapter is too
    app_dir = app_dir.resolve()
    with _loading:
        if _loaded is None:
            try:
                _loaded = Worker(app_dir)
            except ConfigurationError as error:
                _loaded = error  # half an index cannot be mended: the reason stays the reason
        if isinstance(_loaded, ConfigurationError):
            raise _loaded
        if _loaded.app_dir != app_dir:
            raise ConfigurationError(
                f"this process has loaded the app in {_loaded.app_dir} already and the worker library takes one app a "
                f"process: start another process for {app_dir}"
            )
        return _loaded


def _request(**parts: object) -> SimpleNamespace:
    return SimpleNamespace(
        request=SimpleNamespace(**parts), properties={"host": "127.0.0.1", "protos": worker_messages}
    )


def _raise_for(response: Any) -> None:  # noqa: ANN401 - any of the library's answers
    if response.result.status == worker_messages.StatusResult.Success:
        return
    error = response.result.exception
    logging.getLogger(__name__).debug("the app cannot be indexed: %s", error.stack_trace)
    raise ConfigurationError(f"the app cannot be indexed: {error.message}")


def _refuse_foreign(app_dir: Path) -> None:
    entry = Path(getattr(sys.modules.get(_ENTRY), "__file__", None) or app_dir / _ENTRY).resolve()
    if entry.parent != app_dir:
        raise ConfigurationError(f"{_ENTRY} was imported from {entry.parent}, not from the app folder {app_dir}")


def _function(found: worker_messages.RpcFunctionMetadata) -> Function:
    bindings = tuple(json.loads(raw) for raw in found.raw_bindings)
    return Function(found.name, found.function_id, bindings, retries=found.retry_options is not None)


def _outcome(function: str, response: worker_messages.InvocationResponse) -> Outcome:
    try:
        return Outcome(_value(response.return_value), {out.name: _value(out.data) for out in response.output_data})
    except (NotImplementedError, ValueError) as error:
        raise InvocationFailed(function, type(error).__name__, str(error)) from error


def _failed(function: str, error: worker_messages.RpcException) -> InvocationFailed:
    error_type, _, message = error.message.partition(": ")
    return InvocationFailed(function, error_type, message, error.stack_trace)


def _value(data: worker_messages.TypedData | None) -> object:
    match data and data.WhichOneof("data"):
        case None:
            return None
        case "http" if data and data.http:
            return _answer(data.http)
        case "json" if data and data.json:
            return json.loads(data.json)
        case kind:
            return getattr(data, str(kind))


def _answer(http: worker_messages.RpcHttp) -> HttpAnswer:
    body = _value(http.body)
    cookies = [_cookie(cookie) for cookie in http.cookies or ()]
    if len(cookies) > 1:
        raise NotImplementedError("the local host carries one cookie an answer")
    headers = {**http.headers, **({"Set-Cookie": cookies[0]} if cookies else {})}
    return HttpAnswer(int(http.status_code), headers, body if isinstance(body, bytes) else str(body or "").encode())


def _cookie(cookie: worker_messages.RpcHttpCookie) -> str:
    rebuilt: SimpleCookie = SimpleCookie({cookie.name: cookie.value})
    attributes = {
        "domain": cookie.domain and cookie.domain.value,
        "path": cookie.path and cookie.path.value,
        "expires": cookie.expires and formatdate(cookie.expires.value.seconds, usegmt=True),
        "max-age": cookie.max_age and str(int(cookie.max_age.value)),
        "secure": cookie.secure and cookie.secure.value,
        "httponly": cookie.http_only and cookie.http_only.value,
        "samesite": (None, "Lax", "Strict", "None")[cookie.same_site],
    }
    rebuilt[cookie.name].update({name: cast("str", value) for name, value in attributes.items() if value})
    return rebuilt[cookie.name].OutputString()
