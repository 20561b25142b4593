"""Calls Microsoft's worker library. This is the only module that depends on the shape of the library's requests.

The library (`azure-functions-runtime`) has public functions, but does not promise the shape of their arguments.
Therefore requirements-local.txt pins its version: docs/reference/azure.md#the-worker-library. The library keeps its
functions in a registry that is global to the process, so one process runs one app. It runs on one event loop in a
thread of its own: docs/reference/azure.md#calling-the-worker-library.
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
_ENTRY_MODULE = "function_app"


class InvocationFailed(CosellError):
    """A function raised an error, or took too long."""

    def __init__(self, function: str, error_type: str, message: str, stack: str = "") -> None:
        """`error_type` is the name of the error's type; `stack` is the stack trace as text."""
        super().__init__(f"{function} failed: {error_type}: {message[:MAX_REMOTE_TEXT]}")
        self.function = function
        self.error_type = error_type
        self.message = message[:MAX_REMOTE_TEXT]
        self.stack = stack


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The response that an HTTP function returned."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run: the returned value, if any, and the value of each output binding by name."""

    returned: object = None
    outputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """The input of a run: the value for the trigger's parameter, and its metadata.

    `http_call`, `queue_call` and `timer_call` make it.
    """

    value: worker_messages.TypedData
    metadata: Mapping[str, worker_messages.TypedData] = field(default_factory=dict)
    traceparent: str = ""


def http_call(request: Request, url: str, parameters: Mapping[str, str]) -> Call:
    """The input for an HTTP request with the values of its route parameters."""
    http = worker_messages.RpcHttp(
        method=request.method, url=url, headers=dict(request.headers), params=dict(parameters),
        query=dict(request.query), body=worker_messages.TypedData(bytes=request.body),
    )  # fmt: skip
    return Call(worker_messages.TypedData(http=http), traceparent=request.headers.get("traceparent", ""))


def queue_call(message: Message) -> Call:
    """The input for a queue message, with the metadata that the storage extension adds."""
    texts = {"Id": message.id, "PopReceipt": message.pop_receipt}
    times = {"InsertionTime": message.inserted, "ExpirationTime": message.expires, "NextVisibleTime": message.visible}
    metadata = {name: worker_messages.TypedData(string=text) for name, text in texts.items()}
    metadata |= {name: worker_messages.TypedData(string=_iso_text(moment)) for name, moment in times.items()}
    metadata["DequeueCount"] = worker_messages.TypedData(json=str(message.dequeue_count))
    return Call(worker_messages.TypedData(string=message.body), metadata)


def timer_call(*, past_due: bool, last: datetime | None, due: datetime, updated: datetime | None) -> Call:
    """The input for a timer: the last run, the run that is due, and the time when the status was stored."""
    never = "0001-01-01T00:00:00+00:00"  # .NET writes this for a time that is not set
    status = {
        "Last": _iso_text(last) if last else never,
        "Next": _iso_text(due),
        "LastUpdated": _iso_text(updated) if updated else never,
    }
    info = {"IsPastDue": past_due, "Schedule": {"AdjustForDST": True}, "ScheduleStatus": status}
    return Call(worker_messages.TypedData(json=json.dumps(info)))


def _iso_text(moment: datetime) -> str:
    return moment.isoformat()


class Worker:
    """The worker library with one loaded app."""

    def __init__(self, app_dir: Path) -> None:
        """Load the app and read its functions. Raises ConfigurationError with the library's message."""
        self.app_dir = app_dir
        self._loop = asyncio.new_event_loop()
        self._work: set[Coroutine[Any, Any, Any]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="functions-worker", daemon=True)
        self._thread.start()
        atexit.register(self.close)
        self.functions: tuple[Function, ...] = self._run_on_loop(self._index_app(), _START_SECONDS)

    @property
    def start_fault(self) -> str:
        """Why the app did not start and loaded a minimal one, as its module says; else an empty text."""
        return str(getattr(sys.modules.get(_ENTRY_MODULE), "start_fault", None) or "")

    def invoke(self, function: Function, call: Call, *, timeout: float) -> Outcome:
        """Run a function and wait for its end, at most `timeout` seconds. Raises InvocationFailed."""
        trace = call.traceparent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        request = worker_messages.InvocationRequest(
            invocation_id=str(uuid4()),
            function_id=function.id,
            input_data=[worker_messages.ParameterBinding(name=str(function.trigger_binding["name"]), data=call.value)],
            trigger_metadata=dict(call.metadata),
            trace_context=worker_messages.RpcTraceContext(trace_parent=trace),
        )
        try:
            response = self._run_on_loop(
                library.invocation_request(_library_request(invocation_request=request)), timeout
            )
        except TimeoutError:
            raise InvocationFailed(function.name, "FunctionTimeout", f"still running after {timeout} s") from None
        except CancelledError:
            raise InvocationFailed(function.name, "Cancelled", "the worker was closed") from None
        if response.result.status != worker_messages.StatusResult.Success:
            raise _failure_from(function.name, response.result.exception)
        return _read_outcome(function.name, response)

    def close(self) -> None:
        """Stop the event loop. The library cannot be started again in this process."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._stop_loop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()
            for work in tuple(self._work):
                work.close()  # it came too late to begin: Python would warn of it after the last line of the output

    def _run_on_loop(self, work: Coroutine[Any, Any, Any], timeout: float) -> Any:  # noqa: ANN401 - the type depends on the work
        self._work.add(work)
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()  # this ends an `async def` function; a `def` function runs on in its thread
            raise
        finally:
            self._work.discard(work)

    def _stop_loop(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_soon(self._loop.stop)

    async def _index_app(self) -> tuple[Function, ...]:
        if str(self.app_dir) not in sys.path:  # as the platform does before it calls the library
            sys.path.insert(0, str(self.app_dir))
        library.start_threadpool_executor()
        init = SimpleNamespace(capabilities={}, function_app_directory=str(self.app_dir))
        _raise_if_failed(await library.worker_init_request(_library_request(worker_init_request=init)))
        _refuse_foreign_app(self.app_dir)
        index = await library.functions_metadata_request(_library_request())
        _raise_if_failed(index)
        return tuple(_function_from(metadata) for metadata in index.function_metadata_results or ())


_loaded_worker: Worker | ConfigurationError | None = None
_load_lock = threading.Lock()


def load_worker(app_dir: Path) -> Worker:
    """The worker of this process, loaded with the app in `app_dir`.

    Raises:
        ConfigurationError: the library refuses the app, or this process has already loaded another app.
    """
    global _loaded_worker  # noqa: PLW0603 - the library's registry is global to the process too
    app_dir = app_dir.resolve()
    with _load_lock:
        if _loaded_worker is None:
            try:
                _loaded_worker = Worker(app_dir)
            except ConfigurationError as error:
                _loaded_worker = error  # a second attempt would find a half-filled registry
        if isinstance(_loaded_worker, ConfigurationError):
            raise _loaded_worker
        if _loaded_worker.app_dir != app_dir:
            raise ConfigurationError(
                f"this process has already loaded the app in {_loaded_worker.app_dir}, and a process can load one app "
                f"only: start another process for {app_dir}"
            )
        return _loaded_worker


def _library_request(**parts: object) -> SimpleNamespace:
    return SimpleNamespace(
        request=SimpleNamespace(**parts), properties={"host": "127.0.0.1", "protos": worker_messages}
    )


def _raise_if_failed(response: Any) -> None:  # noqa: ANN401 - the library has several response types
    if response.result.status == worker_messages.StatusResult.Success:
        return
    error = response.result.exception
    logging.getLogger(__name__).debug("the app cannot be indexed: %s", error.stack_trace)
    raise ConfigurationError(f"the app cannot be indexed: {error.message}")


def _refuse_foreign_app(app_dir: Path) -> None:
    entry = Path(getattr(sys.modules.get(_ENTRY_MODULE), "__file__", None) or app_dir / _ENTRY_MODULE).resolve()
    if entry.parent != app_dir:
        raise ConfigurationError(f"{_ENTRY_MODULE} was imported from {entry.parent}, not from the app folder {app_dir}")


def _function_from(metadata: worker_messages.RpcFunctionMetadata) -> Function:
    bindings = tuple(json.loads(raw) for raw in metadata.raw_bindings)
    return Function(metadata.name, metadata.function_id, bindings, retries=metadata.retry_options is not None)


def _read_outcome(function: str, response: worker_messages.InvocationResponse) -> Outcome:
    try:
        return Outcome(
            _read_value(response.return_value), {out.name: _read_value(out.data) for out in response.output_data}
        )
    except (NotImplementedError, ValueError) as error:
        raise InvocationFailed(function, type(error).__name__, str(error)) from error


def _failure_from(function: str, error: worker_messages.RpcException) -> InvocationFailed:
    error_type, _, message = error.message.partition(": ")
    return InvocationFailed(function, error_type, message, error.stack_trace)


def _read_value(data: worker_messages.TypedData | None) -> object:
    match data and data.WhichOneof("data"):
        case None:
            return None
        case "http" if data and data.http:
            return _http_answer(data.http)
        case "json" if data and data.json:
            return json.loads(data.json)
        case kind:
            return getattr(data, str(kind))


def _http_answer(http: worker_messages.RpcHttp) -> HttpAnswer:
    body = _read_value(http.body)
    cookies = [_cookie_header(cookie) for cookie in http.cookies or ()]
    if len(cookies) > 1:
        raise NotImplementedError("the local host supports only one cookie in a response")
    headers = {**http.headers, **({"Set-Cookie": cookies[0]} if cookies else {})}
    return HttpAnswer(int(http.status_code), headers, body if isinstance(body, bytes) else str(body or "").encode())


def _cookie_header(cookie: worker_messages.RpcHttpCookie) -> str:
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
