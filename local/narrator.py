"""Tells the story of the local run: steps with their elapsed time, what was measured, and the tables at the end."""

import json
import logging
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

ARRIVALS = {"opportunity_created", "opportunity_written"}
MANY = 50
"""From so many deals on a step shows a progress bar."""


class StoryFailed(Exception):
    """Something in the story is not as it must be; the message says what."""


class Witness(logging.Handler):
    """Reads the connector's own log events: how many there were, and how long from an event's receipt to Salesforce."""

    def __init__(self) -> None:
        """See `attached`."""
        super().__init__(logging.INFO)
        self.counts: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.troubles: list[str] = []
        self._received: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of one event."""
        said = json.loads(record.getMessage())
        event, referral = said["event"], said.get("referral_id")
        self.counts[event] += 1
        if record.levelno >= logging.ERROR:
            self.troubles.append(record.getMessage())
        if event == "event_accepted":
            self._received.setdefault(referral, record.created)
        elif event in ARRIVALS and referral in self._received:
            self.latencies.append(record.created - self._received.pop(referral))

    def forget_receipts(self) -> None:
        """Echoes of our own writes are no arrivals: begin to measure from here."""
        self._received.clear()

    @contextmanager
    def attached(self) -> Iterator["Witness"]:
        """Listen to the connector."""
        logger = logging.getLogger("cosell")
        level, propagate = logger.level, logger.propagate
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(self)
        try:
            yield self
        finally:
            logger.removeHandler(self)
            logger.level, logger.propagate = level, propagate


class Narrator:
    """Prints steps and checks them."""

    def __init__(self, console: Console, witness: Witness) -> None:
        """The clock starts now."""
        self.console, self.witness = console, witness
        self._began = self._last = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """One line, with the time since the line before."""
        now = time.monotonic()
        self.console.print(f"[dim]{now - self._began:6.1f} s  +{now - self._last:5.2f}[/dim]  {text}")
        self._last = now

    def chapter(self, title: str) -> None:
        """A heading."""
        self.console.print(f"\n[bold]{title}[/bold]")

    def check(self, holds: bool, otherwise: str) -> None:
        """Raises StoryFailed, with the last error that the connector logged, unless it holds."""
        if not holds:
            last = self.witness.troubles[-1:]
            raise StoryFailed(otherwise + "".join(f"; the connector logged {trouble}" for trouble in last))

    @contextmanager
    def progress(self, title: str, event: str, total: int) -> Iterator[None]:
        """A bar that follows the connector's log events, where there is much to do."""
        if total < MANY or not self.console.is_terminal:
            yield
            return
        columns = (TextColumn("          {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        before = self.witness.counts[event]
        with Progress(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(title, total=total)
            heard = self.witness.emit

            def emit(record: logging.LogRecord) -> None:
                heard(record)
                bars.update(task, completed=self.witness.counts[event] - before)

            self.witness.emit = emit  # type: ignore[method-assign]  # the bar listens for as long as it stands
            try:
                yield
            finally:
                self.witness.emit = heard  # type: ignore[method-assign]  # as above

    def latency(self) -> str:
        """How long events took from their receipt until Salesforce had them."""
        found = self.witness.latencies
        if not found:
            raise StoryFailed("no event arrived in Salesforce")
        return f"median {statistics.median(found):.2f} s, slowest {max(found):.2f} s, of {len(found)}"

    def table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table."""
        table = Table(*heads, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)


def counted(journals: Mapping[str, Sequence[tuple[str, str]]]) -> list[tuple[str, str, str]]:
    """Calls by system and method, from the emulators' journals."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for system, calls in journals.items():
        for method, what in calls:
            totals[system, f"{method} {what}"] += 1
    return [(system, call, str(count)) for (system, call), count in sorted(totals.items())]
