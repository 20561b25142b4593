"""The steps of the daily run, in their order: compare all links, purge personal values, forget the counts of yesterday.

Each step does its work once a day, goes on where its last run stopped, and may take the time of a whole run. So a step
that took long is the last of its run: the following ones have their turn in the next run of the timer.
"""

import time
from collections.abc import Callable, Sequence

from shared.app import App
from shared.foundation.errors import CosellError
from shared.operations.compare import run_compare
from shared.operations.copy_store import is_being_imported
from shared.operations.purge import purge_closed

SHORT_SECONDS = 60.0
"""After so long, no further step begins: with it, a run would be longer than the host allows."""
type Step = Callable[[App], object]


def _compare(app: App) -> None:
    run_compare(app.context, app.store, app.settings.guards.compare_sample)


def _purge(app: App) -> None:
    if not is_being_imported(app):  # the compare stays away by the pause of both sides
        purge_closed(app.local, app.settings.guards.purge_after_days)  # it makes no call


def _forget_counts(app: App) -> None:
    app.store.forget_counts(app.clock.now())
    app.store.forget_own_writes()


STEPS: Sequence[Step] = (_compare, _purge, _forget_counts)


def run_daily_steps(app: App, steps: Sequence[Step] = STEPS, clock: Callable[[], float] = time.monotonic) -> None:
    """Run the steps of the day. The first error is raised after all steps: each needs other systems."""
    ends, errors = clock() + SHORT_SECONDS, list[CosellError]()
    for step in steps:
        try:
            step(app)
        except CosellError as error:
            errors.append(error)
        if clock() > ends:
            break
    if errors:
        raise errors[0]
