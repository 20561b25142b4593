"""Ends a run at the first failure of a side: the side is paused where it must be, and the failure is logged."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from shared.domain.deal import Side
from shared.foundation.errors import CosellError
from shared.sync.context import Context
from shared.sync.retry.side_health import pause_side


class Guard(Struct):
    """Whether the guarded run has failed."""

    has_failed: bool = False


@contextmanager
def guard_run(ctx: Context, run: str, side: Side) -> Iterator[Guard]:
    """Log an error of this product and end the run; `side` is the side that the run reads first."""
    guard = Guard()
    try:
        yield guard
    except CosellError as error:
        pause_side(ctx, side, error)
        ctx.log("run_failed", run=run, error=type(error).__name__)
        guard.has_failed = True
