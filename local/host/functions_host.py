"""The host: one app, its HTTP routes, queues and timers."""

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
from local.host.admin_api import Admin
from local.host.function_index import QUEUE, TIMER, Function, problems
from local.host.host_json import HostSettings
from local.host.http_functions import Front, Keys
from local.host.invocations import Failure, InvocationFailed, Invocations
from local.host.queue_poller import Poller
from local.host.queues import Clock, EmbeddedQueues, Message, Queues, utc_now
from local.host.timers import StatusFile, Timer, Timers
from local.host.worker import Call, Worker, http_call, load, queue_call
from shared.foundation.errors import ConfigurationError

_LOOK = 0.02  # seconds between looks of `wait_idle` at the queues
_STOP_SECONDS = 10.0  # how long `stop` waits for runs that HTTP requests began


class Host:
    """Loads an app through the worker library and drives its triggers.

    `environ` adds to `os.environ` until `stop`: the app reads its settings there, and `%SETTING%` is looked up there.
    `queue` holds the queues (default: embedded, in memory). `clock` moves timers and the visibility of embedded
    messages. `keys` open functions and `/admin`. `timer_status` is a file that remembers when timers ran.
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
    ) -> None:
        """Index the app. Raises ConfigurationError if the library or `host.json` refuses."""
        self.settings = HostSettings.read(Path(app_dir) / "host.json")
        self.keys = keys or Keys()
        self._before = _enter(environ or {})
        self._environ = dict(os.environ)
        self._worker = self._load(Path(app_dir))
        self.queues: Queues = queue or EmbeddedQueues(clock=clock)
        self._owns_queues = queue is None
        self._clock = clock
        self.functions = {f.name: f.expanded(self._environ) for f in self._worker.functions}
        self._invocations = Invocations(self._worker, self.queues, timeout=self.settings.function_timeout)
        self._server: Server | None = None
        self._pollers: list[Poller] = []
        statuses = StatusFile(timer_status)
        timers = [] if self.check() else self._of(TIMER)
        self._timers = Timers([Timer(f, self._invocations, clock, statuses) for f in timers])

    @property
    def failures(self) -> list[Failure]:
        """Every run that failed, oldest first."""
        return self._invocations.failures

    @property
    def url(self) -> str:
        """The address, once started, without a slash at its end."""
        return self._server.url if self._server else ""

    def check(self) -> list[str]:
        """What the real host would refuse about the app, one sentence each; empty is good."""
        return problems([f.expanded(self._environ) for f in self._worker.functions], self._environ)

    def start(self, port: int = 0, tls: ssl.SSLContext | None = None, *, timers: bool = False) -> None:
        """Serve HTTP, poll the queues and, if asked, keep the schedules. Raises ConfigurationError with all faults."""
        self._refuse_faults()
        front = Front(self.functions.values(), self.settings.route_prefix, self.keys, self._invocations.run)
        admin = Admin(self.functions, self.keys, self.fire, self._fire_behind)
        self._server = Server(lambda request: _dispatch(request, front, admin), port=port, tls=tls)
        front.base_url = self._server.url
        self._pollers = [Poller(f, self.queues, self.settings, self._invocations) for f in self._of(QUEUE)]
        self._server.__enter__()
        for poller in self._pollers:
            poller.start()
        if timers:
            self._timers.start()

    def fire(self, name: str, value: object = None) -> None:
        """Run a function now through the worker library and wait for its end.

        A timer runs beside its schedule, never beside another run of itself. `value` is the text of a queue message or
        the JSON body of an HTTP request. Raises InvocationFailed, and KeyError for an unknown name.
        """
        self._refuse_faults()
        function = self.functions[name]
        if function.kind == TIMER:
            self._timers[name].fire()
        elif function.kind == QUEUE:
            self._invocations.run(function, queue_call(self._message(value)))
        else:
            self._invocations.run(function, self._http_call(function, value))

    def wait_idle(self, timeout: float) -> None:
        """Wait until no function runs and every polled queue is empty. Raises TimeoutError saying what remains."""
        deadline = time.monotonic() + timeout
        while True:
            begun, remains = self._invocations.activity.begun, self._remaining()
            if not remains and begun == self._invocations.activity.begun:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"not idle after {timeout} s: {', '.join(remains) or 'new runs keep beginning'}")
            self._invocations.activity.wait(_LOOK)

    def stop(self) -> None:
        """Take no more work, wait for what is running, and put `os.environ` back."""
        if self._server is not None:
            self._server.__exit__()
        self._timers.stop()
        for poller in self._pollers:
            poller.stop()
        self._invocations.activity.settle(_STOP_SECONDS)
        if self._owns_queues:
            self.queues.close()
        _leave(self._before)
        self._server, self._pollers, self._before = None, [], {}

    def __enter__(self) -> Self:
        """The host itself; start it when it suits."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def _load(self, app_dir: Path) -> Worker:
        try:
            return load(app_dir)
        except ConfigurationError:
            _leave(self._before)
            raise

    def _of(self, kind: str) -> list[Function]:
        return [function for function in self.functions.values() if function.kind == kind]

    def _remaining(self) -> list[str]:
        remains = ["a run goes on"] if self._invocations.activity.running else []
        counts = {function.queue: self.queues.count(function.queue) for function in self._of(QUEUE)}
        return remains + [f"{count} messages in {queue}" for queue, count in counts.items() if count]

    def _refuse_faults(self) -> None:
        faults = self.check()
        if faults:
            raise ConfigurationError("the host does not start: " + "; ".join(faults))

    def _message(self, value: object) -> Message:
        now = self._clock()
        text = value if isinstance(value, str) else json.dumps(value)
        return Message("by-hand", text, 1, "by-hand", now, now + timedelta(days=7), now)

    def _http_call(self, function: Function, value: object) -> Call:
        method = min(function.methods or {"POST"})
        body = b"" if value is None else json.dumps(value).encode()
        path = "/".join(part for part in (self.settings.route_prefix, function.route) if part)
        request = Request(method, f"/{path}", headers={"content-type": "application/json"}, body=body)
        return http_call(request, self.url + request.path, {})

    def _fire_behind(self, name: str, value: object) -> None:
        announced = ExitStack()  # from now on, so that `wait_idle` does not overlook what is about to begin
        announced.enter_context(self._invocations.activity.work())
        threading.Thread(target=self._fire_quietly, args=(announced, name, value), daemon=True).start()

    def _fire_quietly(self, announced: ExitStack, name: str, value: object) -> None:
        with announced, suppress(InvocationFailed):  # kept and logged where it was raised
            self.fire(name, value)


def _dispatch(request: Request, front: Front, admin: Admin) -> Response:
    own = request.path.lower() == ADMIN or request.path.lower().startswith(f"{ADMIN}/")
    return admin.handle(request) if own else front.handle(request)


def _enter(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Show the app these settings; returns what stood there before."""
    before = {name: os.environ.get(name) for name, value in environ.items() if os.environ.get(name) != value}
    os.environ.update({name: environ[name] for name in before})
    return before


def _leave(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
