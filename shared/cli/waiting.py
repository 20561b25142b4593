"""Prints what is in the retry queues, as `cosell status`, `cosell preview` and `cosell retry --all` list it."""

from collections.abc import Sequence
from datetime import datetime

from shared.cli.explain import shown_time
from shared.cli.output import Output, plain
from shared.operations.waiting_list import Waiting

BY_CAUSE = "Waiting on both sides, by cause"


def print_waiting(waiting: Sequence[Waiting], now: datetime, output: Output, title: str) -> None:
    """Print how many entries wait for each cause, below a title; nothing where there are none."""
    if waiting:
        output.say(f"{title}:")
    for one in waiting:
        tried = next_try(one.next_try, now)
        leads = ":" if one.count == 1 else ". For example"
        deal = with_name(one.example, one.name)
        output.say(f"   {one.count} x {with_code(one.reason, one.cause)}{leads} {deal}, {tried}")


def with_name(key: str, name: str | None) -> str:
    """The id of a deal, behind its name where that is known."""
    return f"{plain(name)} ({plain(key)})" if name else plain(key)


def with_code(reason: str, cause: str) -> str:
    """A cause in words, with the code behind it, unless the words end with it."""
    return plain(reason if reason.endswith(cause) else f"{reason} ({cause})")


def next_try(at: datetime, now: datetime) -> str:
    """When an entry is tried: a time that has come means the next run."""
    return f"next try {shown_time(at)}" if at > now else "tried with the next run"
