"""Instances whose machine shows another time than the store and both services do."""

from copy import replace
from datetime import timedelta
from typing import Any

from shared.foundation.clock import SystemClock
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.instances import CrashableClock, CrashablePort

A_DAY = timedelta(days=1)


class DatedRows:
    """The rows of the harness for one instance, which compares its clock with each reply, as `TableRows` lets it."""

    def __init__(self, rows: SqliteRows, harness: Harness, clock: SystemClock) -> None:
        self._rows, self._harness, self._clock = rows, harness, clock

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for every method of the rows
        method = getattr(self._rows, name)

        def call(*args: object, **kwargs: object) -> object:
            result = method(*args, **kwargs)
            self._clock.compare(self._harness.now())
            return result

        return call if name in ("get", "list", "scan") else method


def instance_with_clock(
    harness: Harness, ahead: timedelta, *, is_compared: bool = True, chance: float = 0.5
) -> Instance:
    """A new process whose machine is that far ahead. One that `is_compared` knows the store's time, as since 0.8.0."""
    instance = harness.new_instance(chance=chance)
    clock = SystemClock(lambda: harness.now() + ahead)
    crashable = CrashableClock(lambda: clock.now(), harness.advance_time, instance.process)  # noqa: PLW0108 - it is replaced
    ctx = replace(instance.ctx, clock=crashable)
    if is_compared:
        rows = DatedRows(harness.rows, harness, clock)
        store = LinkStore(rows, harness._timestamp, instance.log)
        ctx = replace(ctx, store=CrashablePort("store", store, instance.process))
    return Instance(harness, ctx, instance.process, instance.log)
