"""Runs one Functions app: serves its HTTP routes, polls its queues, and runs its timers."""

import json
import os
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Self

from emulators.base.server import Request, Response, Server
from local.host.admin_api import PATH as ADMIN
from local.host.admin_api import AdminApi
from local.host.function_index import QUEUE, TIMER, Function, find_problems
from local.host.host_json import HostSettings
from local.host.http_functions import HttpFunctions, Keys
from local.host.invocations import Failure, InvocationFailed, Invocations
from local.host.queue_poller import QueuePoller
from local.host.queues import Clock, EmbeddedQueues, Message, Queues, utc_now
from local.host.timers import StatusFile, Timer, Timers
from local.host.worker import Call, Worker, http_call, load_worker, queue_call
from shared.foundation.errors import ConfigurationError

_IDLE_CHECK_SECONDS = 0.02  # `wait_idle` checks the queues this often
_STOP_SECONDS = 10.0  # `stop` waits this long for runs that HTTP requests began


class Host:
    """Loads an app through the worker library and runs its functions when their triggers fire.

    Arguments:
        app_dir: the folder with `function_app.py` and `host.json`.
        environ: settings that are added to `os.environ` until `stop`. The app reads them, and they replace `%SETTING%`.
        queue: the queues; by default embedded queues in memory.
        clock: the time for timers and for the visibility of embedded messages.
        keys: the keys for functions and for `/admin`; by default random.
        timer_status: a file that keeps the times of timer runs; by default they are not kept.
        minimal: whether to serve the minimal app of an app that cannot start, as Azure does, and not to refuse it.
    """

    def __init__(
        self,
        app_dir: Path,
        *,
        environ: Mapping[str, str] | None = None,
        queue: Queues | None = None,
        clock: Clock = utc_now,
        keys: Keys | None = None,
        timer_status: Path | None = None,
        minimal: bool = False,
    ) -> None:
        """Load the app. Raises ConfigurationError if the library refuses the app or `host.json` is wrong."""
        self.settings = HostSettings.read(Path(app_dir) / "host.json")
        self.keys = keys or Keys()
        self._environ_before = _apply_environ(environ or {})
        self._environ = dict(os.environ)
        self._worker = self._load_worker(Path(app_dir))
        self._start_fault = "" if minimal else self._worker.start_fault
        self.queues: Queues = queue or EmbeddedQueues(clock=clock)
        self._owns_queues = queue is None
        self._clock = clock
        self.functions = {f.name: f.with_settings(self._environ) for f in self._worker.functions}
        self._invocations = Invocations(self._worker, self.queues, timeout=self.settings.function_timeout)
        self._server: Server | None = None
        self._pollers: list[QueuePoller] = []
        statuses = StatusFile(timer_status)
        timers = [] if self.list_problems() else self._functions_of(TIMER)
        self._timers = Timers([Timer(f, self._invocations, clock, statuses) for f in timers])

    @property
    def failures(self) -> list[Failure]:
        """All failed runs, oldest first."""
        return self._invocations.failures

    @property
    def url(self) -> str:
        """The address without a slash at its end; empty before `start`."""
        return self._server.url if self._server else ""

    def list_problems(self) -> list[str]:
        """Everything about the app that the real host or this host refuses, one sentence each."""
        if self._start_fault:
            return [self._start_fault]
        return find_problems([f.with_settings(self._environ) for f in self._worker.functions], self._environ)

    def start(self, port: int = 0, tls: ssl.SSLContext | None = None, *, timers: bool = False) -> None:
        """Serve HTTP, poll the queues and, with `timers`, run the timers on schedule.

        Raises:
            ConfigurationError: the app has problems; the message lists all of them.
        """
        self._refuse_problems()
        front = HttpFunctions(
            self.functions.values(), self.settings.route_prefix, self.keys, self._invocations.run_function
        )
        admin = AdminApi(self.functions, self.keys, self.run_now, self._run_in_background)
        self._server = Server(lambda request: _dispatch_request(request, front, admin), port=port, tls=tls)
        front.base_url = self._server.url
        self._pollers = [
            QueuePoller(f, self.queues, self.settings, self._invocations) for f in self._functions_of(QUEUE)
        ]
        self._server.__enter__()
        for poller in self._pollers:
            poller.start()
        if timers:
            self.start_timers()

    def start_timers(self) -> None:
        """Run the timers on schedule from now on."""
        self._timers.start()

    def run_now(self, name: str, value: object = None) -> None:
        """Run a function now, and wait for its end.

        `value` is the text of a queue message, or the JSON body of an HTTP request. A timer keeps its schedule, and two
        runs of one timer never overlap.

        Raises:
            InvocationFailed: the function failed.
            KeyError: no function has this name.
        """
        self._refuse_problems()
        function = self.functions[name]
        if function.trigger_type == TIMER:
            self._timers[name].run_now()
        elif function.trigger_type == QUEUE:
            self._invocations.run_function(function, queue_call(self._message_by_hand(value)))
        else:
            self._invocations.run_function(function, self._http_call(function, value))

    def wait_idle(self, timeout: float) -> None:
        """Wait until no function runs and every polled queue is empty.

        Raises:
            TimeoutError: this took longer than `timeout` seconds; the message says what remains.
        """
        deadline = time.monotonic() + timeout
        while True:
            begun, remains = self._invocations.activity.begun, self._list_remaining()
            if not remains and begun == self._invocations.activity.begun:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"not idle after {timeout} s: {', '.join(remains) or 'new runs begin all the time'}")
            self._invocations.activity.wait_for_change(_IDLE_CHECK_SECONDS)

    def stop(self) -> None:
        """Accept no more work, wait for the running functions, and restore `os.environ`."""
        if self._server is not None:
            self._server.__exit__()
        self._timers.stop()
        for poller in self._pollers:
            poller.stop()
        self._invocations.activity.wait_until_idle(_STOP_SECONDS)
        if self._owns_queues:
            self.queues.close()
        _restore_environ(self._environ_before)
        self._server, self._pollers, self._environ_before = None, [], {}

    def __enter__(self) -> Self:
        """The host itself; entering does not start it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the host."""
        self.stop()

    def _load_worker(self, app_dir: Path) -> Worker:
        try:
            return load_worker(app_dir)
        except ConfigurationError:
            _restore_environ(self._environ_before)
            raise

    def _functions_of(self, kind: str) -> list[Function]:
        return [function for function in self.functions.values() if function.trigger_type == kind]

    def _list_remaining(self) -> list[str]:
        remains = ["a function is running"] if self._invocations.activity.running else []
        counts = {
            function.queue_name: self.queues.count_messages(function.queue_name)
            for function in self._functions_of(QUEUE)
        }
        return remains + [f"{count} messages in {queue}" for queue, count in counts.items() if count]

    def _refuse_problems(self) -> None:
        problems_found = self.list_problems()
        if problems_found:
            raise ConfigurationError("the host does not start: " + "; ".join(problems_found))

    def _message_by_hand(self, value: object) -> Message:
        now = self._clock()
        text = value if isinstance(value, str) else json.dumps(value)
        return Message("by-hand", text, 1, "by-hand", now, now + timedelta(days=7), now)

    def _http_call(self, function: Function, value: object) -> Call:
        method = min(function.http_methods or {"POST"})
        body = b"" if value is None else json.dumps(value).encode()
        path = "/".join(part for part in (self.settings.route_prefix, function.route_template) if part)
        request = Request(method, f"/{path}", headers={"content-type": "application/json"}, body=body)
        return http_call(request, self.url + request.path, {})

    def _run_in_background(self, name: str, value: object) -> None:
        counted = ExitStack()  # the work counts from here on, so that `wait_idle` waits for it
        counted.enter_context(self._invocations.activity.count_work())
        threading.Thread(target=self._run_without_raising, args=(counted, name, value), daemon=True).start()

    def _run_without_raising(self, counted: ExitStack, name: str, value: object) -> None:
        with counted, suppress(InvocationFailed):  # `Invocations` has logged and kept it
            self.run_now(name, value)


def _dispatch_request(request: Request, front: HttpFunctions, admin: AdminApi) -> Response:
    is_admin = request.path.lower() == ADMIN or request.path.lower().startswith(f"{ADMIN}/")
    return admin.handle(request) if is_admin else front.handle(request)


def _apply_environ(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Put the settings into `os.environ`; returns the previous values of the changed variables."""
    before = {name: os.environ.get(name) for name, value in environ.items() if os.environ.get(name) != value}
    os.environ.update({name: environ[name] for name in before})
    return before


def _restore_environ(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
