"""Days of the app in virtual time: its timers run on the schedules of the templates, and its log lines are kept."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

import shared.app
from functions.apply_event import apply_event
from functions.compare_deals import compare_deals
from functions.minimal_app import TIMER, load_minimal_app
from functions.push_opportunities import push_opportunities
from functions.sweep_referrals import sweep_referrals
from local.systems import Systems
from shared.foundation.errors import CosellError
from shared.foundation.logs import LOGGER
from shared.foundation.start_fault import describe_start_fault
from shared.operations.copy_store import run_daily_copy
from shared.operations.credentials import renew_credentials
from shared.settings.schedules import Schedule, parse_schedule
from shared.store.sqlite_rows import SqliteRows
from shared.webhook.admission import admit, event_admission
from tests.alerts.log_rows import LogLine
from tests.alerts.virtual_app import VirtualApp, clocks_of
from tests.no_waits import no_waits
from tests.unit.infra.azure.azure_files import AzureFiles

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
"""When the virtual days begin: a Monday."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AFTER_THE_MINUTE = timedelta(milliseconds=300)
"""The first timer of a minute writes its lines so long after the minute, and each other one after the one before."""
REFRESH_TOKEN = "partner-center-refresh-token"
PUSH, SWEEP, COMPARE = "PUSH_SCHEDULE", "SWEEP_SCHEDULE", "COMPARE_SCHEDULE"
CREDENTIALS, COPY = "CREDENTIALS_SCHEDULE", "BACKUP_SCHEDULE"

type Work = Callable[[VirtualApp], object]

FUNCTIONS: Mapping[str, tuple[str, Work]] = {
    PUSH: ("push_opportunities", lambda _: _called(push_opportunities)),
    SWEEP: ("sweep_referrals", lambda _: _called(sweep_referrals)),
    COMPARE: ("compare_deals", lambda _: _called(compare_deals)),
    # These two ask the machine for the time, unless they are given one.
    CREDENTIALS: ("keep_credentials", lambda app: renew_credentials(app, app.clock.now)),
    COPY: ("copy_store", lambda app: run_daily_copy(app, app.clock.now)),
}
"""The timers by the setting of their schedule: the name of the function, and its work."""


def _called(function: Any) -> object:  # noqa: ANN401 - the library types a decorated function as its builder
    return function(None)


@cache
def schedules() -> Mapping[str, Schedule]:
    """The schedules of the timers, as the templates set them."""
    settings = AzureFiles().app_settings()
    return {name: parse_schedule(settings[name]) for name in FUNCTIONS}


class VirtualDays(logging.Handler):
    """The app on its emulated systems, and the lines that it has logged."""

    def __init__(self, systems: Systems, begin: datetime, environ: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.systems, self._environ = systems, environ
        self.lines = list[LogLine]()
        self.lost = set[str]()
        """Timers that do not run, as if the host had lost them."""
        self.left_out = set[str]()
        """Timers that do not run here, because the lines of a quiet day stand for them."""
        self._function, self._start_log = "", None  # type: str, Callable[[], object] | None
        self.rows = SqliteRows(":memory:", clock=self.now)
        self.since = begin
        self.schedules = dict(schedules())
        self._next = dict[str, datetime]()
        self.skip_to(begin)
        systems.vault.secret_store.put(REFRESH_TOKEN, {"value": systems.partner.entra.issue_refresh_token()})
        self.restart(SYNC_FROM=(begin - HOUR).isoformat())

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of the app."""
        self.lines.append(LogLine(self.now(), record.getMessage(), self._function))

    # --- time

    def now(self) -> datetime:
        """The time of every system."""
        return self.systems.salesforce.clock.now()

    def _set_clocks(self, at: datetime) -> None:
        for clock in clocks_of(self.systems):
            clock.freeze()
            clock.set(at)

    def run_until(self, end: datetime) -> None:
        """Run each timer at its times before `end`."""
        while (at := min(self._next.values())) < end:
            for name in [name for name, due in self._next.items() if due == at]:
                self._set_clocks(max(at, self.now()) + AFTER_THE_MINUTE)
                self._next[name] = self.schedules[name].next_after(at)
                if name not in self.lost | self.left_out:
                    self._run(name)
        self._set_clocks(end)

    def run_for(self, duration: timedelta) -> None:
        """Run each timer at its times of the next `duration`."""
        self.run_until(self.now() + duration)

    def skip_to(self, at: datetime) -> None:
        """Let time pass in which nothing runs."""
        self._set_clocks(at)
        self._next = {name: schedule.next_after(at - MINUTE / 60) for name, schedule in self.schedules.items()}

    def push_each_five_minutes(self) -> None:
        """Push as seldom as docs/cost.md allows, from now on."""
        self.schedules[PUSH] = parse_schedule("0 */5 * * * *")
        self.skip_to(self.now())

    def forget_lines(self) -> None:
        """Let the lines begin now."""
        self.lines.clear()
        self.since = self.now()

    def only(self, *timers: str) -> None:
        """Leave all other timers to the lines of a quiet day, from now on."""
        self.left_out = set(FUNCTIONS) - set(timers)

    # --- the process

    def restart(self, **settings: str) -> None:
        """Start the app anew, with some settings changed. A start that fails leaves the minimal app."""
        for name, value in settings.items():
            self._environ.setenv(name, value)
        shared.app.reset()
        event_admission.cache_clear()
        try:
            self.app = shared.app._app = VirtualApp(self.systems, self.rows)
            self._start_log = None
        except CosellError as error:
            functions = load_minimal_app(describe_start_fault(error)).get_functions()
            (timer,) = [each for each in functions if each.get_function_name() == TIMER]
            self._start_log = lambda: timer.get_user_function()(None)

    def _run(self, setting: str) -> None:
        name, work = FUNCTIONS[setting]
        if self._start_log is None:
            self.call(name, lambda: work(self.app))
        elif setting == PUSH:  # of the same minutes
            self.call(TIMER, self._start_log)

    def call[T](self, function: str, work: Callable[[], T]) -> T | None:
        """Do the work of a function of the app. Its error is logged by the host, and ends this run of it only."""
        self._function = function
        try:
            with no_waits():
                return work()
        except CosellError:
            return None

    def post_event(self, headers: Mapping[str, str], body: bytes) -> None:
        """Post an event to the webhook, and apply it if it was queued."""
        answer = self.call("receive_event", lambda: admit(headers.items(), body))
        if answer is not None and answer.message is not None:
            message: Any = func.QueueMessage(body=answer.message.encode())
            self.call("apply_event", lambda: apply_event(message))


@contextmanager
def virtual_days(systems: Systems, begin: datetime, folder: Path, **settings: str) -> Iterator[VirtualDays]:
    """The app from `begin` on, on systems without deals. Settings differ from the emulators' where they are given.

    Copies of the store go into `folder`.
    """
    with pytest.MonkeyPatch.context() as environ:
        for name, value in {**systems.environ, "STORE_FILE": str(folder / "store.sqlite"), **settings}.items():
            environ.setenv(name, value)
        systems.reset()
        days = VirtualDays(systems, begin, environ)
        systems.salesforce.backdate_users(begin - DAY)
        level, propagates = LOGGER.level, LOGGER.propagate
        LOGGER.addHandler(days)
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False
        try:
            yield days
        finally:
            LOGGER.removeHandler(days)
            LOGGER.setLevel(level)
            LOGGER.propagate = propagates
            shared.app.reset()
            event_admission.cache_clear()
            days.rows.close()
