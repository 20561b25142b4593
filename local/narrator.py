"""Prints the story of the local run: each step with its time, and the tables. It also checks and measures."""

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

ARRIVAL_EVENTS = {"opportunity_created", "opportunity_written", "related_referral_heard"}
PROGRESS_BAR_FROM = 50
"""A step with at least as many deals shows a progress bar."""


class StoryFailed(Exception):
    """A check of the story failed; the message says which."""


class LogWatcher(logging.Handler):
    """Counts the connector's log events, and measures the time from the receipt of an event to the write in Salesforce.

    `latencies` are seconds. `error_lines` are the log lines of level error, oldest first.
    """

    def __init__(self) -> None:
        """Start with no events; `attach` begins to listen."""
        super().__init__(logging.INFO)
        self.counts: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.error_lines: list[str] = []
        self._received: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Count one log event."""
        document = json.loads(record.getMessage())
        event, referral = document["event"], document.get("referral_id")
        self.counts[event] += 1
        if record.levelno >= logging.ERROR:
            self.error_lines.append(record.getMessage())
        if event == "event_accepted":
            self._received.setdefault(referral, record.created)
        elif event in ARRIVAL_EVENTS and referral in self._received:
            self.latencies.append(record.created - self._received.pop(referral))

    def forget_receipts(self) -> None:
        """Forget all receipts so far. Those events are echoes of the connector's own writes and cause no write."""
        self._received.clear()

    @contextmanager
    def attach(self) -> Iterator["LogWatcher"]:
        """Listen to the connector's log until the block ends, and keep its lines off the terminal."""
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
    """Prints headings, steps and tables, and checks what must hold."""

    def __init__(self, console: Console, watcher: LogWatcher) -> None:
        """Start the clock."""
        self.console, self.watcher = console, watcher
        self._began = self._last = time.monotonic()

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the narrator was created."""
        return time.monotonic() - self._began

    def print_step(self, text: str) -> None:
        """Print one line: the time since the start, the time since the line before, and the text."""
        now = time.monotonic()
        self.console.print(f"[dim]{now - self._began:6.1f} s  +{now - self._last:5.2f}[/dim]  {text}")
        self._last = now

    def print_heading(self, title: str) -> None:
        """Print a heading with an empty line before it."""
        self.console.print(f"\n[bold]{title}[/bold]")

    def require(self, holds: bool, otherwise: str) -> None:
        """Raise StoryFailed with the text `otherwise` and the connector's last logged error, unless `holds` is true."""
        if not holds:
            last = self.watcher.error_lines[-1:]
            raise StoryFailed(otherwise + "".join(f"; the connector logged {trouble}" for trouble in last))

    @contextmanager
    def progress_bar(self, title: str, event: str, total: int) -> Iterator[None]:
        """Show a bar that counts the log events `event` up to `total`.

        There is no bar if `total` is small, or if the output is not a terminal.
        """
        if total < PROGRESS_BAR_FROM or not self.console.is_terminal:
            yield
            return
        columns = (TextColumn("          {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        before = self.watcher.counts[event]
        with Progress(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(title, total=total)
            count_event = self.watcher.emit

            def count_and_update(record: logging.LogRecord) -> None:
                count_event(record)
                bars.update(task, completed=self.watcher.counts[event] - before)

            self.watcher.emit = count_and_update  # type: ignore[method-assign]  # the bar counts the events while it is shown
            try:
                yield
            finally:
                self.watcher.emit = count_event  # type: ignore[method-assign]  # as above

    def describe_latency(self) -> str:
        """The median and the slowest time from the receipt of an event until Salesforce had its change.

        Raises:
            StoryFailed: no event reached Salesforce.
        """
        latencies = self.watcher.latencies
        if not latencies:
            raise StoryFailed("no event reached Salesforce")
        median, slowest = statistics.median(latencies), max(latencies)
        return f"median {median:.2f} s, slowest {slowest:.2f} s, {len(latencies)} events"

    def print_table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table with an empty line before it."""
        table = Table(*heads, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)


def count_calls(journals: Mapping[str, Sequence[tuple[str, str]]]) -> list[tuple[str, str, str]]:
    """The lines of the table of calls: system, call, and how often it was made, sorted."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for system, calls in journals.items():
        for method, path in calls:
            totals[system, f"{method} {path}"] += 1
    return [(system, call, str(count)) for (system, call), count in sorted(totals.items())]
